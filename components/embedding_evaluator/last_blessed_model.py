"""Finds the model to compare a new one with."""

from collections.abc import Iterable

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.embedding_evaluator.order_of_blessings import (
    BASELINE_ID,
    MADE_OF,
    MODEL_ID,
    last_blessing,
    number,
)
from components.tfx_api import ResolverStrategy, types

# The keys under which the Resolver node gets its channels.
CANDIDATE = "candidate"
MODEL = "model"
MODEL_BLESSING = "model_blessing"


class LastBlessedModelStrategy(ResolverStrategy):
    """Resolves the model that was blessed last, what was made of the candidate left out.

    When a run is repeated, TFX's LatestBlessedModelStrategy returns the very model that is to be
    judged. Comparing a model with itself says nothing. And because the model is a new input, the
    Evaluator would run again although nothing has changed. So a candidate that is the last blessed
    model stands beside the one that it was judged beside, whoever was blessed in between.
    """

    def resolve_artifacts(
        self, store: MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the model and its blessing, or none where no other model was blessed."""
        del store
        candidates = {artifact.uri for artifact in input_dict[CANDIDATE]}
        models = {artifact.id: artifact for artifact in input_dict[MODEL]}
        others = {
            key
            for key, artifact in models.items()
            if artifact.get_string_custom_property(MADE_OF) not in candidates
        }
        blessings = {artifact.id: artifact for artifact in input_dict[MODEL_BLESSING]}
        noted = [one.mlmd_artifact for one in blessings.values()]
        last = last_blessing(noted, models)
        if last is not None and number(last, MODEL_ID) not in others:
            last = last_blessing(noted, _beside(noted, number(last, MODEL_ID), others))
        if last is None:
            return {CANDIDATE: input_dict[CANDIDATE], MODEL: [], MODEL_BLESSING: []}
        return {
            CANDIDATE: input_dict[CANDIDATE],
            MODEL: [models[number(last, MODEL_ID)]],
            MODEL_BLESSING: [blessings[last.id]],
        }


def _beside(noted: Iterable[mlmd.Artifact], model: int, others: set[int]) -> set[int]:
    """Which models one may be held against that was judged before: what it was then, or none.

    All others, where that model is gone.
    """
    beside = {number(it, BASELINE_ID) for it in noted if number(it, MODEL_ID) == model} - {0}
    return beside if beside <= others else others
