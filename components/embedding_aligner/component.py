"""Turns tonight's model so that its vectors lie in the space of the last blessed one."""

from components.embedding_aligner import procrustes
from components.embedding_evaluator.last_pushed_model import comparable_model
from components.embedding_evaluator.order_of_blessings import MADE_OF
from components.tfx_api import (
    InputArtifact,
    OutputArtifact,
    Parameter,
    component,
    io_utils,
    path_utils,
    standard_artifacts,
)
from trainer_module.evaluation import saved_model
from trainer_module.hyperparameters import LAST_BLESSED


def align(folder: str, last_folder: str) -> None:
    """Turns a SavedModel in place into the space of another one, whose space_id it takes.

    Scores, cross-entropies and cosines stay as they are: both tables are turned by one orthogonal
    matrix. Where there is no such matrix, the model keeps the space that it began.

    Args:
      folder: of a SavedModel made by trainer_module.evaluation.export; its variables are replaced.
      last_folder: of the other one.
    """
    model, last = saved_model.read(folder), saved_model.read(last_folder)
    matrix = procrustes.rotation_between(model, last)
    if matrix is None:
        return
    saved_model.rewrite(
        folder,
        target_table=procrustes.turned(model.target_table, matrix),
        context_weights=procrustes.turned(model.context_weights, matrix),
        settings=model.settings._replace(space_id=last.settings.space_id),
    )


@component
def EmbeddingAligner(  # noqa: N802
    model: InputArtifact[standard_artifacts.Model],
    aligned_model: OutputArtifact[standard_artifacts.Model],
    align_with: Parameter[str],
    code_fingerprint: Parameter[str],
    baseline_model: InputArtifact[standard_artifacts.Model] = None,
) -> None:
    """Gives a copy of the model that is judged, pushed and exported.

    Training knows nothing of the last blessed model, so another one does not make it run again.

    Args:
      model: the Trainer's.
      aligned_model: the copy. It says of which model it was made.
      align_with: `last_blessed`, or `none` for a copy as it is.
      code_fingerprint: is not used; it makes TFX's cache key change with the code.
      baseline_model: the last blessed one; None, or without a model in it: there is none yet.
    """
    del code_fingerprint
    aligned_model.set_string_custom_property(MADE_OF, model.uri)
    io_utils.copy_dir(model.uri, aligned_model.uri)
    last = comparable_model(baseline_model)
    if align_with == LAST_BLESSED and last:
        align(path_utils.serving_model_path(aligned_model.uri), last)
