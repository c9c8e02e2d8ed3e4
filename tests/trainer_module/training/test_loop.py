"""The Trainer around its steps: evaluations, checkpoints, progress, epochs."""

import functools
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.trainer_module.runs import (
    Array,
    KilledError,
    Run,
    assert_is_sgd_written_out,
    corpus_of,
    walks,
)
from tests.trainer_module.transformed import (
    Document,
    of_epoch,
    pairs_of,
    split_of,
    split_of_pairs,
    write,
    write_pairs,
)
from trainer_module.errors import InputError
from trainer_module.input_pipeline import pair_chunks, window_chunks
from trainer_module.training import loop, schedule
from trainer_module.training.progress import Progress, Resumed
from trainer_module.training.record import Evaluation, TrainingResult
from trainer_module.workers.group import WorkerGroup


def comparable(result: TrainingResult) -> tuple[Any, ...]:
    """Of a result: all but the clock and where it was taken up."""
    return result.train_loss, result.steps, result.kept_step, result.evaluations


def assert_same(one: list[Array], other: list[Array]) -> None:
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture(autouse=True, scope="module")
def _one_chunk_a_call() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule, "_TARGETS_PER_CALL", 1)
        yield


# --- Killed runs


@pytest.fixture
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """One second passes from each look at the clock to the next."""
    seconds = iter(range(1 << 30))
    clock = SimpleNamespace(monotonic=lambda: float(next(seconds)))
    monkeypatch.setattr(loop, "time", clock)


RESUMED: dict[str, dict[str, Any]] = {
    "some calls saved": {"checkpoint_seconds": 3.0, "sampler": "in_batch"},
    "keep best, patience": {
        "objective": "sampled_softmax",
        "checkpoint_seconds": 3.0,
        "evaluations_per_epoch": 2,
        "epochs": 30,
        "learning_rate": 0.5,
        "keep": "best",
        "patience": 2,
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("variant", RESUMED)
@pytest.mark.usefixtures("_clock")
def test_a_run_killed_at_any_call_ends_as_an_undisturbed_one(
    alone: WorkerGroup, tmp_path: Path, variant: str
) -> None:
    # 3 chunks an epoch, the last one with 3 steps, the last of these with 5 targets.
    corpus, held_out = walks(3, 2 * 256 + 37), walks(4, 100)
    make = functools.partial(Run, alone, corpus, held_out, **{"epochs": 2, **RESUMED[variant]})
    run = make()
    news: list[Any] = []
    states: dict[int, list[Array]] = {}

    def report(one: Any) -> None:
        news.append(one)
        if isinstance(one, Evaluation):
            states[one.step] = run.tables

    expected = run.train(tmp_path / "undisturbed", report=report)
    tables = run.tables
    evaluations = [one for one in news if isinstance(one, Evaluation)]
    assert expected.evaluations == evaluations
    assert_same(tables, states[expected.kept_step])
    if run.hyperparameters.patience:
        losses = [one.softmax for one in evaluations]
        assert losses.index(min(losses)) == len(losses) - 1 - 2  # two without a new lowest one
        assert len(losses) < 2 * 30
        assert expected.kept_step == evaluations[-3].step < expected.steps == evaluations[-1].step
    else:
        assert expected.kept_step == expected.steps == 2 * 35
    resumed_at = set()
    for kill_at in range(1, len(news) + 1):
        folder = tmp_path / str(kill_at)
        run.begin_anew()
        with pytest.raises(KilledError):
            run.train(folder, kill_at=kill_at)
        if (folder / "checkpoint").exists():
            run.forget()
        else:  # nothing saved yet: a new process begins with new variables
            run.begin_anew()
        result = run.train(folder)
        assert comparable(result) == comparable(expected)
        assert_same(run.tables, tables)
        resumed_at.add(result.resumed_at_step)
    assert len(resumed_at) > 2

    # After the end nothing is left to do.
    run.forget()
    result = run.train(tmp_path / "undisturbed")
    assert result.resumed_at_step == result.steps == expected.steps
    assert comparable(result) == comparable(expected)
    assert_same(run.tables, tables)

    # A process of its own: all of the above began anew in the same one.
    run.begin_anew()
    with pytest.raises(KilledError):
        run.train(tmp_path / "killed", kill_at=len(news) - 1)
    other = make()
    told: list[Any] = []
    result = other.train(tmp_path / "killed", report=told.append)
    assert 0 < result.resumed_at_step < result.steps
    # What was evaluated before is told before what comes.
    before = [one for one in evaluations if one.step <= result.resumed_at_step]
    assert told[0] == Resumed(before)
    assert [one for one in told if isinstance(one, Evaluation)] == evaluations[len(before) :]
    assert comparable(result) == comparable(expected)
    assert_same(other.tables, tables)


# --- Progress and evaluations


@pytest.mark.usefixtures("_clock")
def test_progress_and_evaluations_by_hand(alone: WorkerGroup, tmp_path: Path) -> None:
    corpus = walks(5, 4 * 256 + 33)  # 5 chunks, the last one with 3 steps
    run = Run(alone, corpus, epochs=2, evaluations_per_epoch=2)
    news: list[Any] = []

    def report(one: Any) -> None:
        news.append(one)
        if isinstance(one, Evaluation):
            now = run.full()
            assert (one.softmax, one.sigmoid) == pytest.approx((now.softmax, now.sigmoid))

    result = run.train(tmp_path, report=report)
    kinds = ["E" if isinstance(one, Evaluation) else "p" for one in news]
    assert "".join(kinds) == "pppEppE" * 2  # after 3 of 5 chunks, and after all
    assert [one.step for one in result.evaluations] == [48, 67, 67 + 48, 134]
    progress = [one for one in news if isinstance(one, Progress)]
    assert [one.step for one in progress] == [16, 32, 48, 64, 67, 83, 99, 115, 131, 134]
    assert [one.epoch for one in progress] == [1] * 5 + [2] * 5
    assert {(one.epochs, one.steps) for one in progress} == {(2, 134)}
    assert progress[-1].seconds_left == 0
    # The clock was looked at once before the first report, and 16 of 134 steps took that second.
    assert progress[0].seconds_left == pytest.approx(118 / 16)
    of_first = corpus.pairs(0, 256)[0].size
    assert progress[0].pairs_per_second == [pytest.approx(of_first)]
    assert result.resumed_at_step == 0
    # Of each chunk the first step is looked at: the last epoch's five.
    of_looked_at = [corpus.pairs(256 * i, 256 * i + 16)[0].size for i in range(5)]
    mean = np.average([one.loss for one in progress[5:]], weights=of_looked_at)
    assert result.train_loss == pytest.approx(mean, rel=1e-6)


# --- Edges


@pytest.mark.parametrize("num_tokens", [2, 257])
def test_corpora_of_one_block_or_chunk_or_little_more(
    alone: WorkerGroup, tmp_path: Path, num_tokens: int
) -> None:
    run = Run(alone, walks(8, num_tokens), epochs=3)
    result = run.train(tmp_path)
    assert result.steps == 3 * -(-num_tokens // 16)
    assert len(result.evaluations) == 3
    assert_is_sgd_written_out(run, result.steps)


@pytest.mark.slow
def test_epochs_of_transformed_examples_are_subsampled_anew(
    alone: WorkerGroup, tmp_path: Path
) -> None:
    random = np.random.default_rng(11)
    documents: list[Document] = [
        [(int(token), 1 + at % 3) for at, token in enumerate(random.integers(0, 12, 11))]
        for _ in range(20)
    ]
    split = split_of([write(tmp_path / "train.gz", documents)], vocabulary_size=12, keep=0.4)
    corpora = [corpus_of(of_epoch(split, documents, epoch), 3, 12) for epoch in range(3)]
    # The first epoch keeps all: 14 steps, of which later ones fill half or little more.
    assert len(corpora[0].ids) == 220
    assert max(len(corpus.ids) for corpus in corpora[1:]) < 150
    run = Run(alone, corpora, epochs=3, learning_rate=0.2)
    counts = window_chunks.count(split, epochs=3)
    assert counts[2:4] == run.counts[2:4]
    np.testing.assert_array_equal(counts.context_counts, run.counts.context_counts)
    result = run.train(tmp_path / "run", chunks=functools.partial(window_chunks.chunks, split))
    assert result.steps == 3 * 14
    assert [one.step for one in result.evaluations] == [14, 28, 42]
    assert_is_sgd_written_out(run, result.steps)


@pytest.mark.slow
def test_epochs_of_transformed_pairs_are_the_same(alone: WorkerGroup, tmp_path: Path) -> None:
    # Documents that end with what the next begins with: their runs stay two.
    documents: list[Document] = [
        [((first + at) % 12, 1 + at % 3) for at in range(11)] for first in range(0, 200, 10)
    ]
    corpus = corpus_of(documents, 3, 12)._replace(emit="pairs")
    path = write_pairs(tmp_path / "train.gz", [pairs_of(document) for document in documents])
    split = split_of_pairs([path], vocabulary_size=12)
    run = Run(alone, corpus, epochs=3, learning_rate=0.2, sampler="in_batch", num_sampled=4)
    counts = pair_chunks.count(split, epochs=3)
    assert counts[2:4] == run.counts[2:4]
    np.testing.assert_array_equal(counts.context_counts, run.counts.context_counts)
    result = run.train(tmp_path / "run", chunks=functools.partial(pair_chunks.chunks, split))
    assert result.steps == 3 * 14
    assert_is_sgd_written_out(run, result.steps)


def test_a_loss_that_is_not_finite_ends_the_run(alone: WorkerGroup, tmp_path: Path) -> None:
    unigram = np.full(12, np.nan, np.float32)
    run = Run(alone, walks(10, 40), unigram=unigram, learning_rate=0.5, max_row_step=2.0)
    message = (
        r"not finite after step \d of 6: lower trainer.learning_rate \(0.5\) or "
        r"trainer.max_row_step \(2.0\)"
    )
    with pytest.raises(InputError, match=message):
        run.train(tmp_path)
