"""Beam's runner for one machine, with its stages divided over forks of this process.

Beam has two ways to divide the stages of a pipeline on one machine. Threads share what
tensorflow_transform holds of a stage, and lose counts. New processes import TensorFlow, Beam and TFX
for 20 seconds each, and are spoken to by servers that listen on all addresses, without
authentication. Here the workers are forks, which have everything imported, and each is spoken to
through a pair of sockets that nobody else can open.

A worker does what Beam's worker of the runner's own process does. What that one reads from the
runner's memory - the stage, its input, its side inputs - a worker asks for through its socket.
"""

import contextlib
import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, NoReturn

from apache_beam.options.pipeline_options import DirectOptions
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_fn_api_pb2 as fn_api
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.runners.worker import data_plane, sdk_worker
from apache_beam.runners.worker.statecache import StateCache

from components import cores
from components.processes import die_with, ending_signal, hint_at_memory

# Each holds a graph and batches of its own: some 500 MB.
_MOST_WORKERS = 8
_STATE_CACHE_BYTES = 100 << 20  # as Beam's worker in the runner's process has
_DATA, _TIMERS = "data", "timers"


class ForkingRunner(FnApiRunner):  # type: ignore[misc]
    """Forks a worker a core where this process may use more than one, when it is made.

    A fork has the thread alone that forked it. So nothing is forked in a process that has started
    others, as TensorFlow does with the first op it runs: the stages run in this process then.
    """

    def __init__(self) -> None:
        super().__init__()
        number = min(cores.usable(), _MOST_WORKERS) if _is_single_threaded() else 1
        self._workers = _forked(number) if number > 1 else []

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

    >>> in_one_worker(["--runner=components.forking_runner.ForkingRunner", "--region=here"])
    ['--runner=FnApiRunner', '--region=here']
    """
    ours = f"--runner={__name__}.{ForkingRunner.__name__}"
    return ["--runner=FnApiRunner" if word == ours else word for word in arguments]


def _is_single_threaded() -> bool:
    return len(os.listdir("/proc/self/task")) == 1


class _Worker(NamedTuple):
    """A fork, as its parent sees it."""

    process: int
    connection: Connection

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
            _become_worker(parent, theirs)
        theirs.close()
        workers.append(_Worker(process, ours))
    return workers


@contextlib.contextmanager
def _as_embedded_workers(workers: list[_Worker]) -> Iterator[None]:
    """Has Beam take these workers where it would make one in this process.

    For any other kind of worker it opens its servers.
    """
    registered = worker_handlers.WorkerHandler._registered_environments  # noqa: SLF001
    own, rest = registered[python_urns.EMBEDDED_PYTHON], iter(workers)

    def handler(_: None, state: Any, provision: Any, manager: Any) -> _WorkerHandler:
        return _WorkerHandler(next(rest), state, provision, manager)

    registered[python_urns.EMBEDDED_PYTHON] = (handler, None)
    try:
        yield
    finally:
        registered[python_urns.EMBEDDED_PYTHON] = own


class _WorkerHandler(worker_handlers.WorkerHandler):  # type: ignore[misc]
    """The runner's side of a worker: hands it instructions, one at a time, and answers it."""

    def __init__(self, worker: _Worker, state: Any, provision: Any, manager: Any) -> None:
        super().__init__(self, data_plane.InMemoryDataChannel(), state, provision)
        self.control_conn = self
        self.data_conn = self.data_plane_handler
        self._worker = worker
        self._descriptor_of: Callable[[str], Any] = manager.get_process_bundle_descriptor
        self._lock = threading.Lock()
        self._pushed = 0

    def push(self, request: Any) -> Any:
        """Has the worker follow an instruction, and waits for that."""
        with self._lock:
            self._pushed += 1
            request.instruction_id = request.instruction_id or f"control_{self._pushed}"
            response = self._response_to(request)
        return worker_handlers.ControlFuture(request.instruction_id, response)

    def _response_to(self, request: Any) -> Any:
        connection = self._worker.connection
        to_worker = self.data_conn.inverse()
        elements = list(map(_packed, to_worker.input_elements(request.instruction_id, None)))
        try:
            connection.send((request.SerializeToString(), elements))
            while True:
                kind, content = connection.recv()
                if kind == "response":
                    return fn_api.InstructionResponse.FromString(content)
                if kind == "element":
                    self.data_conn._inputs.append(_unpacked(content))  # noqa: SLF001
                else:
                    connection.send(self._answer(kind, content))
        except (EOFError, ConnectionError) as error:
            raise RuntimeError(self._worker.why_ended()) from error

    def _answer(self, kind: str, content: tuple[Any, ...]) -> Any:
        if kind == "descriptor":
            return self._descriptor_of(fn_api.GetProcessBundleDescriptorRequest(
                process_bundle_descriptor_id=content[0]
            )).SerializeToString()
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


def _packed(element: Any) -> tuple[str, bytes]:
    kind = _DATA if isinstance(element, fn_api.Elements.Data) else _TIMERS
    return kind, element.SerializeToString()


def _unpacked(packed: tuple[str, bytes]) -> Any:
    kind, content = packed
    of = fn_api.Elements.Data if kind == _DATA else fn_api.Elements.Timers
    return of.FromString(content)


def _become_worker(parent: int, connection: Connection) -> NoReturn:
    """Follows instructions until the other end is closed."""
    code = 1
    try:
        die_with(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is asked to stop, and stops us
        _follow(connection)
        sys.stdout.flush()
        code = 0
    except BaseException:
        traceback.print_exc()
    # Without the interpreter's shutdown: threads of Beam and TensorFlow may not survive it.
    os._exit(code)


def _follow(connection: Connection) -> None:
    runner = _Runner(connection)
    channel = data_plane.InMemoryDataChannel(inverse=runner)
    cache = StateCache(_STATE_CACHE_BYTES)
    state = sdk_worker.GlobalCachingStateHandler(cache, _State(runner))
    worker = sdk_worker.SdkWorker(
        sdk_worker.BundleProcessorCache(
            worker_handlers.FNAPI_RUNNER_CAPABILITIES,
            worker_handlers.SingletonStateHandlerFactory(state),
            data_plane.InMemoryDataChannelFactory(channel),
            _Descriptors(runner),
        )
    )
    while True:
        try:
            request, elements = connection.recv()
        except EOFError:
            worker.bundle_processor_cache.shutdown()
            return
        channel._inputs.extend(map(_unpacked, elements))  # noqa: SLF001
        response = _response(worker, fn_api.InstructionRequest.FromString(request))
        runner.send("response", response.SerializeToString())


def _response(worker: Any, request: Any) -> Any:
    try:
        return worker.do_instruction(request)
    except Exception as error:
        traceback.print_exc()
        # What is said of a failure may begin with its first line.
        text = f"{type(error).__name__}: {error}\n\n{traceback.format_exc()}"
        return fn_api.InstructionResponse(instruction_id=request.instruction_id, error=text)


class _Runner:
    """The worker's side of its socket. What is put into `_inputs`, as Beam names it, is sent."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._inputs = self

    def append(self, element: Any) -> None:
        """Sends data that a stage gives."""
        self.send("element", _packed(element))

    def send(self, kind: str, content: Any) -> None:
        """Tells the runner something."""
        self._connection.send((kind, content))

    def ask(self, kind: str, *content: Any) -> Any:
        """Tells it something, and waits for its answer."""
        self.send(kind, content)
        return self._connection.recv()


class _Descriptors(dict[str, Any]):
    """The stages, asked for when they are first needed."""

    def __init__(self, runner: _Runner) -> None:
        super().__init__()
        self._runner = runner

    def __missing__(self, name: str) -> Any:
        serialized = self._runner.ask("descriptor", name)
        self[name] = fn_api.ProcessBundleDescriptor.FromString(serialized)
        return self[name]


class _State(sdk_worker.StateHandler):  # type: ignore[misc]
    """Side inputs and state, which the runner has."""

    def __init__(self, runner: _Runner) -> None:
        self._runner = runner

    def get_raw(self, state_key: Any, continuation_token: bytes | None = None) -> Any:
        """See StateHandler."""
        return self._runner.ask("get", state_key.SerializeToString(), continuation_token)

    def append_raw(self, state_key: Any, data: bytes) -> Any:
        """See StateHandler."""
        self._runner.ask("append", state_key.SerializeToString(), data)
        return sdk_worker._Future.done()  # noqa: SLF001

    def clear(self, state_key: Any) -> Any:
        """See StateHandler."""
        self._runner.ask("clear", state_key.SerializeToString())
        return sdk_worker._Future.done()  # noqa: SLF001

    @contextlib.contextmanager
    def process_instruction_id(self, bundle_id: str) -> Iterator[None]:
        """See StateHandler; there is one instruction at a time."""
        del bundle_id
        yield

    def done(self) -> None:
        """See StateHandler."""
