"""Runs of the command, each in a process forked from one that has imported TFX once."""

import json
import multiprocessing
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest

from tests import networks

GROUPS = (
    ("cat", "dog", "horse", "sheep", "goat"),
    ("red", "green", "blue", "black", "white"),
    ("one", "two", "three", "four", "five"),
)
DOCUMENTS = 1500
TOKENS_A_DOCUMENT = 8
# So that there is time to kill a training, and a checkpoint to go on from.
SETTINGS = (
    "preprocessing.subsample=0",
    "trainer.epochs=16",
    "trainer.batch_size=256",
    "trainer.dim=16",
    "trainer.checkpoint_seconds=0",
    "trainer.learning_rate=0.025",
)
TWO_WORKERS = (
    "trainer.workers=2",
    f"trainer.expose_workers={'false' if networks.ALLOWED else 'true'}",
)

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(
    [
        *("pipeline.graph", "pipeline.local.runner", "pipeline.results.summary"),
        "tests.end_to_end.preloaded",
    ]
)


class Ended(NamedTuple):
    code: int
    stdout: str
    stderr: str


class Command:
    """A `skipgram` command that has been started."""

    def __init__(self, folder: Path, arguments: tuple[str, ...], environment: dict[str, str]):
        self._folder = folder
        self.process = _server.Process(target=_main, args=(folder, arguments, environment))
        self.process.start()

    def wait(self) -> Ended:
        self.process.join()
        code = self.process.exitcode
        assert code is not None
        return Ended(code, *((self._folder / name).read_text() for name in ("out", "err")))


def _main(folder: Path, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    os.environ.update(environment)
    for descriptor, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), descriptor)
    # The fork server's stdout is not a file that Python would write to.
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    sys.argv = ["skipgram", *arguments]
    from pipeline import cli

    try:
        cli.main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


class Skipgram:
    """Starts commands."""

    def __init__(self, factory: pytest.TempPathFactory):
        self._factory = factory

    def start(self, *arguments: str, **environment: str) -> Command:
        return Command(self._factory.mktemp("command"), arguments, environment)

    def __call__(self, *arguments: str, **environment: str) -> Ended:
        return self.start(*arguments, **environment).wait()


def run_arguments(corpus: Path, output: Path, *settings: str) -> list[str]:
    given = [word for setting in (*SETTINGS, *settings) for word in ("--set", setting)]
    return ["run", "--corpus", str(corpus), "--output", str(output), *given]


class Run(NamedTuple):
    output: Path
    stdout: str
    summary: dict[str, Any]

    @classmethod
    def read(cls, output: Path, stdout: str = "") -> Self:
        """One that has ended, by what it left."""
        return cls(output, stdout, json.loads((output / "summary.json").read_text()))


def transformed_records(folder: Path) -> list[list[tuple[str, list[int]]]]:
    """What is in transformed examples, sorted: the bytes of a map differ between processes."""
    import tensorflow as tf

    files = sorted(map(str, folder.iterdir()))
    examples = map(
        tf.train.Example.FromString, tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    )
    return sorted(
        sorted((name, list(value.int64_list.value)) for name, value in one.features.feature.items())
        for one in examples
    )
