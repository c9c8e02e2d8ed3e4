"""Starts the workers of a group on this machine and watches them until all have ended."""

import collections
import contextlib
import multiprocessing.connection
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, NoReturn

from components.multi_worker_trainer.private_network import Network, private_network
from components.processes import ending_signal, free_ports, hint_at_memory, without_secrets
from trainer_module.errors import InputError
from trainer_module.workers.cluster import TF_CONFIG, tf_config

# A worker writes a byte a second to this descriptor. So the parent notices a worker that hangs, and
# a worker notices that its parent is gone.
HEARTBEAT = "SKIPGRAM_HEARTBEAT"
# Enough for a busy machine: a Python thread gets its turn far more often.
_SILENT_SECONDS = 30.0
# Before the first beat: until TensorFlow is loaded, 40 seconds on a machine with other work.
_STARTING_SECONDS = 300.0
_LOOK_SECONDS = 0.5
_LONGEST = 300  # characters of last words
# Variables that open the buckets which workers with this machine's network may write to.
_OF_BUCKETS = ("AWS_", "AZURE_", "CLOUDSDK_", "GOOGLE_")
# What an uncaught exception's last line begins with.
_INPUT_ERROR = f"{InputError.__module__}.{InputError.__qualname__}: "


class _Process:
    """A worker's process and what it says."""

    def __init__(
        self,
        command: Sequence[str],
        index: int,
        cluster: Mapping[str, Sequence[str]],
        network: Network,
    ):
        self.name = f"worker {index}"
        self.heartbeat, own_end = os.pipe()
        try:
            self._popen = subprocess.Popen(
                network.command(command),
                env={
                    **without_secrets(os.environ, () if network.namespaces else _OF_BUCKETS),
                    TF_CONFIG: tf_config(cluster, "worker", index),
                    HEARTBEAT: str(own_end),
                    "PYTHONUNBUFFERED": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[own_end, *network.namespaces],
                text=True,
                errors="replace",
            )
        finally:
            os.close(own_end)
        self._limit, self._last_beat = _STARTING_SECONDS, time.monotonic()
        self._said: collections.deque[str] = collections.deque(maxlen=20)
        streams = ((self._popen.stdout, sys.stdout), (self._popen.stderr, sys.stderr))
        self._readers = [threading.Thread(target=self._pass_on, args=pair) for pair in streams]
        for reader in self._readers:
            reader.start()

    def _pass_on(self, source: IO[str], sink: IO[str]) -> None:
        for line in source:
            self._said.append(line.strip())
            print(f"{self.name}: {line.rstrip()}", file=sink, flush=True)

    def listen(self, silent_seconds: float) -> bool:
        """Takes what is in the pipe; False when the process has ended.

        Args:
          silent_seconds: after which it hangs from now on.
        """
        beat = os.read(self.heartbeat, 1 << 10)
        self._limit, self._last_beat = silent_seconds, time.monotonic()
        return bool(beat)

    def seconds_of_hanging(self) -> float:
        """How long it has been silent, if that is too long; else 0."""
        silent = time.monotonic() - self._last_beat
        return silent if silent > self._limit else 0.0

    def exit_code(self) -> int:
        """Waits for the end, and for all that was said."""
        code = self._popen.wait()
        for reader in self._readers:
            reader.join()
        return code

    def end(self) -> None:
        self._popen.kill()
        self.exit_code()
        os.close(self.heartbeat)

    def last_words(self) -> str:
        return next((line for line in reversed(self._said) if line), "nothing")[:_LONGEST]


def are_wanted(number: int) -> bool:
    """Whether `number` workers are processes of this machine: TF_CONFIG may name others instead."""
    return number > 1 and not os.environ.get(TF_CONFIG)


def require_network() -> None:
    """Checks that workers can be kept from strangers.

    Raises:
      InputError: the kernel allows no network of their own.
    """
    with workers_network(exposed=False):
        pass


@contextlib.contextmanager
def workers_network(*, exposed: bool) -> Iterator[Network]:
    """The network of workers: one that nobody else is in.

    Args:
      exposed: this machine's instead.

    Raises:
      InputError: the kernel allows no network of their own.
    """
    with contextlib.ExitStack() as stack:
        try:
            network = Network() if exposed else stack.enter_context(private_network())
        except OSError as error:
            raise InputError(
                "several workers need a network of their own, and this machine allows none here "
                f"({error.strerror}): without it whoever reaches one of its addresses could read "
                "and write files as you. Allow user namespaces, or set trainer.workers=1, or, "
                "where no stranger reaches this machine, trainer.expose_workers=true"
            ) from error
        yield network


def run(
    command: Sequence[str],
    number: int,
    *,
    exposed: bool = False,
    silent_seconds: float = _SILENT_SECONDS,
) -> None:
    """Runs a command in `number` processes. TF_CONFIG tells each its place.

    Args:
      command: must beat (see worker.py).
      number: of workers.
      exposed: whether they are in the network of this machine; else they have one of their own, in
        which they reach each other and nothing else.
      silent_seconds: a worker without a heartbeat for so long counts as hung.

    Raises:
      InputError: a worker died or hung (the message has its last words), or raised an InputError;
        all workers have ended then. Or the kernel allows no network of their own.
    """
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(number)]}
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(workers_network(exposed=exposed))
        processes = []
        for index in range(number):
            processes.append(_Process(command, index, cluster, network))
            stack.callback(processes[-1].end)
        _watch(processes, silent_seconds)


def _watch(processes: Sequence[_Process], silent_seconds: float) -> None:
    running = {process.heartbeat: process for process in processes}
    while running:
        ready = multiprocessing.connection.wait(list(running), _LOOK_SECONDS)
        for descriptor in ready:
            process = running[descriptor]  # type: ignore[index]
            if not process.listen(silent_seconds):
                del running[process.heartbeat]
                if code := process.exit_code():
                    _fail(process, len(processes), code)
        for process in running.values():
            if seconds := process.seconds_of_hanging():
                raise InputError(
                    f"{process.name} of {len(processes)} has hung for {seconds:.0f} "
                    f"seconds; its last words: {process.last_words()}; the same command goes on "
                    "from the last checkpoint"
                )


def _fail(process: _Process, number: int, code: int) -> NoReturn:
    words = process.last_words()
    if words.startswith(_INPUT_ERROR):
        raise InputError(words.removeprefix(_INPUT_ERROR))
    name, hint = ending_signal(code), hint_at_memory(code)
    how = f"was ended by {name}" if name else f"ended with code {code}"
    hint = f" ({hint})" if hint else ""
    raise InputError(
        f"{process.name} of {number} {how}{hint}; its last words: {words}; the same command goes "
        "on from the last checkpoint"
    )
