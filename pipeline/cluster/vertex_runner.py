"""The pipeline as Vertex Pipelines runs it: the Trainer a custom job with a pool of workers."""

import json
from typing import Any

from components.multi_worker_trainer import vertex
from components.tfx_api import RuntimeParameter
from pipeline.cluster import job_spec, place, resources
from pipeline.config import Config
from pipeline.sections.deployment import DeploymentConfig

# The most that kfp's own compiler writes, as Vertex allows no more.
_RETRY_SECONDS = 3600


def compile_job(config: Config) -> dict[str, Any]:
    """The job spec, a PipelineSpec in protobuf's JSON.

    Args:
      config: which deployment.require has let pass.

    Raises:
      WrongCommandError: there is no such region.
    """
    deployment = config.deployment
    place.require_region(deployment.region)
    machines = vertex.job_spec(
        image=str(deployment.image),
        machine_type=deployment.machine_type,
        workers=config.trainer.workers,
        timeout_hours=deployment.timeout_hours,
        spot=deployment.spot,
    )
    target = job_spec.target(config)._replace(
        trainer=vertex.Trainer, trainer_machines=machines, trainer_place=_place(deployment)
    )
    spec = job_spec.compile_job(config, target, job_spec.components(config, target).values())
    # The Trainer's node as well: it waits for the machines of its job.
    spec = resources.with_resources(spec, {}, resources.of_nodes(deployment))
    return resources.with_retries(spec, _RETRY_SECONDS)


def _place(deployment: DeploymentConfig) -> dict[str, RuntimeParameter]:
    """Where the pipeline and its custom job run: what they are told by default."""
    defaults = {
        vertex.PROJECT: str(deployment.project),
        vertex.REGION: deployment.region,
        vertex.SERVICE_ACCOUNT: deployment.service_account or "",
        vertex.NETWORK: deployment.network or "",
        vertex.LABELS: json.dumps(dict(deployment.labels), sort_keys=True),
    }
    return {name: RuntimeParameter(name, str, value) for name, value in defaults.items()}
