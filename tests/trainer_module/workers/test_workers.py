"""Groups of real processes with real collectives."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer_module import runs
from tests.trainer_module.runs import Array
from tests.trainer_module.workers import group
from trainer_module.errors import InputError
from trainer_module.workers.cluster import Worker
from trainer_module.workers.group import WorkerGroup

pytestmark = pytest.mark.slow

SETTINGS: dict[str, dict[str, Any]] = {
    # Some 28 blocks of 16 targets a worker and epoch, in chunks that have room for 16 steps.
    "together": {"batch_size": 32, "learning_rate": 0.1, "num_sampled": 6},
    "pairs together": {"emit": "pairs", "batch_size": 32, "learning_rate": 0.1, "num_sampled": 6},
    # Each worker on its own for 16 steps of 16 targets.
    "apart": {
        "batch_size": 16,
        "sync_every": 16,
        "objective": "negative_sampling",
        "num_sampled": 6,
    },
}
# Each worker with 2 threads: its steps are of no fixed order. Before the rate has fallen, the loss
# goes up and down with that order.
THREADS = {**SETTINGS["apart"], "threads": 2, "sync_every": 32, "epochs": 6}
# The last bit of a bfloat16 just below 1 is 0.004.
ATOL = {"together": 2e-4, "pairs together": 2e-4, "apart": 4e-3}
WrittenOut = Callable[[list[runs.Run]], list[Array]]


def shares_of_all(alone: WorkerGroup, **settings: Any) -> list[runs.Run]:
    """Of each of two workers, alone in this process: only what it knows is used."""
    return [
        group.run_of(WorkerGroup(alone.strategy, Worker(index, 2)), **settings) for index in (0, 1)
    ]


def begun(run: runs.Run) -> list[Array]:
    return [table.astype(np.float64) for table in run.tables]


def num_steps(shares: list[runs.Run], size: int) -> int:
    """Of an epoch: of the largest share."""
    return -(-max(len(corpus.ids) for run in shares for corpus in run.corpora) // size)


def together_written_out(shares: list[runs.Run]) -> list[Array]:
    """Each step is one of SGD on the blocks of both workers, with candidates of both."""
    tables, steps = begun(shares[0]), num_steps(shares, 16)
    for step in range(2 * steps):
        epoch, nth = divmod(step, steps)
        blocks = [run.corpora[epoch].pairs(16 * nth, 16 * (nth + 1)) for run in shares]
        pairs = map(np.concatenate, zip(*blocks, strict=True))
        runs.take_step(shares[0], step, *pairs, tables, 0.1 * (1 - step / (2 * steps)))
    return tables


def apart_written_out(shares: list[runs.Run]) -> list[Array]:
    """Each steps on its own; frequent rows get the changes of both after a chunk, all at the end.

    An epoch has two chunks.
    """
    last, steps = begun(shares[0]), num_steps(shares, 16)
    own = [[table.copy() for table in last] for _ in shares]
    for epoch in (0, 1):
        for nth in range(steps):
            step = epoch * steps + nth
            for index, (run, tables) in enumerate(zip(shares, own, strict=True)):
                pairs = run.corpora[epoch].pairs(16 * nth, 16 * (nth + 1))
                rate = 0.025 * (1 - step / (2 * steps))
                runs.take_step(run, 2 * step + index, *pairs, tables, rate)
            if nth == 15:
                add_up(last, own, group.FREQUENT)
        add_up(last, own, None)
    return last


def add_up(last: list[Array], own: list[list[Array]], rows: int | None) -> None:
    """Gives the first rows the changes of all workers."""
    for table, of_workers in zip(last, zip(*own, strict=True), strict=True):
        # As they are sent.
        sent = tf.bfloat16.as_numpy_dtype
        changes = [(one[:rows] - table[:rows]).astype(sent) for one in of_workers]
        table[:rows] += sum(changes).astype(np.float64)
        for one in of_workers:
            one[:rows] = table[:rows]


Trained = Callable[[str], list[list[Array]]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Of each worker, by the name of the settings."""
    return functools.cache(
        lambda name: group.train(
            tmp_path_factory.mktemp("undisturbed"), 2, hyperparameters=SETTINGS[name]
        )
    )


@pytest.mark.parametrize(
    ("name", "written_out"),
    [
        ("together", together_written_out),
        ("pairs together", together_written_out),
        ("apart", apart_written_out),
    ],
)
def test_two_workers_are_sgd_written_out_and_equal_to_the_last_bit(
    alone: WorkerGroup, undisturbed: Trained, name: str, written_out: WrittenOut
) -> None:
    one, other = undisturbed(name)
    for mine, theirs in zip(one, other, strict=True):
        assert mine.tobytes() == theirs.tobytes()
    expected = written_out(shares_of_all(alone, **SETTINGS[name]))
    for table, of_both in zip(expected[:2], one[:2], strict=True):
        np.testing.assert_allclose(of_both, table, rtol=1e-3, atol=ATOL[name])
    evaluations, resumed_at = one[3:]
    assert evaluations.shape == (2, 3)
    assert np.isfinite(evaluations).all()
    assert resumed_at == 0


@pytest.mark.parametrize(
    ("name", "kill"),
    [
        ("together", {"worker": 0, "checkpoint": 2}),
        ("apart", {"worker": 1, "report": 3}),
        ("apart", {"worker": 0, "report": 3}),
    ],
)
def test_a_killed_worker_ends_the_group_which_then_goes_on(
    undisturbed: Trained, tmp_path: Path, name: str, kill: dict[str, int]
) -> None:
    with pytest.raises(InputError, match=f"worker {kill['worker']} of 2 was ended by SIGKILL"):
        group.train(tmp_path, 2, hyperparameters=SETTINGS[name], kill=kill)
    assert not list(tmp_path.glob("*.npz"))
    if "checkpoint" in kill:  # the torn one is there, and the one before it
        assert len(list(tmp_path.glob("checkpoints/*.index"))) == 2
    resumed = group.train(tmp_path, 2, hyperparameters=SETTINGS[name])
    assert resumed[0][4] > 0
    for one, other in zip(resumed, undisturbed(name), strict=True):
        for mine, theirs in zip(one[:4], other[:4], strict=True):
            assert mine.tobytes() == theirs.tobytes()


def test_workers_of_threads_are_equal_and_go_on_after_a_kill(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"hyperparameters": THREADS}
    with pytest.raises(InputError, match=r"worker 1 of 2 was ended by SIGKILL"):
        group.train(tmp_path, 2, **settings, kill={"worker": 1, "report": 3})
    one, other = group.train(tmp_path, 2, **settings)
    for mine, theirs in zip(one, other, strict=True):
        assert np.isfinite(mine).all()
        assert mine.tobytes() == theirs.tobytes()
    evaluations, resumed_at = one[3:]
    assert resumed_at > 0
    # The softmax cross-entropy: 2.49 of tables that know nothing, 2.11 to 2.13 in trials.
    assert evaluations[-1, 1] < 2.3
