"""The pipeline as Vertex Pipelines runs it: the Trainer a custom job with a pool of workers."""

from typing import Any

from components.multi_worker_trainer import vertex
from pipeline.cluster import job_spec
from pipeline.config import Config


def compile_job(config: Config) -> dict[str, Any]:
    """The job spec, a PipelineSpec in protobuf's JSON.

    Args:
      config: which deployment.require has let pass.
    """
    deployment = config.deployment
    job = vertex.job_of(
        project=str(deployment.project),
        region=deployment.region,
        image=str(deployment.image),
        machine_type=deployment.machine_type,
        workers=config.trainer.workers,
    )
    target = job_spec.target(config)._replace(trainer=vertex.Trainer, trainer_config=job)
    return job_spec.compile_job(config, target, job_spec.components(config, target).values())
