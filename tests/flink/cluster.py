"""Starts and stops Beam on Flink on this machine, for the tests.

Two processes, on the loopback interface alone: a job server with a Flink cluster inside it, and
Beam's worker pool, which starts the Python workers that Flink asks for. Run it in the root of the
tree by the Python of the installed project. It needs a JDK, 11 or later, and Maven, which fetches
Flink the first time.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.flink.processes import (
    ClusterError,
    Service,
    end_group,
    free_port,
    is_taken,
    last_lines,
    started,
)

HERE = Path(__file__).resolve().parent
BUILT = HERE / "target"
STATE_FILE = "state.json"
# Of Beam's own, and pipeline/config.py's.
JOB_PORT, WORKER_PORT = 8099, 50_000
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
        raise ClusterError(f"Maven failed:\n{last_lines(ended.stdout + ended.stderr)}")
    built.write_text(digest, encoding="utf-8")


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
    job_server = Service(state, "job-server", job_port or free_port())
    worker_pool = Service(state, "worker-pool", worker_port or free_port())
    for service in (job_server, worker_pool):
        if is_taken(service.port):
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
        if process["started"] and started(process["pid"]) == process["started"]
    }


def stop(state: Path) -> None:
    """Ends the cluster with all that it has started; nothing happens if there is none."""
    for process in _known(state).values():
        # The number of a group is nobody else's as long as one of its members lives.
        if started(process["pid"]) in (None, process["started"]):
            end_group(process["pid"])
    (state / STATE_FILE).unlink(missing_ok=True)
    shutil.rmtree(state / "tmp", ignore_errors=True)


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
    parser = argparse.ArgumentParser(prog="python -m tests.flink.cluster", description=__doc__)
    parser.add_argument("command", choices=("start", "stop", "status"))
    parser.add_argument(
        "--state",
        type=Path,
        default=HERE / "state",
        help="folder for logs and what is known of the processes (tests/flink/state)",
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
        print(f"tests.flink.cluster: {error}", file=sys.stderr)
        return 1
    if given.command == "stop":
        print("stopped")
        return 0
    return 0 if show(given.state) else 1


if __name__ == "__main__":
    sys.exit(main())
