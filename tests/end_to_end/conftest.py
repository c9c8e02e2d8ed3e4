"""One small corpus, and one run of it that many tests look at."""

import fcntl
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end import kinds
from tests.end_to_end.commands import (
    DOCUMENTS,
    GROUPS,
    TOKENS_A_DOCUMENT,
    Run,
    Skipgram,
    run_arguments,
)


@pytest.fixture(scope="session")
def skipgram(tmp_path_factory: pytest.TempPathFactory) -> Skipgram:
    return Skipgram(tmp_path_factory)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of one group's words each: a word's contexts are its group's, all as likely."""
    generator = random.Random(1)
    path = tmp_path_factory.mktemp("corpus") / "groups.txt"
    lines = (
        " ".join(generator.choices(generator.choice(GROUPS), k=TOKENS_A_DOCUMENT))
        for _ in range(DOCUMENTS)
    )
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture(scope="session")
def run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One whole run by the real command, as a user types it."""
    output = tmp_path_factory.mktemp("run") / "output"
    command = Path(sys.executable).with_name("skipgram")
    ended = subprocess.run(
        [command, *run_arguments(corpus, output)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    return Run.read(output, ended.stdout)


@pytest.fixture(scope="session")
def run_of_kind(
    skipgram: Skipgram, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Run]:
    """One whole run of a kind of corpus beside text, made when the first process asks for it."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # of all workers

    def run_of(kind: str) -> Run:
        folder = root / f"run-of-{kind}"
        folder.mkdir(exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed
            if (folder / "output" / "summary.json").exists():
                return Run.read(folder / "output")
            return kinds.run(skipgram, kind, folder)

    return run_of
