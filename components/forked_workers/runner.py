"""Beam's runner for one machine, with its stages divided over forks of this process.

Beam has two ways to divide the stages of a pipeline on one machine. Threads share what
tensorflow_transform holds of a stage, and lose counts. New processes import for 20 seconds each,
and are spoken to by servers that listen on all addresses, without authentication. Here the workers
are forks, which have everything imported, and each is spoken to through a pair of sockets that
nobody else can open: worker.py is the other end.
"""

import contextlib
import gc
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from apache_beam.options.pipeline_options import DirectOptions
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_fn_api_pb2 as fn_api
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.runners.worker import data_plane

from components import cores
from components.forked_workers.worker import become_worker, packed, unpacked
from components.processes import ending_signal, hint_at_memory

# Each holds a graph and batches of its own: some 300 MB.
_MOST_WORKERS = 8


_ahead: list["_Worker"] = []


def fork_ahead() -> None:
    """Forks the workers of the next ForkingRunner, before this process has other threads.

    TFX starts some for each component, of gRPC.
    """
    _ahead[:] = _new_workers()


class ForkingRunner(FnApiRunner):
    """Takes the workers that were forked ahead, or forks one a core when it is made.

    A fork has the thread alone that forked it. So nothing is forked in a process that has started
    others, as TensorFlow does with the first op it runs: the stages run in this process then.
    """

    def __init__(self) -> None:
        super().__init__()
        self._workers = list(_ahead) or _new_workers()
        _ahead.clear()

    def run_pipeline(self, pipeline: Any, options: Any) -> Any:
        """See FnApiRunner; ends the workers."""
        if not self._workers:
            return super().run_pipeline(pipeline, options)
        direct = options.view_as(DirectOptions)
        direct.direct_num_workers = len(self._workers)
        direct.direct_running_mode = "forked"  # none of Beam's, each of which has its own workers
        try:
            with _as_embedded_workers(self._workers):
                return super().run_pipeline(pipeline, options)
        except BaseException:
            for worker in self._workers:
                worker.kill()
            raise
        finally:
            for worker in self._workers:
                worker.end()


def in_one_worker(arguments: Iterable[str]) -> list[str]:
    """Beam's arguments for a pipeline that gains nothing by several workers of this machine.

    >>> in_one_worker(["--runner=components.forked_workers.runner.ForkingRunner", "--region=here"])
    ['--runner=FnApiRunner', '--region=here']
    """
    ours = f"--runner={__name__}.{ForkingRunner.__name__}"
    return ["--runner=FnApiRunner" if word == ours else word for word in arguments]


def _new_workers() -> list["_Worker"]:
    number = min(cores.usable(), _MOST_WORKERS) if _is_single_threaded() else 1
    return _forked(number) if number > 1 else []


def _is_single_threaded() -> bool:
    return len(os.listdir("/proc/self/task")) == 1


class _Worker(NamedTuple):
    """A fork, as its parent sees it."""

    process: int
    connection: Connection
    lock: threading.Lock  # held while it follows an instruction

    def kill(self) -> None:
        """Ends it amid its work."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)

    def end(self) -> None:
        """Closes its socket, at which it ends, and waits for that."""
        self.connection.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.process, 0)

    def why_ended(self) -> str:
        """A clause for what became of a worker that has closed its socket."""
        _, status = os.waitpid(self.process, 0)
        code = os.waitstatus_to_exitcode(status)
        hint = hint_at_memory(code)
        cause = f"by {ending_signal(code)}" if code < 0 else f"with exit code {code}"
        return f"a worker of Beam's was ended {cause}" + (f"; {hint}" if hint else "")


def _forked(number: int) -> list[_Worker]:
    gc.freeze()  # else the collector of each worker copies all that it looks at
    workers: list[_Worker] = []
    parent = os.getpid()
    for _ in range(number):
        ours, theirs = Pipe()
        if not (process := os.fork()):
            # Or a worker would not see that the parent has closed its socket: its brothers hold it.
            for connection in (ours, *(worker.connection for worker in workers)):
                connection.close()
            become_worker(parent, theirs)
        theirs.close()
        workers.append(_Worker(process, ours, threading.Lock()))
    return workers


@contextlib.contextmanager
def _as_embedded_workers(workers: list[_Worker]) -> Iterator[None]:
    """Has Beam take these workers where it would make one in this process.

    For any other kind of worker it opens its servers.
    """
    registered = worker_handlers.WorkerHandler._registered_environments
    own = registered[python_urns.EMBEDDED_PYTHON]

    def handler(_: None, state: Any, provision: Any, manager: Any) -> _WorkerHandler:
        return _WorkerHandler(workers, state, provision, manager)

    registered[python_urns.EMBEDDED_PYTHON] = (handler, None)
    try:
        yield
    finally:
        registered[python_urns.EMBEDDED_PYTHON] = own


class _WorkerHandler(worker_handlers.WorkerHandler):
    """The runner's side of the workers. Of each worker Beam has one, with a part of each bundle.

    A part goes to the first worker that is free, and an empty one to the last: a stage of one
    element, as tensorflow_transform has many, finds what an earlier one has traced or loaded.
    """

    def __init__(self, workers: list[_Worker], state: Any, provision: Any, manager: Any) -> None:
        super().__init__(self, data_plane.InMemoryDataChannel(), state, provision)
        self.control_conn = self
        self.data_conn = self.data_plane_handler
        self._workers = workers
        self._worker = workers[0]
        self._descriptor_of: Callable[[Any], Any] = manager.get_process_bundle_descriptor
        self._pushed = 0

    def push(self, request: Any) -> Any:
        """Has a worker follow an instruction, and waits for that."""
        self._pushed += 1
        request.instruction_id = request.instruction_id or f"control_{self._pushed}"
        to_worker = self.data_conn.inverse()
        elements = list(map(packed, to_worker.input_elements(request.instruction_id, None)))
        if request.WhichOneof("request") == "process_bundle":
            self._worker = _taken(self._workers if elements else self._workers[::-1])
        else:  # what is to be done once more about a bundle
            self._worker.lock.acquire()
        try:
            response = self._response_to(request, elements)
        except (EOFError, ConnectionError) as error:
            raise RuntimeError(self._worker.why_ended()) from error
        finally:
            self._worker.lock.release()
        return worker_handlers.ControlFuture(request.instruction_id, response)

    def _response_to(self, request: Any, elements: list[tuple[str, bytes]]) -> Any:
        connection = self._worker.connection
        connection.send((request.SerializeToString(), elements))
        while True:
            kind, content = connection.recv()
            if kind == "response":
                return fn_api.InstructionResponse.FromString(content)
            if kind == "element":
                self.data_conn._inputs.append(unpacked(content))
            else:
                connection.send(self._answer(kind, content))

    def _answer(self, kind: str, content: tuple[Any, ...]) -> Any:
        if kind == "descriptor":
            named = fn_api.GetProcessBundleDescriptorRequest(
                process_bundle_descriptor_id=content[0]
            )
            return self._descriptor_of(named).SerializeToString()
        key = fn_api.StateKey.FromString(content[0])
        if kind == "get":
            return self.state.get_raw(key, content[1])
        if kind == "append":
            self.state.append_raw(key, content[1])
        else:
            self.state.clear(key)
        return None

    def start_worker(self) -> None:
        """Nothing: it runs."""

    def stop_worker(self) -> None:
        """Nothing: the runner ends it."""

    def done(self) -> None:
        """Nothing."""

    def data_api_service_descriptor(self) -> Any:
        """An address that nobody asks, but that Beam wants to name."""
        return worker_handlers.endpoints_pb2.ApiServiceDescriptor(url="fork")

    def state_api_service_descriptor(self) -> None:
        """None: state is asked for through the socket."""

    def logging_api_service_descriptor(self) -> None:
        """None: a worker writes where this process writes."""


def _taken(workers: list[_Worker]) -> _Worker:
    """The first worker that is free."""
    for worker in workers:
        if worker.lock.acquire(blocking=False):
            return worker
    workers[0].lock.acquire()
    return workers[0]
