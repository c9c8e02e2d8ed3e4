"""Starts the nodes of a rehearsal from one process that has imported what they import.

A node that runs `python -m MODULE` becomes a fork of that process: with its own environment,
folder, log and session, but without the imports, which take longer than most nodes' work. What is
forked has imported TensorFlow and has not run it; `pipeline/local/runner.py` does the same.
"""

import contextlib
import importlib
import os
import runpy
import sys
import tempfile
import traceback
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection
from typing import NamedTuple, NoReturn

from components.processes import die_with, importing

_STDIN, _STDOUT, _STDERR = 0, 1, 2


class Node(NamedTuple):
    """A `python -m MODULE ARGUMENTS` to run."""

    module: str
    arguments: list[str]
    environment: Mapping[str, str]
    folder: str  # in which it starts
    log: str  # what it prints is added to
    is_isolated: bool  # python -P: without that folder among those of modules


def main(descriptor: int, parent: int, modules: Iterable[str]) -> None:
    """Imports, says so, and runs one node after the other until the other end is closed.

    For each node it sends the process id, then the exit code, as subprocess gives it.

    Args:
      descriptor: of a socket, on which Nodes come.
      parent: process id of who holds its other end.
      modules: what to import. What cannot be imported is left to the node that needs it.
    """
    die_with(parent)
    with importing():
        for module in modules:
            with contextlib.suppress(Exception):
                importlib.import_module(module)
    with Connection(descriptor) as connection:
        connection.send(None)
        with contextlib.suppress(EOFError):
            while True:
                _run(connection.recv(), connection)


def _run(node: Node, connection: Connection) -> None:
    server = os.getpid()
    if not (child := os.fork()):
        connection.close()
        die_with(server)
        _become(node)
    connection.send(child)
    _, status = os.waitpid(child, 0)
    connection.send(os.waitstatus_to_exitcode(status))


def _become(node: Node) -> NoReturn:
    os.setsid()
    os.chdir(node.folder)
    _open_as(_STDIN, os.devnull, os.O_RDONLY)
    _open_as(_STDOUT, node.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(_STDOUT, _STDERR)
    os.environ.clear()
    os.environ.update(node.environment)
    tempfile.tempdir = None  # to be found anew, by that environment
    # As the interpreter has it; see its -m and -P.
    sys.path[:0] = [] if node.is_isolated else [node.folder]
    sys.argv = [node.module, *node.arguments]
    code = _exit_code_of(node.module)
    sys.stdout.flush()
    sys.stderr.flush()
    # Without the interpreter's shutdown: threads of Beam and TensorFlow may not survive it.
    os._exit(code)


def _open_as(descriptor: int, path: str, flags: int) -> None:
    opened = os.open(path, flags, 0o644)
    os.dup2(opened, descriptor)
    os.close(opened)


def _exit_code_of(module: str) -> int:
    """Runs a module as the interpreter runs it by -m; the exit code that this would end with."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
