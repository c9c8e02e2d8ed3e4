"""The custom job: what Vertex is told of it, and that it ends with the node that waits for it."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core.exceptions import ServiceUnavailable
from google.cloud.aiplatform_v1.types import CustomJob, JobState, Scheduling

from components.multi_worker_trainer import vertex, vertex_job

_PLACE = {
    "project": "words",
    "region": "europe-west4",
    "service_account": "trainer@words.iam.gserviceaccount.com",
    "network": "projects/12/global/networks/quiet",
    "labels": '{"team": "search"}',
}


def job_spec(**changes: Any) -> dict[str, Any]:
    given = {
        "image": "registry/skipgram:1",
        "machine_type": "n1-standard-8",
        "workers": 3,
        "timeout_hours": 5,
        "spot": False,
    }
    return vertex.job_spec(**{**given, **changes})


def properties(**changes: Any) -> dict[str, Any]:
    config = {"seed": 1, "trainer": {"workers": 3}, **job_spec(**changes)}
    return {"custom_config": json.dumps(config), "epochs": 2, "output": "gs://b/o", **_PLACE}


def test_vertex_takes_the_job_as_it_is_described() -> None:
    asked = vertex.asked_of_vertex(properties(spot=True))
    assert (asked.project, asked.region) == ("words", "europe-west4")
    job = CustomJob(asked.job)  # raises at a field that Vertex does not know
    assert dict(job.labels) == {"team": "search"}
    assert job.job_spec.service_account == "trainer@words.iam.gserviceaccount.com"
    assert job.job_spec.network == "projects/12/global/networks/quiet"
    assert [pool.replica_count for pool in job.job_spec.worker_pool_specs] == [1, 2]
    for pool in job.job_spec.worker_pool_specs:
        assert pool.machine_spec.machine_type == "n1-standard-8"
        assert pool.container_spec.image_uri == "registry/skipgram:1"
    scheduling = job.job_spec.scheduling
    assert scheduling.restart_job_on_worker_restart
    assert scheduling.timeout.total_seconds() == 18_000
    assert scheduling.strategy == Scheduling.Strategy.SPOT


def test_what_is_not_named_is_left_to_vertex() -> None:
    given = {**properties(workers=1), "service_account": "", "network": "", "labels": "{}"}
    job = CustomJob(vertex.asked_of_vertex(given).job)
    assert not job.job_spec.service_account
    assert not job.job_spec.network
    assert not job.labels
    assert len(job.job_spec.worker_pool_specs) == 1
    assert job.job_spec.scheduling.strategy == Scheduling.Strategy.STRATEGY_UNSPECIFIED


@pytest.mark.parametrize(
    "changed",
    [
        properties(machine_type="n1-highmem-16"),
        properties(image="registry/skipgram:2"),
        properties(timeout_hours=48, spot=True),
        {**properties(), "service_account": "", "network": "", "labels": "{}"},
        {**properties(), "region": "us-central1", "project": "others"},
    ],
)
def test_training_sees_nothing_of_machines_and_places(changed: dict[str, Any]) -> None:
    """So its checkpoint is the same one."""
    seen = vertex.asked_of_vertex(changed).machines_properties
    assert seen == vertex.asked_of_vertex(properties()).machines_properties
    assert json.loads(seen["custom_config"]) == {"seed": 1, "trainer": {"workers": 3}}
    assert sorted(seen) == ["custom_config", "epochs", "output"]


class _Job:
    """A client whose job goes through states."""

    def __init__(self, *states: JobState | Exception) -> None:
        self._states = list(states)
        self.did: list[str] = []

    def launch_job(self, project: str, job: object) -> None:
        self.did.append(f"launched in {project}")

    def create_client(self) -> None:
        self.did.append("connected anew")

    def get_job_name(self) -> str:
        return "customJobs/7"

    def get_job(self) -> Any:
        state = self._states.pop(0)
        if isinstance(state, Exception):
            raise state
        return SimpleNamespace(state=state, error=SimpleNamespace(message="no machine was left"))

    def cancel(self) -> None:
        self.did.append("cancelled")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vertex_job, "_POLL_SECONDS", 0.0)


def test_a_job_is_waited_for_through_an_outage() -> None:
    gone = ServiceUnavailable("try again")
    client = _Job(JobState.JOB_STATE_QUEUED, *[gone] * 5, JobState.JOB_STATE_SUCCEEDED)
    before = signal.getsignal(signal.SIGTERM)
    vertex_job.run(client, "words", {})
    assert client.did == ["launched in words", *["connected anew"] * 5]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("name", ["FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED"])
def test_a_job_that_ended_otherwise_fails_the_node(name: str) -> None:
    client = _Job(JobState.JOB_STATE_RUNNING, JobState[f"JOB_STATE_{name}"])
    with pytest.raises(
        RuntimeError, match=rf"customJobs/7 ended as JOB_STATE_{name} \(no machine was left\)"
    ):
        vertex_job.run(client, "words", {})
    assert "cancelled" not in client.did


def test_a_job_that_nobody_waits_for_is_cancelled() -> None:
    client = _Job(*[ServiceUnavailable("try again")] * 6)
    with pytest.raises(ServiceUnavailable):
        vertex_job.run(client, "words", {})
    assert client.did[-1] == "cancelled"


_NODE = textwrap.dedent(
    """
    import json, sys
    from google.cloud.aiplatform import gapic
    from pipeline.cluster.rehearsal import vertex_stand_in

    vertex_stand_in.JobService.exposed = True
    gapic.JobServiceClient = vertex_stand_in.JobService
    from components.multi_worker_trainer import vertex

    vertex.Executor().Do({}, {}, json.loads(sys.argv[1]))
    """
)


@pytest.mark.slow
def test_a_node_that_is_told_to_end_cancels_its_job(tmp_path: Path) -> None:
    # What Vertex would run on each machine is `python ...`: here it says who it is, and stays.
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho "machine $$"\nexec sleep 600\n')
    program.chmod(0o755)
    node = subprocess.Popen(
        [sys.executable, "-c", _NODE, json.dumps(properties(workers=2))],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert node.stdout is not None
    machines: list[int] = []
    with node:
        while len(machines) < 2:
            words = node.stdout.readline().split()
            assert words, "the node ended before its machines ran"
            machines += [int(words[1])] if words[0] == "machine" else []
        node.send_signal(signal.SIGTERM)
        assert "projects/words/locations/europe-west4/customJobs/1 cancelled" in node.stdout.read()
    assert node.returncode == 143
    assert not [pid for pid in machines if Path(f"/proc/{pid}").exists()]
