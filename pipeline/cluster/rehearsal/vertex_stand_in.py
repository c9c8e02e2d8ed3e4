"""Stands in for Vertex's job service in a rehearsal: a custom job's machines are processes here.

`python -m pipeline.cluster.rehearsal.vertex_stand_in PLACE MODULE ARGUMENTS` is
`python -m MODULE ARGUMENTS` with it. PLACE is `private` where the machines have a network of their
own, `exposed` where they have this machine's.
"""

import contextlib
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from google.cloud.aiplatform import gapic
from google.cloud.aiplatform_v1.types import CustomJob, JobState

from components.multi_worker_trainer.local_workers import workers_network
from components.processes import free_ports
from trainer_module.workers.cluster import TF_CONFIG, tf_config

PRIVATE, EXPOSED = "private", "exposed"
# Vertex's names for its pools, in their order.
_JOBS = ("chief", "worker")
_LOOK_SECONDS = 0.2


class JobService:
    """What is used of Vertex's client."""

    exposed = False  # whether the machines are in this machine's network
    _job: CustomJob

    def __init__(self, client_options: Mapping[str, str]) -> None:
        print(f"instead of {client_options['api_endpoint']}: processes of this machine")

    def create_custom_job(self, parent: str, custom_job: Mapping[str, Any]) -> CustomJob:
        """Runs a job to its end.

        Args:
          parent: project and region.
          custom_job: what Vertex's CustomJob allows; else this raises as its client would.
        """
        self._job = CustomJob(custom_job)
        self._job.name = f"{parent}/customJobs/1"
        succeeded = _run(self._job.job_spec.worker_pool_specs, exposed=self.exposed)
        state = JobState.JOB_STATE_SUCCEEDED if succeeded else JobState.JOB_STATE_FAILED
        self._job.state = JobState(state)
        return self._job

    def get_custom_job(self, name: str, retry: object) -> CustomJob:
        """The job that was run."""
        del name, retry
        return self._job


def _run(pools: Any, *, exposed: bool) -> bool:
    """Runs a process for each machine; whether all ended well. If one fails, all are ended."""
    tasks = [
        (_JOBS[index], number)
        for index, pool in enumerate(pools)
        for number in range(pool.replica_count)
    ]
    commands = [list(pools[_JOBS.index(job)].container_spec.command) for job, _ in tasks]
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(workers_network(exposed=exposed))
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    network.command(command),
                    env={**os.environ, **variables},
                    pass_fds=network.namespaces,
                )
            )
            for command, variables in zip(commands, _variables(tasks), strict=True)
        ]
        for process in processes:
            stack.callback(process.kill)
        while any(process.poll() is None for process in processes):
            if any(process.poll() for process in processes):
                return False
            time.sleep(_LOOK_SECONDS)
        return not any(process.returncode for process in processes)


def _variables(tasks: list[tuple[str, int]]) -> list[dict[str, str]]:
    """TF_CONFIG as Vertex gives it to each machine; to a single one it gives a cluster too."""
    ports = iter(free_ports(len(tasks)))
    cluster: dict[str, list[str]] = {}
    for job, _ in tasks:
        cluster.setdefault(job, []).append(f"127.0.0.1:{next(ports)}")
    return [
        {
            TF_CONFIG: tf_config(
                cluster, job, number, task={"cloud": "rehearsal", "trial": ""}, environment="cloud"
            )
        }
        for job, number in tasks
    ]


def main() -> None:
    """Runs the module that is named with the stand-in in place."""
    place, module, *arguments = sys.argv[1:]
    JobService.exposed = place == EXPOSED
    gapic.JobServiceClient = JobService  # type: ignore[misc, assignment]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
