"""TFX's Trainer with an executor that can start several workers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from components.multi_worker_trainer import executor
from components.tfx_api import (
    BaseComponent,
    ExecutionParameter,
    ExecutorClassSpec,
    RuntimeParameter,
    json_utils,
    standard_artifacts,
    standard_component_specs,
    trainer_pb2,
    types,
)


class TrainerSpec(standard_component_specs.TrainerSpec):
    """TFX's, with parameters that can be set when a compiled pipeline is submitted."""

    PARAMETERS = {  # noqa: RUF012, as TFX has it
        **standard_component_specs.TrainerSpec.PARAMETERS,
        executor.EPOCHS: ExecutionParameter(type=int),
        executor.OUTPUT: ExecutionParameter(type=str),
    }


class Trainer(BaseComponent):
    """TFX's Trainer in several processes: `trainer.workers` in custom_config says how many."""

    SPEC_CLASS: type[TrainerSpec] = TrainerSpec
    EXECUTOR_SPEC = ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        *,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        base_model: types.BaseChannel | None = None,
        custom_config: Mapping[str, Any],
        epochs: int | RuntimeParameter,
        output: str | RuntimeParameter,
        place: Mapping[str, str | RuntimeParameter] = MappingProxyType({}),
    ) -> None:
        """Declares the component.

        Args:
          examples: transformed, with the splits train and eval.
          transform_graph: that of Transform.
          base_model: what a warm start takes over from, where it is a model of the pipeline.
          custom_config: of run_fn, less what the other arguments say.
          epochs: passes over the train split.
          output: the folder or URI for checkpoints and TensorBoard's files. They outlive a killed
            run.
          place: execution properties beside those of TrainerSpec, of a SPEC_CLASS that has more.
        """
        spec = self.SPEC_CLASS(
            run_fn="trainer_module.run_fn.run_fn",
            examples=examples,
            transform_graph=transform_graph,
            base_model=base_model,
            train_args=trainer_pb2.TrainArgs(splits=["train"]),
            eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
            custom_config=json_utils.dumps(dict(custom_config)),
            epochs=epochs,
            output=output,
            model=types.Channel(type=standard_artifacts.Model),
            model_run=types.Channel(type=standard_artifacts.ModelRun),
            **place,
        )
        super().__init__(spec=spec)
