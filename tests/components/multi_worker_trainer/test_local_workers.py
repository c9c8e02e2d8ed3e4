"""Real processes, without TensorFlow: what they say, how they end, that none is left."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from components.multi_worker_trainer import local_workers
from tests import networks
from trainer_module.errors import InputError

needs_namespaces = pytest.mark.skipif(
    not networks.ALLOWED, reason="the kernel allows no namespaces here"
)
# A worker that beats, writes its TF_CONFIG and process id to a folder, waits until all are there,
# and then does what the test wants of it.
_WORKER = """
import glob, json, os, sys, time
from components.multi_worker_trainer import worker
worker.begin()
config = json.loads(os.environ["TF_CONFIG"])
index, folder = config["task"]["index"], sys.argv[1]
with open(f"{folder}/{index}.part", "w") as file:
    json.dump({"pid": os.getpid(), **config}, file)
os.rename(f"{folder}/{index}.part", f"{folder}/{index}.json")
while len(glob.glob(f"{folder}/*.json")) < len(config["cluster"]["worker"]):
    time.sleep(0.01)
def wait():
    time.sleep(100)
"""


def run(
    folder: Path,
    then: str,
    number: int = 2,
    silent_seconds: float = 30,
    exposed: bool = not networks.ALLOWED,
) -> None:
    local_workers.run(
        [sys.executable, "-c", _WORKER + then, str(folder)],
        number,
        exposed=exposed,
        silent_seconds=silent_seconds,
    )


def processes(folder: Path) -> list[int]:
    return [json.loads(path.read_text())["pid"] for path in sorted(folder.glob("*.json"))]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def assert_gone(pids: list[int], within: float = 0) -> None:
    deadline = time.monotonic() + within
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline, "a worker is left"
        time.sleep(0.01)


def refusal(folder: Path, then: str, silent_seconds: float = 30) -> str:
    with pytest.raises(InputError) as caught:
        run(folder, then, silent_seconds=silent_seconds)
    assert len(processes(folder)) == 2
    assert_gone(processes(folder))
    return str(caught.value)


def test_each_has_its_place_in_one_cluster(tmp_path: Path) -> None:
    run(tmp_path, "", number=3)
    configs = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("*.json"))]
    assert [config["task"] for config in configs] == [
        {"type": "worker", "index": index} for index in range(3)
    ]
    [cluster] = {tuple(config["cluster"]["worker"]) for config in configs}
    assert len(set(cluster)) == 3
    assert all(address.startswith("127.0.0.1:") for address in cluster)


def test_what_they_say_has_their_names_in_front(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, "print('out', index); print('err', index, file=sys.stderr)")
    out, err = capfd.readouterr()
    assert sorted(out.splitlines()) == ["worker 0: out 0", "worker 1: out 1"]
    assert sorted(err.splitlines()) == ["worker 0: err 0", "worker 1: err 1"]


# Listens on all addresses at its own port, as TensorFlow's server does, until the test has tried to
# connect; then connects to the other worker.
_LISTEN = """
import socket
ports = [int(address.rpartition(":")[2]) for address in config["cluster"]["worker"]]
server = socket.create_server(("", ports[index]), family=socket.AF_INET6, dualstack_ipv6=True)
open(f"{folder}/{index}.listens", "w").close()
while len(glob.glob(f"{folder}/*.listens")) < 2 or not os.path.exists(f"{folder}/tried"):
    time.sleep(0.01)
socket.create_connection(("127.0.0.1", ports[1 - index]), 5)
open(f"{folder}/{index}.reached", "w").close()
while len(glob.glob(f"{folder}/*.reached")) < 2:  # who ends listens no more
    time.sleep(0.01)
"""


def reached_ports(folder: Path, exposed: bool) -> list[bool]:
    """Whether this process reaches each of two workers while they reach each other."""
    reached: list[bool] = []

    def stranger() -> None:
        while len(list(folder.glob("*.listens"))) < 2:
            time.sleep(0.01)
        config = json.loads((folder / "0.json").read_text())
        for address in config["cluster"]["worker"]:
            host, _, port = address.rpartition(":")
            with socket.socket() as one:
                reached.append(one.connect_ex((host, int(port))) == 0)
        (folder / "tried").touch()

    thread = threading.Thread(target=stranger, daemon=True)
    thread.start()
    run(folder, _LISTEN, exposed=exposed)
    thread.join()
    return reached


@needs_namespaces
def test_no_stranger_reaches_workers_that_reach_each_other(tmp_path: Path) -> None:
    assert reached_ports(tmp_path, exposed=False) == [False, False]


def test_whoever_wants_it_reaches_exposed_workers(tmp_path: Path) -> None:
    assert reached_ports(tmp_path, exposed=True) == [True, True]


def test_where_no_network_can_be_made_workers_are_refused(tmp_path: Path) -> None:
    script = (
        "import sys; from components.multi_worker_trainer import local_workers\n"
        "local_workers.run([sys.executable, '-c', *sys.argv[1:]], 2)"
    )
    command = [sys.executable, "-c", script, _WORKER, str(tmp_path)]
    ended = subprocess.run(networks.refusing(command), check=False, capture_output=True, text=True)
    assert "(unshare: Operation not permitted)" in ended.stderr
    assert ended.stderr.rstrip().endswith("trainer.expose_workers=true")
    assert processes(tmp_path) == []


@pytest.mark.parametrize("exposed", [pytest.param(False, marks=needs_namespaces), True])
def test_workers_are_not_given_the_secrets_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exposed: bool
) -> None:
    for name in ("MYSQL_PWD", "AWS_SECRET_ACCESS_KEY", "HARMLESS"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy:80")
    then = f"json.dump(dict(os.environ), open({str(tmp_path)!r} + f'/{{index}}.environment', 'w'))"
    run(tmp_path, then, exposed=exposed)
    for index in range(2):
        environment = json.loads((tmp_path / f"{index}.environment").read_text())
        assert environment["HARMLESS"] == "x"
        assert "MYSQL_PWD" not in environment
        assert "HTTPS_PROXY" not in environment
        # They may write to a bucket, which others reach by no network.
        assert ("AWS_SECRET_ACCESS_KEY" in environment) is exposed


def test_a_worker_that_fails_ends_the_others(tmp_path: Path) -> None:
    said = refusal(tmp_path, "wait() if index == 0 else sys.exit('no more')")
    assert said.startswith("worker 1 of 2 ended with code 1; its last words: no more;")
    assert said.endswith("the same command goes on from the last checkpoint")


def test_a_killed_worker_is_named(tmp_path: Path) -> None:
    said = refusal(
        tmp_path, "print('at work', flush=True)\nwait() if index else os.kill(os.getpid(), 9)"
    )
    assert said.startswith(
        "worker 0 of 2 was ended by SIGKILL (the machine may have run out of memory); "
        "its last words: at work;"
    )


def test_an_input_error_is_passed_on_as_it_is(tmp_path: Path) -> None:
    then = "from trainer_module import errors\nif index: raise errors.InputError('hot')\nwait()"
    assert refusal(tmp_path, then) == "hot"


@pytest.mark.slow
def test_a_worker_that_hangs_ends_the_run(tmp_path: Path) -> None:
    then = "print('here', flush=True)\nwait() if index else os.kill(os.getpid(), 19)"  # SIGSTOP
    said = refusal(tmp_path, then, silent_seconds=3)
    assert said.startswith("worker 0 of 2 has hung for 3 seconds; its last words: here;")


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    exposed = not networks.ALLOWED
    script = (
        "import sys; from components.multi_worker_trainer import local_workers\n"
        f"local_workers.run([sys.executable, '-c', *sys.argv[1:]], 2, exposed={exposed})"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, _WORKER + "wait()", str(tmp_path)])
    deadline = time.monotonic() + 60
    while len(processes(tmp_path)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert_gone(processes(tmp_path), within=10)
