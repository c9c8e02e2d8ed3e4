"""TFX's Evaluator; it takes a baseline artifact without a model for no baseline."""

from typing import Any

from components.embedding_evaluator import predictions
from components.embedding_evaluator.last_pushed_model import comparable_model
from components.forked_workers.runner import in_one_worker
from components.tfx_api import BASELINE_MODEL_KEY, BeamExecutorSpec, fileio, path_utils, types
from components.tfx_api import evaluator_component as component
from components.tfx_api import evaluator_executor as executor
from trainer_module.training.progress import WARNING


class Executor(executor.Executor):
    """Leaves out a baseline that nothing can be compared with.

    One without a model: a cluster cannot leave out an input. One of an older version of ours, which
    does not say what it held out: the first night after an upgrade has nothing to be judged by.
    """

    def Do(  # noqa: N802, TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See TFX's Executor."""
        # predictions.py remembers what it computed of a target, in one process.
        self._beam_pipeline_args: list[str] = in_one_worker(self._beam_pipeline_args)
        given = input_dict.get(BASELINE_MODEL_KEY, [])
        comparable = [artifact for artifact in given if _is_comparable(artifact)]
        super().Do({**input_dict, BASELINE_MODEL_KEY: comparable}, output_dict, exec_properties)


def _is_comparable(model: types.Artifact) -> bool:
    if comparable_model(model):
        return True
    if fileio.exists(path_utils.serving_model_path(model.uri)):
        print(
            f"{WARNING}the last blessed model is of an older version that does not say how it was "
            "trained: tonight's is not compared with it",
            flush=True,
        )
    return False


class Evaluator(component.Evaluator):
    """TFX's, with that executor and our predictions."""

    EXECUTOR_SPEC = BeamExecutorSpec(Executor)

    def __init__(self, **arguments: Any) -> None:
        """Takes what TFX's takes, but for `module_path`."""
        super().__init__(module_path=predictions.__name__, **arguments)
