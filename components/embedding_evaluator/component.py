"""TFX's Evaluator; it takes a baseline artifact without a model for no baseline."""

from typing import Any, ClassVar

from tensorflow_model_analysis.proto import config_pb2

from components.embedding_evaluator import predictions
from components.embedding_evaluator.intrinsic import set_metrics
from components.embedding_evaluator.last_pushed_model import comparable_model
from components.forked_workers.runner import in_one_worker
from components.tfx_api import (
    BASELINE_MODEL_KEY,
    BeamExecutorSpec,
    ExecutionParameter,
    artifact_utils,
    fileio,
    path_utils,
    proto_utils,
    standard_artifacts,
    types,
)
from components.tfx_api import evaluator_component as component
from components.tfx_api import evaluator_executor as executor
from components.tfx_api import standard_component_specs as specs
from trainer_module.training.progress import WARNING

# An execution property of our own.
SETS_CONTENT = "sets_content"


class Executor(executor.Executor):
    """Leaves out a baseline that nothing can be compared with, and computes what TFMA does not.

    A baseline without a model: a cluster cannot leave out an input. One of an older version of
    ours, which does not say what it held out: the first night after an upgrade has nothing to be
    judged by.
    """

    def Do(  # noqa: N802, TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See TFX's Executor.

        Raises:
          InputError: see set_metrics.fill_in.
        """
        # predictions.py remembers what it computed of a target, in one process.
        self._beam_pipeline_args: list[str] = in_one_worker(self._beam_pipeline_args)
        given = input_dict.get(BASELINE_MODEL_KEY, [])
        comparable = [artifact for artifact in given if _is_comparable(artifact)]
        config = config_pb2.EvalConfig()
        proto_utils.json_to_proto(exec_properties[specs.EVAL_CONFIG_KEY], config)
        model = artifact_utils.get_single_uri(input_dict[specs.MODEL_KEY])
        found = set_metrics.fill_in(config, path_utils.serving_model_path(model))
        super().Do(
            {**input_dict, BASELINE_MODEL_KEY: comparable},
            output_dict,
            {**exec_properties, specs.EVAL_CONFIG_KEY: proto_utils.proto_to_json(config)},
        )
        if found:
            set_metrics.write(
                found, artifact_utils.get_single_uri(output_dict[specs.EVALUATION_KEY])
            )


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


class Spec(specs.EvaluatorSpec):
    """TFX's, and what is known of files that the configuration names."""

    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        **specs.EvaluatorSpec.PARAMETERS,
        SETS_CONTENT: ExecutionParameter(type=str, optional=True),
    }


class Evaluator(component.Evaluator):
    """TFX's, with that executor and our predictions."""

    SPEC_CLASS = Spec
    EXECUTOR_SPEC = BeamExecutorSpec(Executor)

    def __init__(
        self, *, sets_content: str | types.Channel | None = None, **arguments: Any
    ) -> None:
        """Declares the component.

        Args:
          sets_content: changes with the content of the intrinsic sets in eval_config, so that TFX's
            cache sees the change; None without any.
          arguments: inputs and parameters of the spec, as TFX's component takes them.
        """
        if isinstance(sets_content, types.Channel):
            sets_content = sets_content.future()[0].value
        spec = Spec(
            module_path=predictions.__name__,
            # As TFX's own __init__ has them, which makes a spec of its own class alone.
            example_splits="null",
            fairness_indicator_thresholds="null",
            evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
            blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            **{SETS_CONTENT: sets_content},
            **arguments,
        )
        super(component.Evaluator, self).__init__(spec=spec)
