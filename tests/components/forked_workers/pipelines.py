"""Pipelines on the forking runner, each in a process of its own, as components have it.

`python -m tests.components.forked_workers.pipelines` prints what came of each, as JSON. What is
forked here has one thread; the process that imports Beam has several.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
import grpc
from apache_beam.coders import VarIntCoder
from apache_beam.transforms.userstate import BagStateSpec

from components import cores
from components.forked_workers import runner
from pipeline.failures import sentence_of
from trainer_module.errors import InputError

DIVIDED = [f"--runner={runner.__name__}.ForkingRunner", "--sdk_container_image=none"]
NUMBERS = range(200)
LARGE = 5 << 20  # bytes of an element: more than a socket takes at once


def _process_of(number: int) -> tuple[int, int]:
    time.sleep(0.002)  # so that no worker is done before the others begin
    return os.getpid(), number


def _run(make: Callable[[beam.Pipeline], beam.PCollection], folder: str) -> list[Any]:
    """What a pipeline gives, in any order."""
    with beam.Pipeline(argv=list(DIVIDED)) as pipeline:
        results = make(pipeline) | beam.combiners.ToList()
        _ = results | beam.Map(lambda found: _write(f"{folder}/{os.getpid()}", found))
    [path] = os.listdir(folder)
    with open(f"{folder}/{path}") as file:
        return list(json.load(file))


def _write(path: str, found: Any) -> None:
    with open(path, "w") as file:
        json.dump(found, file)


def divided(folder: str) -> dict[str, Any]:
    """Which processes worked, and what stages with keys and side inputs give."""
    opened: list[str] = []
    server = grpc.server
    grpc.server = lambda *args, **named: opened.append("server") or server(*args, **named)

    def make(pipeline: beam.Pipeline) -> beam.PCollection:
        side = pipeline | "Side" >> beam.Create([3, 4])
        worked = pipeline | beam.Create(NUMBERS) | beam.Reshuffle() | beam.Map(_process_of)
        return (
            worked
            | "Key" >> beam.MapTuple(lambda process, number: (number % 7, (process, number)))
            | beam.GroupByKey()
            | beam.Map(lambda group, added: (*group, sum(added)), beam.pvalue.AsIter(side))
        )

    found = _run(make, folder)
    return {"found": found, "process": os.getpid(), "servers": opened, "children": _children()}


def _children() -> int:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
        return 1
    return 0


_SEEN = beam.DoFn.StateParam(BagStateSpec("seen", VarIntCoder()))


class _RunningCount(beam.DoFn):
    def process(self, element: tuple[str, int], seen: Any = _SEEN) -> Iterator[int]:
        before = list(seen.read())
        if element[1] % 10 == 0:
            seen.clear()
        seen.add(element[1])
        yield len(before)


def with_state(folder: str) -> list[int]:
    """A stage that keeps state: of each number how many came since the last multiple of 10."""
    keyed = [("one", number) for number in range(25)]
    return _run(lambda p: p | beam.Create(keyed) | beam.ParDo(_RunningCount()), folder)


def large(folder: str) -> list[int]:
    """Elements in both directions that do not fit a socket."""
    return _run(
        lambda p: (
            p
            | beam.Create([b"a" * LARGE, b"b" * LARGE, b"c" * LARGE])
            | beam.Reshuffle()
            | beam.Map(lambda text: text + text[:1])
            | "Again" >> beam.Reshuffle()
            | beam.Map(len)
        ),
        folder,
    )


def refused(folder: str) -> dict[str, str]:
    """A worker raises what people are to read."""

    def refuse(_: int) -> None:
        raise InputError("there is no such thing")

    return _failure(refuse, folder)


def broken(folder: str) -> dict[str, str]:
    """A worker raises something else."""
    return _failure(lambda number: 1 // (number - number), folder)


def killed(folder: str) -> dict[str, str]:
    """A worker is killed, as by a kernel without memory."""
    return _failure(lambda _: os.kill(os.getpid(), signal.SIGKILL), folder)


def _failure(fail: Callable[[int], Any], folder: str) -> dict[str, str]:
    try:
        _run(lambda p: p | beam.Create(NUMBERS) | beam.Reshuffle() | beam.Map(fail), folder)
    except Exception as error:
        return {"sentence": sentence_of(error), "trace": traceback.format_exc()}
    return {}


def orphaned(folder: str) -> dict[str, Any]:
    """Of a killed process, which of its workers live."""
    parent = os.fork()
    if not parent:
        _run(lambda p: p | beam.Create([1]) | beam.Map(_say_and_sleep, folder), f"{folder}/none")
    while not (names := os.listdir(folder)):
        time.sleep(0.05)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    until = time.monotonic() + 20
    while (alive := _is_alive(int(names[0]))) and time.monotonic() < until:
        time.sleep(0.05)
    return {"worker": int(names[0]), "parent": parent, "alive": alive}


def _say_and_sleep(_: int, folder: str) -> None:
    _write(f"{folder}/{os.getpid()}", [])
    time.sleep(1000)


def _is_alive(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def on_one_core(folder: str) -> dict[str, Any]:
    """A process that may use one core forks none."""
    cores.usable = lambda: 1
    return divided(folder)


def with_threads(folder: str) -> dict[str, Any]:
    """Neither does one that a fork would lose threads of."""
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    found = divided(folder)
    ended.set()
    return found


def ahead_of_threads(folder: str) -> dict[str, Any]:
    """But one that forked before that has its workers."""
    runner.fork_ahead()
    return with_threads(folder)


SCENARIOS = (
    divided,
    with_state,
    large,
    refused,
    broken,
    killed,
    orphaned,
    on_one_core,
    with_threads,
    ahead_of_threads,
)


def main(folder: str) -> None:
    """Runs all of them, one after the other."""
    cores.usable = lambda: 3
    found = {}
    for scenario in SCENARIOS:
        own = f"{folder}/{scenario.__name__}"
        os.makedirs(own)
        result = f"{own}.json"
        if not (child := os.fork()):
            with contextlib.suppress(Exception):
                _write(result, scenario(own))
            os._exit(0)
        os.waitpid(child, 0)
        with open(result) as file:
            found[scenario.__name__] = json.load(file)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
