"""The processes of the cluster: how one is started, watched and ended with all that it starts."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc

from components.processes import without_secrets

_LAST_LINES = 30
_START_SECONDS = 300  # of imports, some 20 s and more on a busy machine
_STOP_SECONDS = 15
_LOOK_SECONDS = 0.1


class ClusterError(Exception):
    """What the person who starts the cluster must know."""


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
                env={**without_secrets(os.environ), "PATH": path, "TF_USE_LEGACY_KERAS": "1"},
            )
        return {"pid": self._process.pid, "started": started(self._process.pid)}

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
        last = last_lines(self._log.read_text(encoding="utf-8", errors="replace"))
        return f"{self.name} {what}; the end of {self._log}:\n{last}"


def last_lines(text: str) -> str:
    """The end of what a program wrote: the cause is mostly there."""
    return "\n".join(text.splitlines()[-_LAST_LINES:])


def _answers(port: int) -> bool:
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=1)
        except grpc.FutureTimeoutError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens at just now."""
    with socket.socket() as one:
        one.bind(("localhost", 0))
        port: int = one.getsockname()[1]
    return port


def is_taken(port: int) -> bool:
    """Whether somebody listens at a port."""
    with socket.socket() as one:
        return one.connect_ex(("localhost", port)) == 0


def end_group(group: int) -> None:
    """Ends all processes of a group: asks them first, and kills them when time is up."""
    deadline = time.monotonic() + _STOP_SECONDS
    while _has_members(group):
        late = time.monotonic() > deadline
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL if late else signal.SIGTERM)
        time.sleep(_LOOK_SECONDS)


def _has_members(group: int) -> bool:
    stats = (_stat(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return any(fields and fields[2] == str(group) for fields in stats)


def _stat(pid: int | str) -> list[str] | None:
    """The fields of a process after its name; None: there is none, or only its end is left."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields


def started(pid: int) -> str | None:
    """When a process was started, in the kernel's ticks: a number may be another's later."""
    fields = _stat(pid)
    return fields[19] if fields else None
