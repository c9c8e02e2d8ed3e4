"""A fork that does the work of Beam's stages: see runner.py.

It does what Beam's worker in the runner's own process does. What that one reads from the runner's
memory - the stage, its input, its side inputs - this one asks for through its socket.
"""

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from apache_beam.portability.api import beam_fn_api_pb2 as fn_api
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.worker import data_plane, sdk_worker
from apache_beam.runners.worker.statecache import StateCache

from components.processes import die_with

_STATE_CACHE_BYTES = 100 << 20  # as Beam's worker in the runner's process has
_DATA, _TIMERS = "data", "timers"


def packed(element: Any) -> tuple[str, bytes]:
    """Data or timers, as they go through the socket."""
    kind = _DATA if isinstance(element, fn_api.Elements.Data) else _TIMERS
    return kind, element.SerializeToString()


def unpacked(packed: tuple[str, bytes]) -> Any:
    """What was packed."""
    kind, content = packed
    of = fn_api.Elements.Data if kind == _DATA else fn_api.Elements.Timers
    return of.FromString(content)


def become_worker(parent: int, connection: Connection) -> NoReturn:
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
        channel._inputs.extend(map(unpacked, elements))
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
        self.send("element", packed(element))

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


class _State(sdk_worker.StateHandler):
    """Side inputs and state, which the runner has."""

    def __init__(self, runner: _Runner) -> None:
        self._runner = runner

    def get_raw(self, state_key: Any, continuation_token: bytes | None = None) -> Any:
        """See StateHandler."""
        return self._runner.ask("get", state_key.SerializeToString(), continuation_token)

    def append_raw(self, state_key: Any, data: bytes) -> Any:
        """See StateHandler."""
        self._runner.ask("append", state_key.SerializeToString(), data)
        return sdk_worker._Future.done()

    def clear(self, state_key: Any) -> Any:
        """See StateHandler."""
        self._runner.ask("clear", state_key.SerializeToString())
        return sdk_worker._Future.done()

    @contextlib.contextmanager
    def process_instruction_id(self, bundle_id: str) -> Iterator[None]:
        """See StateHandler; there is one instruction at a time."""
        del bundle_id
        yield

    def done(self) -> None:
        """See StateHandler."""
