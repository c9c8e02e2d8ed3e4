"""TF_CONFIG: which worker of which group a process is."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from trainer_module.errors import InputError

TF_CONFIG = "TF_CONFIG"
# The jobs of a cluster that train, in the order of TensorFlow's replicas.
_JOBS = ("chief", "worker")


@dataclasses.dataclass(frozen=True)
class Worker:
    """A place in a group that trains one model."""

    index: int = 0  # from 0
    num_workers: int = 1  # workers of the group

    @property
    def is_chief(self) -> bool:
        """Whether it is the one that writes."""
        return self.index == 0


ALONE = Worker()


def tf_config(
    cluster: Mapping[str, Sequence[str]],
    job: str,
    index: int,
    *,
    task: Mapping[str, Any] | None = None,
    **others: Any,
) -> str:
    """What TF_CONFIG says to one process of a cluster.

    Args:
      cluster: by job, such as "chief" or "worker", the `host:port` of each of its processes.
      job, index: the place of the process in `cluster`, from 0.
      task: what else its task says; Vertex adds some.
      **others: what else stands beside cluster and task.

    Returns:
      JSON. this_worker reads it.
    """
    own = {"type": job, "index": index, **(task or {})}
    return json.dumps({"cluster": cluster, "task": own, **others})


def this_worker(environment: Mapping[str, str]) -> Worker:
    """The place that TF_CONFIG gives, as Vertex, Kubeflow's training operator and we set it.

    Args:
      environment: of the process.

    Raises:
      InputError: TF_CONFIG is no JSON object with a cluster and a task of it that trains.
    """
    text = environment.get(TF_CONFIG) or "{}"
    try:
        config = json.loads(text)
        cluster = config.get("cluster") or {}
        if not cluster:
            return ALONE
        sizes = {job: len(cluster.get(job, [])) for job in _JOBS}
        job, index = config["task"]["type"], int(config["task"]["index"])
        before = sum(sizes[other] for other in _JOBS[: _JOBS.index(job)])
        if not 0 <= index < sizes[job]:
            raise ValueError(f"{job} {index} is not in the cluster")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"TF_CONFIG = {text!r} does not say which chief or worker of its cluster this process "
            f"is ({error}): unset it, or set cluster and task as TensorFlow's guide to "
            "multi-worker training has them"
        ) from error
    return Worker(before + index, sum(sizes.values()))
