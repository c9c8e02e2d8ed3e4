"""The pipeline as Kubeflow Pipelines runs it: each node a pod, the Trainer's workers in one."""

from typing import Any

from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.cluster import job_spec
from pipeline.config import Config

_Resources = pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec


def compile_job(config: Config) -> dict[str, Any]:
    """The job spec, a PipelineSpec in protobuf's JSON.

    Args:
      config: which deployment.require has let pass.
    """
    target = job_spec.target(config)
    components = job_spec.components(config, target)
    deployment = config.deployment
    components["trainer"].with_platform_config(
        _Resources(cpu_limit=deployment.cpus, memory_limit=deployment.memory_gigabytes)
    )
    return job_spec.compile_job(config, target, components.values())
