"""Finds the model to compare a new one with."""

from ml_metadata import MetadataStore

from components.embedding_evaluator.order_of_blessings import (
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
    Evaluator would run again although nothing has changed.
    """

    def resolve_artifacts(
        self, store: MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the model and its blessing, or none where no other model was blessed."""
        del store
        candidates = {artifact.uri for artifact in input_dict[CANDIDATE]}
        models = {
            artifact.id: artifact
            for artifact in input_dict[MODEL]
            if artifact.get_string_custom_property(MADE_OF) not in candidates
        }
        blessings = {artifact.id: artifact for artifact in input_dict[MODEL_BLESSING]}
        last = last_blessing((one.mlmd_artifact for one in blessings.values()), models)
        if last is None:
            return {CANDIDATE: input_dict[CANDIDATE], MODEL: [], MODEL_BLESSING: []}
        return {
            CANDIDATE: input_dict[CANDIDATE],
            MODEL: [models[number(last, MODEL_ID)]],
            MODEL_BLESSING: [blessings[last.id]],
        }
