"""TFX's Trainer with an executor that can start several workers."""

from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec

from components.multi_worker_trainer.executor import Executor


class MultiWorkerTrainer(Trainer):
    """Trains in `workers` processes, a field of `trainer` in its custom_config."""

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)
