"""What each node of a compiled job spec gets of a cluster, and how often it is tried.

TFX takes resources of most components and drops those of a file-based ExampleGen, without a word.
So they are put into the spec that it has compiled, for all nodes alike.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.sections.deployment import DeploymentConfig

TRAINER = "trainer"

# Attempts after the first, a minute apart and then two. A pod that was evicted or a machine that
# was taken away is behind most ends that another attempt mends.
_RETRIES = 2
_FIRST_PAUSE_SECONDS, _LONGER_BY = 60, 2


class Share(NamedTuple):
    """What a node may use, and is promised."""

    cpus: float
    memory_gigabytes: float  # of 10^9 bytes


def with_resources(
    spec: Mapping[str, Any], shares: Mapping[str, Share], others: Share
) -> dict[str, Any]:
    """A spec whose containers all say what they need.

    Where a quota counts what pods ask for, a pod that asks for nothing is refused. Limits alone are
    enough: Kubernetes takes a limit for the request where none is named, and a pod that is promised
    all that it may use is the last that a full machine evicts. Vertex goes by limits, and takes the
    type of machine that is nearest to them.

    Args:
      spec: a PipelineSpec in protobuf's JSON.
      shares: by the names of nodes.
      others: of all other nodes.
    """
    executors = {}
    for label, executor in spec["deploymentSpec"]["executors"].items():
        share = shares.get(label.removesuffix("_executor"), others)
        container = {**executor["container"], "resources": _resources(share)}
        executors[label] = {**executor, "container": container}
    return {**spec, "deploymentSpec": {**spec["deploymentSpec"], "executors": executors}}


def _resources(share: Share) -> dict[str, float]:
    # Numbers, as Vertex reads them; all versions of Kubeflow Pipelines do too.
    return {"cpuLimit": share.cpus, "memoryLimit": share.memory_gigabytes}


def with_retries(spec: Mapping[str, Any], seconds: int) -> dict[str, Any]:
    """A spec whose Trainer is tried again: it goes on from its last checkpoint.

    Args:
      spec: a PipelineSpec in protobuf's JSON.
      seconds: from the start of the first attempt, after which no other is begun or goes on. Where
        it is not said, Kubeflow's compiler says 0, and its workflows try nothing again.
    """
    tasks = spec["root"]["dag"]["tasks"]
    policy = {
        "maxRetryCount": _RETRIES,
        "backoffDuration": f"{_FIRST_PAUSE_SECONDS}s",
        "backoffFactor": _LONGER_BY,
        "backoffMaxDuration": f"{seconds}s",
    }
    again = {**tasks, TRAINER: {**tasks[TRAINER], "retryPolicy": policy}}
    return {**spec, "root": {**spec["root"], "dag": {**spec["root"]["dag"], "tasks": again}}}


def of_nodes(deployment: DeploymentConfig) -> Share:
    """What a node gets that has no share of its own."""
    return Share(deployment.node_cpus, deployment.node_memory_gigabytes)


def of_trainer(deployment: DeploymentConfig) -> Share:
    """What the Trainer's pod gets, which its workers share."""
    return Share(deployment.cpus, deployment.memory_gigabytes)
