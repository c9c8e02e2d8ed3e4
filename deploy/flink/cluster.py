#!/usr/bin/env python3
"""Starts and stops Beam on Flink on this machine.

Two processes, on the loopback interface alone: a job server with a Flink cluster inside it, and
Beam's worker pool, which starts the Python workers that Flink asks for. Run it by the Python of the
installed project; it needs a JDK, 11 or later, and Maven, which fetches Flink the first time.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc

HERE = Path(__file__).resolve().parent
BUILT = HERE / "target"
STATE_FILE = "state.json"
# Of Beam's own, and pipeline/config.py's.
JOB_PORT, WORKER_PORT = 8099, 50_000
_LAST_LINES = 30
_START_SECONDS = 300  # of imports, some 20 s and more on a busy machine
_STOP_SECONDS = 15
_LOOK_SECONDS = 0.1
# Of Java 17 and later, which shut what Flink and Kryo look into (Flink's own env.java.opts.all).
_OPENED = (
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.text",
    "java.base/java.time",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/java.util.concurrent.locks",
    "java.base/sun.nio.ch",
)


class ClusterError(Exception):
    """What the person who starts the cluster must know."""


def build() -> None:
    """Compiles the job server and fetches what it needs, unless that is done already.

    Raises:
      ClusterError: Java or Maven is missing, or Maven failed.
    """
    for program in ("java", "mvn"):
        if not shutil.which(program):
            raise ClusterError(
                f"{program} is not on the PATH: install a JDK, 11 or later, and Maven"
            )
    sources = [HERE / "pom.xml", *sorted((HERE / "src").rglob("*.java"))]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    built = BUILT / "built"
    if built.is_file() and built.read_text(encoding="utf-8") == digest:
        return
    print("Fetching Flink and Beam's runner for it by Maven ...", flush=True)
    command = ["mvn", "--batch-mode", "--quiet", "clean", "package"]
    ended = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise ClusterError(f"Maven failed:\n{_last_lines(ended.stdout + ended.stderr)}")
    built.write_text(digest, encoding="utf-8")


def _last_lines(text: str) -> str:
    return "\n".join(text.splitlines()[-_LAST_LINES:])


class Service:
    """A process in a group of its own, with all that it starts, and a port at which it answers."""

    def __init__(self, state: Path, name: str, port: int):
        self._log = state / f"{name}.log"
        self.name, self.port = name, port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str]) -> dict[str, Any]:
        """Starts it; returns what `stop` needs."""
        # As the image does: the Python of the project is the first that is found.
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PATH": path, "TF_USE_LEGACY_KERAS": "1"},
            )
        return {"pid": self._process.pid, "started": _started(self._process.pid)}

    def wait_until_it_answers(self) -> None:
        """Waits for the port.

        Raises:
          ClusterError: the process ended, or does not answer in time.
        """
        assert self._process
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(self.port):
            if (code := self._process.poll()) is not None:
                raise ClusterError(self._failure(f"ended with exit code {code}"))
            if time.monotonic() > deadline:
                raise ClusterError(self._failure(f"has not answered for {_START_SECONDS} s"))

    def _failure(self, what: str) -> str:
        last = _last_lines(self._log.read_text(encoding="utf-8", errors="replace"))
        return f"{self.name} {what}; the end of {self._log}:\n{last}"


def _answers(port: int) -> bool:
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=1)
        except grpc.FutureTimeoutError:
            return False
    return True


def _stat(pid: int | str) -> list[str] | None:
    """The fields of a process after its name; None: there is none, or only its end is left."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields


def _started(pid: int) -> str | None:
    """When a process was started, in the kernel's ticks: a number may be another's later."""
    fields = _stat(pid)
    return fields[19] if fields else None


def _job_server_command(port: int, state: Path) -> list[str]:
    opened = [f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED]
    temporary = state / "tmp"
    temporary.mkdir(exist_ok=True)
    jars = [*sorted(BUILT.glob("*.jar")), *sorted((BUILT / "lib").glob("*.jar"))]
    return [
        "java",
        *opened,
        f"-Djava.io.tmpdir={temporary}",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
        "-classpath",
        os.pathsep.join(map(str, jars)),
        "skipgram.JobServer",
        str(port),
        str(HERE / "conf"),
        str(state / "staged"),
    ]


def _worker_pool_command(port: int) -> list[str]:
    return [sys.executable, str(HERE / "worker_pool.py"), str(port)]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("localhost", 0))
        port: int = one.getsockname()[1]
    return port


def start(state: Path, job_port: int, worker_port: int) -> None:
    """Starts the cluster and waits until it answers.

    Args:
      state: folder for what is known of the processes, their logs and temporary files.
      job_port, worker_port: on the loopback interface; 0: a free one.

    Raises:
      ClusterError: it runs already, or could not be started; then nothing is left running.
    """
    if running := _running(state):
        raise ClusterError(f"{' and '.join(running)} of {state} runs already: stop it first")
    build()
    state.mkdir(parents=True, exist_ok=True)
    state = state.resolve()
    job_server = Service(state, "job-server", job_port or _free_port())
    worker_pool = Service(state, "worker-pool", worker_port or _free_port())
    for service in (job_server, worker_pool):
        if _is_taken(service.port):
            raise ClusterError(f"port {service.port} for the {service.name} is taken")
    known: dict[str, Any] = {}
    try:
        for service, command in (
            (job_server, _job_server_command(job_server.port, state)),
            (worker_pool, _worker_pool_command(worker_pool.port)),
        ):
            known[service.name] = {"port": service.port, **service.start(command)}
            (state / STATE_FILE).write_text(json.dumps(known, indent=2), encoding="utf-8")
        for service in (job_server, worker_pool):
            service.wait_until_it_answers()
    except BaseException:
        stop(state)
        raise


def _is_taken(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("localhost", port)) == 0


def _known(state: Path) -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads((state / STATE_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return known


def _running(state: Path) -> dict[str, Any]:
    """The processes of `start` that still run; a number that is now another's does not count."""
    return {
        name: process
        for name, process in _known(state).items()
        if process["started"] and _started(process["pid"]) == process["started"]
    }


def stop(state: Path) -> None:
    """Ends the cluster with all that it has started; nothing happens if there is none."""
    for process in _known(state).values():
        # The number of a group is nobody else's as long as one of its members lives.
        if _started(process["pid"]) in (None, process["started"]):
            _end_group(process["pid"])
    (state / STATE_FILE).unlink(missing_ok=True)
    shutil.rmtree(state / "tmp", ignore_errors=True)


def _end_group(group: int) -> None:
    deadline = time.monotonic() + _STOP_SECONDS
    while _has_members(group):
        late = time.monotonic() > deadline
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL if late else signal.SIGTERM)
        time.sleep(_LOOK_SECONDS)


def _has_members(group: int) -> bool:
    stats = (_stat(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return any(fields and fields[2] == str(group) for fields in stats)


def show(state: Path) -> bool:
    """Prints what runs, and the settings for it; returns whether all of it does."""
    running = _running(state)
    for name in ("job-server", "worker-pool"):
        process = running.get(name)
        print(
            f"{name}: " + ("localhost:{port}, process {pid}".format(**process) if process else "-")
        )
    if len(running) < 2:
        return False
    job_server, worker_pool = (running[name]["port"] for name in ("job-server", "worker-pool"))
    print(
        "skipgram run --set beam.runner=flink"
        f" --set beam.job_endpoint=localhost:{job_server}"
        f" --set beam.worker_pool=localhost:{worker_pool}"
    )
    return True


def main() -> int:
    """Does what the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("start", "stop", "status"))
    parser.add_argument(
        "--state",
        type=Path,
        default=HERE / "state",
        help="folder for logs and what is known of the processes (deploy/flink/state)",
    )
    parser.add_argument("--job-port", type=int, default=JOB_PORT, help=f"{JOB_PORT}; 0: a free one")
    parser.add_argument(
        "--worker-port", type=int, default=WORKER_PORT, help=f"{WORKER_PORT}; 0: a free one"
    )
    given = parser.parse_args()
    try:
        if given.command == "stop":
            stop(given.state)
        elif given.command == "start":
            start(given.state, given.job_port, given.worker_port)
    except ClusterError as error:
        print(f"deploy/flink/cluster.py: {error}", file=sys.stderr)
        return 1
    if given.command == "stop":
        print("stopped")
        return 0
    return 0 if show(given.state) else 1


if __name__ == "__main__":
    sys.exit(main())
