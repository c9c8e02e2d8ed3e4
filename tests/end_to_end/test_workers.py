"""Two workers by the real command: one model, no process left, gone on after a kill."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import networks
from tests.end_to_end.commands import TWO_WORKERS, Run, Skipgram, run_arguments
from tests.end_to_end.test_run_again import wait_until, wait_until_gone

pytestmark = pytest.mark.slow


def descendants(pid: int) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has just ended
        if parent == pid:
            child = int(path.parent.name)
            yield child
            yield from descendants(child)


def worker_of(pid: int, index: int) -> int | None:
    """The process of a worker that a command has started."""
    for child in descendants(pid):
        try:
            environment = Path(f"/proc/{child}/environ").read_bytes().decode()
        except OSError:
            continue
        if f'"task": {{"type": "worker", "index": {index}}}' in environment:
            return child
    return None


def test_two_workers_give_the_model_of_one_and_survive_a_kill(
    run: Run, corpus: Path, skipgram: Skipgram, tmp_path: Path
) -> None:
    undisturbed, output = tmp_path / "undisturbed", tmp_path / "output"
    ended = skipgram(*run_arguments(corpus, undisturbed, *TWO_WORKERS))
    assert ended.code == 0, ended.stderr
    summary = json.loads((undisturbed / "summary.json").read_text())
    assert summary["workers"] == len(summary["pairs_per_second_of_workers"]) == 2
    assert summary["pairs_train"] == run.summary["pairs_train"]
    for name in ("full_softmax_cross_entropy", "full_sigmoid_cross_entropy"):
        assert summary[name] == pytest.approx(run.summary[name], rel=0.01)

    arguments = run_arguments(corpus, output, *TWO_WORKERS)
    killed = skipgram.start(*arguments)
    wait_until(lambda: any(output.glob("checkpoints/*/checkpoint")), killed)
    worker = worker_of(killed.process.pid, 1)
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    ended = killed.wait()
    assert ended.code == 1
    assert "worker 1 of 2 was ended by SIGKILL" in ended.stderr
    wait_until_gone(output)

    ended = skipgram(*arguments)
    assert ended.code == 0, ended.stderr
    again = json.loads((output / "summary.json").read_text())
    assert again["resumed_at_step"] > 0
    assert again["evaluations"] == summary["evaluations"]
    for name in ("vectors.bin", "vectors.txt"):
        ours, theirs = (folder / "vectors" / name for folder in (output, undisturbed))
        assert ours.read_bytes() == theirs.read_bytes()


def test_where_workers_cannot_be_kept_from_strangers_nothing_is_computed(
    corpus: Path, tmp_path: Path
) -> None:
    arguments = run_arguments(corpus, tmp_path / "output", "trainer.workers=2")
    script = (
        f"import sys; sys.argv = {['skipgram', *arguments]!r}\nfrom pipeline import cli; cli.main()"
    )
    command = networks.refusing([sys.executable, "-c", script])
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith("skipgram: several workers need a network of their own")
    assert "trainer.expose_workers=true" in ended.stderr
    assert not (tmp_path / "output" / "artifacts").exists()
