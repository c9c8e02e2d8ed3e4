"""TFX's Evaluator; it takes a baseline artifact without a model for no baseline."""

from typing import Any

from components.tfx_api import BASELINE_MODEL_KEY, BeamExecutorSpec, fileio, path_utils, types
from components.tfx_api import evaluator_component as component
from components.tfx_api import evaluator_executor as executor


class Executor(executor.Executor):
    """Leaves out a baseline without a model: a cluster cannot leave out an input."""

    def Do(  # noqa: N802, TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See TFX's Executor."""
        with_model = [
            artifact
            for artifact in input_dict.get(BASELINE_MODEL_KEY, [])
            if fileio.exists(path_utils.serving_model_path(artifact.uri))
        ]
        super().Do({**input_dict, BASELINE_MODEL_KEY: with_model}, output_dict, exec_properties)


class Evaluator(component.Evaluator):
    """TFX's, with that executor."""

    EXECUTOR_SPEC = BeamExecutorSpec(Executor)
