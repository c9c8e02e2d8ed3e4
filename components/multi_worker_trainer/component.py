"""TFX's Trainer with an executor that can start several workers."""

from tfx.components.trainer import component
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec

from components.multi_worker_trainer.executor import Executor


class Trainer(component.Trainer):
    """TFX's, in as many processes as `workers` says, a field of `trainer` in its custom_config."""

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)
