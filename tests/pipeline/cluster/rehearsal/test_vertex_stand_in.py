"""Real processes in place of the machines of a custom job."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from google.cloud.aiplatform_v1.types import JobState

from components.multi_worker_trainer import vertex
from pipeline.cluster.rehearsal.vertex_stand_in import JobService
from tests import networks

# Writes its TF_CONFIG, and then does what the test wants of it.
_MACHINE = """
import json, os, sys
config = json.loads(os.environ["TF_CONFIG"])
task = config["task"]
name = f"{task['type']}-{task['index']}"
with open(os.path.join(sys.argv[1], name), "w") as file:
    network = os.readlink("/proc/self/ns/net")
    json.dump({"pid": os.getpid(), "network": network, **config}, file)
"""


@pytest.fixture(autouse=True)
def _where_it_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobService, "exposed", not networks.ALLOWED)


def job(folder: Path, workers: int, then: str = "") -> dict[str, Any]:
    spec = vertex.job_spec(
        image="registry/i:1", machine_type="m", workers=workers, timeout_hours=1, spot=False
    )[vertex.JOB_SPEC]
    for pool in spec["worker_pool_specs"]:
        pool["container_spec"]["command"] = [sys.executable, "-c", _MACHINE + then, str(folder)]
    return {"display_name": "job", "job_spec": spec, "labels": {}, "encryption_spec": {}}


def state_of(custom_job: dict[str, Any]) -> JobState:
    service = JobService(client_options={"api_endpoint": "here-aiplatform.googleapis.com"})
    name = service.create_custom_job("projects/words", custom_job).name
    state: JobState = service.get_custom_job(name, retry=None).state
    return state


def test_each_machine_is_a_process_with_its_place_in_the_cluster(tmp_path: Path) -> None:
    assert state_of(job(tmp_path, 3)) == JobState.JOB_STATE_SUCCEEDED
    configs = {path.name: json.loads(path.read_text()) for path in tmp_path.iterdir()}
    assert sorted(configs) == ["chief-0", "worker-0", "worker-1"]
    [cluster] = {json.dumps(config["cluster"]) for config in configs.values()}
    sizes = {name: len(addresses) for name, addresses in json.loads(cluster).items()}
    assert sizes == {"chief": 1, "worker": 2}


@pytest.mark.skipif(not networks.ALLOWED, reason="the kernel allows no namespaces here")
def test_the_machines_share_a_network_of_their_own(tmp_path: Path) -> None:
    state_of(job(tmp_path, 2))
    [network] = {json.loads(path.read_text())["network"] for path in tmp_path.iterdir()}
    assert network != os.readlink("/proc/self/ns/net")


def test_exposed_machines_are_in_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobService, "exposed", True)
    state_of(job(tmp_path, 2))
    [network] = {json.loads(path.read_text())["network"] for path in tmp_path.iterdir()}
    assert network == os.readlink("/proc/self/ns/net")


def test_a_machine_that_fails_ends_the_job_and_the_others(tmp_path: Path) -> None:
    then = "\nimport time\nif name == 'worker-0': sys.exit(3)\ntime.sleep(100)"
    assert state_of(job(tmp_path, 2, then)) == JobState.JOB_STATE_FAILED
    for path in tmp_path.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(json.loads(path.read_text())["pid"], 0)


def test_a_job_that_is_cancelled_ends_its_machines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = JobService(client_options={"api_endpoint": "here-aiplatform.googleapis.com"})
    name = service.create_custom_job(
        "projects/words", job(tmp_path, 2, "\nimport time\ntime.sleep(100)")
    ).name
    service.cancel_custom_job(name, timeout=1)
    assert service.get_custom_job(name, retry=None).state == JobState.JOB_STATE_CANCELLED
    assert f"{name} cancelled" in capsys.readouterr().out
    for path in tmp_path.iterdir():  # of those that came so far
        with pytest.raises(ProcessLookupError):
            os.kill(json.loads(path.read_text())["pid"], 0)


def test_what_vertex_would_not_take_is_refused(tmp_path: Path) -> None:
    custom_job = job(tmp_path, 1)
    custom_job["job_spec"]["worker_pool_specs"][0]["machines"] = 3
    with pytest.raises(ValueError, match="machines"):
        state_of(custom_job)
