"""Which of several blessings counts. Without TFX, for those who only look."""

from collections.abc import Container, Iterable

from ml_metadata.proto import metadata_store_pb2 as mlmd

# Custom properties of a ModelBlessing, as TFX's Evaluator writes them.
BLESSED, MODEL_ID, BASELINE_ID = "blessed", "current_model_id", "baseline_model_id"
# Another one, 1 in the blessing that the Pusher goes by. What is judged by several components is
# blessed when the last of them has said so.
FINAL = "final"
# Custom property of a model that was made of the Trainer's: that one's URI.
MADE_OF = "made_of"


def last_blessing(
    blessings: Iterable[mlmd.Artifact], models: Container[int]
) -> mlmd.Artifact | None:
    """The last blessing of one of some models, by the order in which they were noted.

    Args:
      blessings: artifacts of type ModelBlessing, also of models that were not blessed.
      models: the ids of the models that may be chosen.
    """
    of_models = [
        blessing
        for blessing in blessings
        if number(blessing, BLESSED) == number(blessing, FINAL) == 1
        and number(blessing, MODEL_ID) in models
    ]
    return max(of_models, key=lambda blessing: blessing.id, default=None)


def number(artifact: mlmd.Artifact, name: str) -> int:
    """A custom property, 0 if it has none of that name."""
    properties = artifact.custom_properties
    return int(properties[name].int_value) if name in properties else 0


def text(artifact: mlmd.Artifact, name: str) -> str:
    """A custom property, "" if it has none of that name."""
    properties = artifact.custom_properties
    return str(properties[name].string_value) if name in properties else ""
