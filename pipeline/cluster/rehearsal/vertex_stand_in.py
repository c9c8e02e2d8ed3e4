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
    _machines: list[subprocess.Popen[bytes]]
    _running: contextlib.ExitStack  # the machines and their network

    def __init__(self, client_options: Mapping[str, str]) -> None:
        print(f"instead of {client_options['api_endpoint']}: processes of this machine")

    def create_custom_job(self, parent: str, custom_job: Mapping[str, Any]) -> CustomJob:
        """Starts a job.

        Args:
          parent: project and region.
          custom_job: what Vertex's CustomJob allows; else this raises as its client would.
        """
        self._job = CustomJob(custom_job)
        self._job.name = f"{parent}/customJobs/1"
        self._job.state = JobState(JobState.JOB_STATE_RUNNING)
        print(f"{self._job.name} of {_described(self._job)}", flush=True)
        with contextlib.ExitStack() as stack:
            pools = self._job.job_spec.worker_pool_specs
            self._machines = _started(pools, stack, exposed=self.exposed)
            self._running = stack.pop_all()
        return self._job

    def get_custom_job(self, name: str, retry: object) -> CustomJob:
        """The job, when it has ended: who asks need not ask again."""
        del name, retry
        if self._job.state == JobState.JOB_STATE_RUNNING:
            succeeded = _succeed(self._machines)
            self._end(JobState.JOB_STATE_SUCCEEDED if succeeded else JobState.JOB_STATE_FAILED)
        return self._job

    def cancel_custom_job(self, name: str, timeout: float) -> None:
        """Ends the machines."""
        del timeout
        self._end(JobState.JOB_STATE_CANCELLED)
        print(f"{name} cancelled", flush=True)

    def _end(self, state: int) -> None:
        self._running.close()
        self._job.state = JobState(state)


def _described(job: CustomJob) -> str:
    """Who the machines would be, where, and how they would be scheduled."""
    spec = job.job_spec
    said = {
        "labels": dict(job.labels),
        "service_account": spec.service_account,
        "network": spec.network,
        "timeout": str(spec.scheduling.timeout),
        "strategy": spec.scheduling.strategy.name,
    }
    return ", ".join(f"{name} {value}" for name, value in said.items() if value)


def _started(pools: Any, stack: contextlib.ExitStack, *, exposed: bool) -> list[Any]:
    """A process for each machine; they are killed when the stack is closed."""
    tasks = [
        (_JOBS[index], number)
        for index, pool in enumerate(pools)
        for number in range(pool.replica_count)
    ]
    commands = [list(pools[_JOBS.index(job)].container_spec.command) for job, _ in tasks]
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
    return processes


def _succeed(processes: list[subprocess.Popen[bytes]]) -> bool:
    """Whether all end well; at the first that does not, the others are not waited for."""
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
