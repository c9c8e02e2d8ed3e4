"""The pipeline as Kubeflow Pipelines runs it: each node a pod, the Trainer's workers in one."""

from typing import Any

from pipeline.cluster import job_spec, resources
from pipeline.config import Config


def compile_job(config: Config) -> dict[str, Any]:
    """The job spec, a PipelineSpec in protobuf's JSON.

    Args:
      config: which deployment.require has let pass.
    """
    target = job_spec.target(config)
    spec = job_spec.compile_job(config, target, job_spec.components(config, target).values())
    shares = {resources.TRAINER: resources.of_trainer(config.deployment)}
    spec = resources.with_resources(spec, shares, resources.of_nodes(config.deployment))
    return resources.with_retries(spec, config.deployment.timeout_hours * 3600)
