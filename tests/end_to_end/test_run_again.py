"""What happens when a command is given again: after success, after a kill, with a higher bar."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.commands import Command, run_arguments

pytestmark = pytest.mark.slow


def test_the_same_command_again_is_all_cached(run, corpus: Path, skipgram) -> None:
    ended = skipgram(*run_arguments(corpus, run.output))
    assert ended.code == 0, ended.stderr
    assert "All components are cached" in ended.stdout
    summary = json.loads((run.output / "summary.json").read_text())
    for name in ("full_softmax_cross_entropy", "train_loss", "documents", "pairs_eval"):
        assert summary[name] == run.summary[name]


def test_a_model_that_misses_the_bar_is_not_pushed(run, corpus: Path, skipgram) -> None:
    before = sorted((run.output / "serving").iterdir())
    vectors = (run.output / "vectors").readlink()
    arguments = run_arguments(corpus, run.output, "evaluator.min_gain_over_unigram=2.5")
    ended = skipgram(*arguments)
    assert ended.code == 3
    assert "evaluator.min_gain_over_unigram asks for 2.5" in ended.stderr
    assert sorted((run.output / "serving").iterdir()) == before
    assert (run.output / "vectors").readlink() == vectors


def test_a_model_worse_than_the_last_blessed_one_is_not_pushed(run, corpus: Path, skipgram) -> None:
    arguments = run_arguments(
        corpus, run.output, "trainer.epochs=2", "evaluator.max_increase=0.0001"
    )
    ended = skipgram(*arguments)
    assert ended.code == 3
    assert "above the last blessed model's" in ended.stderr
    runs = skipgram("runs", "--output", str(run.output)).stdout
    assert "not blessed" in runs


def test_an_intrinsic_set_is_judged_without_training_again(
    run, corpus: Path, skipgram, tmp_path: Path
) -> None:
    pairs, questions = tmp_path / "groups.txt", tmp_path / "questions.txt"
    pairs.write_text("Cat\tdog\t9\nred\tblue\t8\ncat\tred\t1\none\tcat\t2\ncat\tmouse\t5\n")
    questions.write_text(": animals\ncat dog horse sheep\n: others\nred green mouse rat\n")
    sets = f"evaluator.similarity=[{pairs}]", f"evaluator.analogies=[{questions}]"
    bar = "evaluator.thresholds=[similarity/groups >= 1.01]"
    ended = skipgram(*run_arguments(corpus, run.output, *sets, bar))
    assert ended.code == 3, ended.stderr
    assert "evaluator.thresholds asks for >= 1.01" in ended.stderr
    summary = json.loads((run.output / "summary.json").read_text())
    assert {"Trainer", "EmbeddingAligner"} <= set(summary["cached"])
    assert "Evaluator" not in summary["cached"]
    # A group's words share their contexts, so those of one group are nearer than those of two.
    found = summary["similarity"]["groups"]
    assert found["spearman"] > 0.59
    assert (found["pairs"], found["known_pairs"]) == (5, 4)
    solved = summary["analogies"]["questions"]
    assert (solved["questions"], solved["known_questions"]) == (2, 1)
    assert solved["sections"]["others"]["known_questions"] == 0


def wait_until(condition: Callable[[], bool], command: Command) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert command.process.is_alive(), command.wait()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def kill(command: Command) -> None:
    os.kill(command.process.pid, signal.SIGKILL)
    assert command.wait().code == -signal.SIGKILL


def no_process_mentions(folder: Path) -> bool:
    """Whether no process has a file below `folder` open."""
    for descriptors in Path("/proc").glob("[0-9]*/fd"):
        try:
            opened = [os.readlink(link) for link in descriptors.iterdir()]
        except OSError:
            continue  # it has just ended
        if any(path.startswith(str(folder)) for path in opened):
            return False
    return True


def test_a_run_killed_twice_ends_as_an_undisturbed_one(
    run, corpus: Path, skipgram, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    arguments = run_arguments(corpus, output)

    killed = skipgram.start(*arguments)
    wait_until(lambda: any(output.glob("logs/*/Transform.log")), killed)
    wait_until(lambda: any(output.glob("artifacts/Transform/*/*")), killed)
    kill(killed)
    wait_until_gone(output)

    killed = skipgram.start(*arguments)
    wait_until(lambda: len(list(output.glob("checkpoints/*/checkpoint"))) == 1, killed)
    kill(killed)
    wait_until_gone(output)

    ended = skipgram(*arguments)
    assert ended.code == 0, ended.stderr
    summary = json.loads((output / "summary.json").read_text())
    assert summary["resumed_at_step"] > 0
    assert "Transform" in summary["cached"]
    assert summary["full_softmax_cross_entropy"] == run.summary["full_softmax_cross_entropy"]
    assert summary["train_loss"] == run.summary["train_loss"]
    for name in ("vectors.bin", "vectors.txt", "vocabulary.tsv"):
        ours, theirs = (folder / "vectors" / name for folder in (output, run.output))
        assert ours.read_bytes() == theirs.read_bytes()
    # Nothing that was half written is left, nor what the killed ones had in their temporary folder.
    assert not (output / ".temporary").exists()
    assert len(list(output.glob("artifacts/Transform/transform_graph/*"))) == 1
    assert len(list(output.glob("artifacts/Trainer/model/*"))) == 1
    shutil.rmtree(output)


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 30
    while not no_process_mentions(folder):
        assert time.monotonic() < deadline, f"a process still uses {folder}"
        time.sleep(0.01)
