"""The pipeline as Vertex Pipelines runs it: the Trainer a custom job with a pool of workers."""

import difflib
from typing import Any

from components.multi_worker_trainer import vertex
from pipeline.cluster import job_spec
from pipeline.config import Config
from pipeline.failures import WrongCommandError


def compile_job(config: Config) -> dict[str, Any]:
    """The job spec, a PipelineSpec in protobuf's JSON.

    Args:
      config: which deployment.require has let pass.

    Raises:
      WrongCommandError: there is no such region.
    """
    deployment = config.deployment
    _require_region(deployment.region)
    job = vertex.job_of(
        project=str(deployment.project),
        region=deployment.region,
        image=str(deployment.image),
        machine_type=deployment.machine_type,
        workers=config.trainer.workers,
    )
    target = job_spec.target(config)._replace(trainer=vertex.Trainer, trainer_config=job)
    return job_spec.compile_job(config, target, job_spec.components(config, target).values())


def _require_region(region: str) -> None:
    # It takes seconds to import, which TFX's Trainer for Vertex costs anyhow.
    from google.cloud.aiplatform.constants import base as aiplatform

    known = sorted(aiplatform.SUPPORTED_REGIONS - {"global"})
    if region in known:
        return
    near = difflib.get_close_matches(region, known, n=3) or known
    raise WrongCommandError(
        f"deployment.region = {region!r} is no region that Vertex's client knows: set another, "
        f"such as {', '.join(near)}"
    )
