"""Threads that step on the same tables without locks."""

import dataclasses
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainer_module.runs import (
    Array,
    Corpus,
    KilledError,
    Run,
    assert_is_sgd_written_out,
    corpus_of,
    walks,
    with_windows,
)
from trainer_module.errors import InputError
from trainer_module.training import schedule
from trainer_module.training.progress import Progress
from trainer_module.training.record import Evaluation, TrainingResult
from trainer_module.workers.group import WorkerGroup

CHUNKS, THREADS = 12, 4
# Candidates of a block's own contexts: a step then changes no row of another chunk.
IN_BATCH: dict[str, Any] = {"sampler": "in_batch", "learning_rate": 0.2, "epochs": 2}


def strangers() -> Corpus:
    """Chunks of 16 blocks of 16 targets, the last one of 3 blocks, without a token in common.

    So it does not matter in which order they come: threads must give what one thread gives.

    Frames of pairs hold no token of a neighbour, as windows do. They are filled up with id 0, whose
    row each step writes back as it was: no document has it.
    """
    random = np.random.default_rng(5)
    documents = [
        1 + 12 * chunk + (random.integers(0, 12) + np.arange(16)) % 12
        for chunk in range(CHUNKS)
        for _ in range(16 if chunk < CHUNKS - 1 else 3)
    ]
    return corpus_of(with_windows(documents, 3), 3, 1 + 12 * CHUNKS)._replace(emit="pairs")


def run_of(alone: WorkerGroup, corpus: Corpus, threads: int = THREADS, **settings: Any) -> Run:
    return Run(alone, corpus, walks(4, 100), **{"batch_size": 16, "threads": threads, **settings})


def without_clock(result: TrainingResult) -> dict[str, Any]:
    found = dataclasses.asdict(result)
    return {k: v for k, v in found.items() if k not in ("seconds", "pairs_per_second", "threads")}


def assert_same(tables: list[Array], others: list[Array]) -> None:
    for one, other in zip(tables, others, strict=True):
        np.testing.assert_array_equal(one, other)


def test_threads_do_what_one_does_where_no_row_is_shared(
    alone: WorkerGroup, tmp_path: Path
) -> None:
    """Each chunk once an epoch, with the candidates and the rate of its own steps."""
    corpus = strangers()
    one, many = (run_of(alone, corpus, threads, **IN_BATCH) for threads in (1, THREADS))
    expected, result = (run.train(tmp_path / str(i)) for i, run in enumerate((one, many)))
    assert result.threads == THREADS
    # The sums over the pieces are of another order.
    assert result.train_loss == pytest.approx(expected.train_loss, rel=1e-12)
    assert without_clock(result) == {**without_clock(expected), "train_loss": result.train_loss}
    assert result.steps == 2 * (11 * 16 + 3)
    assert_same(many.tables, one.tables)
    assert_is_sgd_written_out(many, result.steps)


def test_progress_counts_what_all_threads_did(alone: WorkerGroup, tmp_path: Path) -> None:
    corpus, news = walks(5, 900), []
    run = run_of(alone, corpus, epochs=2, evaluations_per_epoch=2)
    # 57 steps an epoch, in chunks of 16, 16, 16 and 9; evaluated after the second and the fourth.
    calls = list(run.loop._calls(run.chunks))
    assert sum(pairs for _, [pairs] in calls) == 2 * len(corpus.pairs()[0])
    assert run.loop.state.steps == 2 * 57
    run.begin_anew()
    result = run.train(tmp_path, report=news.append)
    assert [one.step for one in news if isinstance(one, Progress)] == [32, 57, 89, 114]
    assert [one.step for one in news if isinstance(one, Evaluation)] == [32, 57, 89, 114]
    assert result.steps == 2 * 57


@pytest.mark.parametrize(
    "settings",
    [
        {"objective": "nce"},
        {"objective": "sampled_softmax", "sampler": "in_batch"},
        {"objective": "negative_sampling"},
        {"objective": "negative_sampling", "negatives": "per_pair"},
        {"objective": "full_softmax"},
    ],
    ids=lambda settings: "-".join(settings.values()),
)
def test_threads_learn_nearly_as_well_as_one(
    alone: WorkerGroup, tmp_path: Path, settings: dict[str, Any]
) -> None:
    """All 12 rows are shared by all steps: no corpus is harder on steps without locks."""
    learnt = []
    for threads in (1, THREADS):
        run = run_of(alone, walks(6, 4000), threads, epochs=4, learning_rate=0.05, **settings)
        begun = run.measure()
        run.train(tmp_path / str(threads))
        assert all(np.isfinite(table).all() for table in run.tables)
        learnt.append(begun - run.measure())
    assert learnt[0] > 0.1
    assert learnt[1] == pytest.approx(learnt[0], rel=0.25)


def test_a_killed_run_of_threads_goes_on(
    alone: WorkerGroup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Calls of 4 chunks, or of the 2 that are left before an evaluation: pp E pp E, twice.
    monkeypatch.setattr(schedule, "_TARGETS_PER_CALL", 256)
    settings = {**IN_BATCH, "checkpoint_seconds": 0.0, "evaluations_per_epoch": 2}
    run = run_of(alone, strangers(), **settings)
    expected = run.train(tmp_path / "undisturbed")
    tables, resumed_at = run.tables, []
    for kill_at in (2, 3, 4, 8, 12):
        run.begin_anew()
        with pytest.raises(KilledError):
            run.train(tmp_path / str(kill_at), kill_at=kill_at)
        run.forget()
        result = run.train(tmp_path / str(kill_at))
        resumed_at.append(result.resumed_at_step)
        assert result.train_loss == pytest.approx(expected.train_loss, rel=1e-12)
        assert result.steps == expected.steps
        assert result.evaluations == expected.evaluations
        assert_same(run.tables, tables)
    # What the last call but the killed one had reached: an epoch has 11 chunks of 16 steps and 3.
    assert resumed_at == [4 * 16, 4 * 16, 6 * 16, 179 + 4 * 16, 179 + 10 * 16]


def test_a_loss_that_is_not_finite_ends_all_threads(alone: WorkerGroup, tmp_path: Path) -> None:
    before = threading.active_count()
    run = run_of(alone, walks(10, 4000), unigram=np.full(12, np.nan, np.float32))
    with pytest.raises(InputError, match=r"not finite after step \d+ of 500"):
        run.train(tmp_path)
    assert threading.active_count() <= before
