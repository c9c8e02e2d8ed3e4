"""Finds the model to compare a new one with."""

from ml_metadata import MetadataStore

from components.tfx_api import ResolverStrategy, types

# The keys under which the Resolver node gets its channels.
CANDIDATE = "candidate"
MODEL = "model"
MODEL_BLESSING = "model_blessing"
# Custom property of a model that was made of the Trainer's: that one's URI.
MADE_OF = "made_of"
# Custom property of a blessing, 1 in the one that the Pusher goes by. What is judged by several
# components is blessed when the last of them has said so.
FINAL = "final"


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
        blessings = [
            blessing
            for blessing in input_dict[MODEL_BLESSING]
            if blessing.get_int_custom_property("blessed") == 1
            and blessing.get_int_custom_property(FINAL) == 1
            and blessing.get_int_custom_property("current_model_id") in models
        ]
        if not blessings:
            return {CANDIDATE: input_dict[CANDIDATE], MODEL: [], MODEL_BLESSING: []}
        last = max(blessings, key=lambda blessing: blessing.id)
        model = models[last.get_int_custom_property("current_model_id")]
        return {CANDIDATE: input_dict[CANDIDATE], MODEL: [model], MODEL_BLESSING: [last]}
