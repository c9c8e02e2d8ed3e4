"""The Trainer as a custom job of Vertex, with a pool of workers."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from components.multi_worker_trainer import component, executor, vertex_job
from components.tfx_api import (
    CUSTOM_CONFIG_KEY,
    BaseExecutor,
    ExecutionParameter,
    ExecutorClassSpec,
    json_utils,
)

# Where the job runs and as whom: execution properties, which are set anew at each submission.
PROJECT = "project"
REGION = "region"
SERVICE_ACCOUNT = "service_account"
NETWORK = "network"
LABELS = "labels"
PLACE = (PROJECT, REGION, SERVICE_ACCOUNT, NETWORK, LABELS)
# In custom_config, what else Vertex is told of the job.
JOB_SPEC = "vertex_job_spec"
# TFX's name of a class, as its program on the machines takes it.
_ON_EACH_MACHINE = f"{executor.__name__}.{executor.Executor.__name__}"


class TrainerSpec(component.TrainerSpec):
    """With the place of the job."""

    PARAMETERS = {  # noqa: RUF012, as TFX has it
        **component.TrainerSpec.PARAMETERS,
        **{name: ExecutionParameter(type=str) for name in PLACE},
    }


class Executor(BaseExecutor):
    """Starts the job and waits for it; each of its machines runs our executor."""

    def Do(  # noqa: N802, TFX's name
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See BaseExecutor.

        Args:
          input_dict, output_dict: artifacts by key.
          exec_properties: of TrainerSpec; their custom_config holds what job_spec returned.

        Raises:
          RuntimeError: the job did not succeed.
          SystemExit: this process was told to end; see vertex_job.run.
        """
        asked = asked_of_vertex(exec_properties)
        client = vertex_job.Client(asked.region)
        job = client.create_training_job(
            input_dict,
            output_dict,
            asked.machines_properties,
            _ON_EACH_MACHINE,
            asked.job,
            None,
            {},
        )
        vertex_job.run(client, asked.project, job)


class Trainer(component.Trainer):
    """Our Trainer; its custom_config also holds what job_spec returns."""

    SPEC_CLASS = TrainerSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)


class Asked(NamedTuple):
    """What execution properties ask of Vertex."""

    project: str
    region: str
    job: dict[str, Any]  # a CustomJob but for the command
    machines_properties: dict[str, Any]  # execution properties of our executor on each machine


def job_spec(
    *, image: str, machine_type: str, workers: int, timeout_hours: int, spot: bool
) -> dict[str, Any]:
    """Describes the job to Vertex, as a part of custom_config.

    Args:
      image: the container image of every machine; without one TFX would take its own.
      machine_type: of each machine, one a worker.
      workers: the first is the chief; Vertex gives each its TF_CONFIG.
      timeout_hours: after which Vertex ends the job.
      spot: whether the machines may be taken away.
    """
    machine = {
        "machine_spec": {"machine_type": machine_type},
        "container_spec": {"image_uri": image},
    }
    pools = [{**machine, "replica_count": 1}]
    if workers > 1:
        pools.append({**machine, "replica_count": workers - 1})
    scheduling: dict[str, Any] = {
        "timeout": f"{timeout_hours * 3600}s",
        # MultiWorkerMirroredStrategy takes back no worker that was started again alone: the others
        # would wait for it until the timeout.
        "restart_job_on_worker_restart": True,
    }
    if spot:
        scheduling["strategy"] = "SPOT"
    return {JOB_SPEC: {"worker_pool_specs": pools, "scheduling": scheduling}}


def asked_of_vertex(exec_properties: Mapping[str, Any]) -> Asked:
    """Takes apart what Vertex is to know and what training is to know.

    Neither the place nor the machines change the model, so run_fn sees nothing of them: a training
    goes on from its checkpoint on a larger machine, in another region or as somebody else.

    Args:
      exec_properties: of TrainerSpec.
    """
    config = json_utils.loads(exec_properties[CUSTOM_CONFIG_KEY])
    spec = config.pop(JOB_SPEC)
    who = {name: exec_properties[name] for name in (SERVICE_ACCOUNT, NETWORK)}
    job = {
        "job_spec": {**spec, **{name: value for name, value in who.items() if value}},
        "labels": json.loads(exec_properties[LABELS]),
    }
    others = {name: value for name, value in exec_properties.items() if name not in PLACE}
    return Asked(
        exec_properties[PROJECT],
        exec_properties[REGION],
        job,
        {**others, CUSTOM_CONFIG_KEY: json_utils.dumps(config)},
    )
