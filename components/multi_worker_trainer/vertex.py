"""The Trainer as a custom job of Vertex, with a pool of workers."""

from typing import Any

from components.multi_worker_trainer import component, executor
from components.tfx_api import (
    ENABLE_VERTEX_KEY,
    VERTEX_REGION_KEY,
    ExecutorClassSpec,
    vertex_executor,
)


class Executor(vertex_executor.GenericExecutor):
    """Starts the job and waits for it; each of its machines runs our executor."""

    def _GetExecutorClass(self) -> type[executor.Executor]:  # noqa: N802, TFX's name
        return executor.Executor


class Trainer(component.Trainer):
    """Our Trainer; its custom_config also holds what job_of returns."""

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)


def job_of(
    *, project: str, region: str, image: str, machine_type: str, workers: int
) -> dict[str, Any]:
    """Describes the job to Vertex, as a part of custom_config.

    Args:
      project, region: of Google Cloud, where the job runs.
      image: the container image of every machine; without one TFX would take its own.
      machine_type: of each machine, one a worker.
      workers: the first is the chief; Vertex gives each its TF_CONFIG.
    """
    machine = {
        "machine_spec": {"machine_type": machine_type},
        "container_spec": {"image_uri": image},
    }
    pools = [{**machine, "replica_count": 1}]
    if workers > 1:
        pools.append({**machine, "replica_count": workers - 1})
    return {
        ENABLE_VERTEX_KEY: True,
        VERTEX_REGION_KEY: region,
        vertex_executor.TRAINING_ARGS_KEY: {
            "project": project,
            "job_spec": {"worker_pool_specs": pools},
        },
    }
