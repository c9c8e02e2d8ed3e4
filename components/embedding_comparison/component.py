"""Compares tonight's model with the last blessed one, and may withhold it."""

import os

from components.embedding_comparison.comparing import compare
from components.embedding_comparison.comparison import COMPARISON_FILE, Comparison
from components.embedding_evaluator.last_pushed_model import comparable_model
from components.embedding_evaluator.order_of_blessings import FINAL
from components.tfx_api import (
    InputArtifact,
    OutputArtifact,
    Parameter,
    artifact,
    component,
    evaluator_constants,
    io_utils,
    path_utils,
    standard_artifacts,
)
from trainer_module.evaluation import saved_model

_BLESSED = evaluator_constants.ARTIFACT_PROPERTY_BLESSED_KEY
_MODEL = evaluator_constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY
_MODEL_ID = evaluator_constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY


class ModelComparison(artifact.Artifact):
    """A folder with comparison.json."""

    # TFX imports the class by this name when an artifact comes from a cluster.
    TYPE_NAME = "components.ModelComparison"


def comparison_of(folder: str, last_folder: str | None) -> Comparison:
    """Compares two SavedModels; an empty comparison where there is no other one."""
    model = saved_model.read(folder)
    if last_folder is None:
        return Comparison(space_id=model.settings.space_id)
    return compare(model, saved_model.read(last_folder))


@component
def EmbeddingComparison(  # noqa: N802
    model: InputArtifact[standard_artifacts.Model],
    model_blessing: InputArtifact[standard_artifacts.ModelBlessing],
    comparison: OutputArtifact[ModelComparison],
    blessing: OutputArtifact[standard_artifacts.ModelBlessing],
    min_neighbor_overlap: Parameter[float],
    code_fingerprint: Parameter[str],
    baseline_model: InputArtifact[standard_artifacts.Model] = None,
) -> None:
    """Says what has moved since the last blessed model, and has the last word on the blessing.

    Args:
      model: the aligned one.
      model_blessing: the Evaluator's.
      comparison: comparison.json.
      blessing: the Evaluator's, but for a model that is too far from the last blessed one. The
        Pusher, the EmbeddingExporter and the next night go by it.
      min_neighbor_overlap: what `Comparison.neighbor_overlap` must reach; 0 lets all pass.
      code_fingerprint: is not used; it makes TFX's cache key change with the code.
      baseline_model: the last blessed one; None, or without a model in it: there is none yet.
    """
    del code_fingerprint
    found = comparison_of(
        path_utils.serving_model_path(model.uri), comparable_model(baseline_model)
    )
    io_utils.write_string_file(os.path.join(comparison.uri, COMPARISON_FILE), found.to_json())
    is_better = model_blessing.get_int_custom_property(_BLESSED) == 1
    blessed = is_better and found.is_near_enough(min_neighbor_overlap)
    names = evaluator_constants.BLESSED_FILE_NAME, evaluator_constants.NOT_BLESSED_FILE_NAME
    io_utils.write_string_file(os.path.join(blessing.uri, names[not blessed]), "")
    blessing.set_int_custom_property(_BLESSED, int(blessed))
    blessing.set_int_custom_property(FINAL, 1)
    blessing.set_string_custom_property(_MODEL, model_blessing.get_string_custom_property(_MODEL))
    blessing.set_int_custom_property(_MODEL_ID, model_blessing.get_int_custom_property(_MODEL_ID))
