"""The processes of a rehearsal's nodes: forks of one that has imported TFX, or programs."""

import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from pipeline.cluster.rehearsal import node_server
from pipeline.cluster.rehearsal.node_server import Node
from trainer_module.errors import InputError

_LOOK_SECONDS = 1.0
_PYTHON = "python"
_LONGEST_ARGUMENT = (1 << 17) - 1  # bytes: Linux's MAX_ARG_STRLEN, without the zero at the end


class Place(NamedTuple):
    """Where a node runs."""

    environment: Mapping[str, str]
    folder: Path
    log: Path


class NodeProcesses:
    """Runs the commands of nodes, each in a session of its own."""

    def __init__(self, python: Path, place: Place, modules: Sequence[str]):
        """Starts the process that nodes are forked from.

        Args:
          python: the folder of their interpreter.
          place: of the process that imports.
          modules: what it imports.
        """
        self._python = python
        self._environment = place.environment
        ours, theirs = multiprocessing.Pipe()
        self._connection = ours
        command = [str(python / _PYTHON), "-P", "-m", node_server.__name__]
        with theirs, place.log.open("wb") as log:
            self._server = subprocess.Popen(
                [*command, str(theirs.fileno()), str(os.getpid()), *modules],
                env=place.environment,
                cwd=place.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._server.kill()
        self._server.wait()

    def wait_for_imports(self, look: Callable[[], None]) -> None:
        """Waits until the process has imported all, before the first node.

        If it ends instead, nodes start without it.

        Args:
          look: is called now and then meanwhile.
        """
        try:
            self._received(look)
        except EOFError:
            self._server.wait()

    def run(self, command: Sequence[str], place: Place, look: Callable[[], None]) -> int:
        """Runs a command to its end, and ends all that it has started.

        Args:
          command: a program and its arguments; the program is looked up in the place's PATH.
          place: where it runs.
          look: is called now and then meanwhile.

        Returns:
          The exit code, negative after a signal.

        Raises:
          InputError: there is no such program, or Linux would not start it.
        """
        program = shutil.which(command[0], path=place.environment["PATH"])
        if program is None:
            raise InputError(f"there is no program {command[0]!r}")
        longest = max(len(word.encode()) for word in command)
        if longest > _LONGEST_ARGUMENT:  # a fork has no such limit
            raise InputError(
                f"an argument of its command has {longest:,} bytes, and Linux takes "
                f"{_LONGEST_ARGUMENT:,} at most: give the node less to be told"
            )
        is_ours = program == str(self._python / _PYTHON) and self._server.poll() is None
        if is_ours and (node := self._node(command[1:], place)):
            return self._fork(node, look)
        return _run_program([program, *command[1:]], place, look)

    def _node(self, arguments: Sequence[str], place: Place) -> Node | None:
        """What to fork; None for what the interpreter is to do in another way."""
        isolated = list(arguments[:1]) == ["-P"]
        match arguments[isolated:]:
            case ["-m", module, *rest] if self._knows(place.environment):
                folder, log = str(place.folder), str(place.log)
                return Node(module, rest, dict(place.environment), folder, log, isolated)
        return None

    def _knows(self, environment: Mapping[str, str]) -> bool:
        """Whether no variable is another one than where the imports were done, but for folders.

        What is read when a module is imported would be read too early otherwise.
        """
        changed = dict(environment.items() ^ self._environment.items())
        return changed.keys() <= {"HOME", "TMPDIR"}

    def _fork(self, node: Node, look: Callable[[], None]) -> int:
        self._connection.send(node)
        try:
            with _session(self._received(look)):
                return self._received(look)
        except EOFError:  # it has ended, and the node with it
            return self._server.wait()

    def _received(self, look: Callable[[], None]) -> int:
        """The next number from the process that nodes are forked from."""
        while not self._connection.poll(_LOOK_SECONDS):
            look()
        received: int = self._connection.recv()
        return received


def _run_program(command: Sequence[str], place: Place, look: Callable[[], None]) -> int:
    with place.log.open("ab") as log:
        process = subprocess.Popen(
            command,
            env=place.environment,
            cwd=place.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with _session(process.pid):
        while True:
            try:
                return process.wait(_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                look()


@contextlib.contextmanager
def _session(leader: int) -> Iterator[None]:
    """Ends all processes of a session afterwards, also where we are interrupted."""
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)
