"""When training does what, by hand."""

import pytest

from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.training.schedule import Schedule, evenly

# 35 steps an epoch: chunks of 16, 16 and 3.
SHORT = Schedule(
    targets_per_step=16, steps_per_epoch=35, epochs=2, chunks_per_call=2, evaluated_chunks=(1, 3)
)


def of(num_targets: int, num_workers: int = 1, **hyperparameters: object) -> Schedule:
    given = TrainerHyperparameters(**hyperparameters)
    return Schedule.of(given, num_targets=num_targets, num_workers=num_workers)


def test_sizes_of_work() -> None:
    assert SHORT.steps == 70
    assert SHORT.targets_per_chunk == 256
    assert SHORT.chunks_per_epoch == 3
    assert SHORT.max_evaluations == 4


@pytest.mark.parametrize(
    ("steps_done", "position", "chunks"),
    [
        (0, (0, 0), 1),  # to the evaluation after the first chunk
        (16, (0, 1), 2),  # to the end of the epoch
        (32, (0, 2), 1),
        (35, (1, 0), 1),
        (51, (1, 1), 2),
        (67, (1, 2), 1),
    ],
)
def test_a_call_ends_where_something_else_is_due(
    steps_done: int, position: tuple[int, int], chunks: int
) -> None:
    assert SHORT.position(steps_done) == position
    assert SHORT.chunks_of_call(steps_done) == chunks


def test_evaluations_and_beginnings_of_epochs() -> None:
    ends_of_chunks = (16, 32, 35, 51, 67, 70)
    assert [steps for steps in ends_of_chunks if SHORT.is_evaluated(steps)] == [16, 35, 51, 70]
    assert [steps for steps in (0, *ends_of_chunks) if SHORT.begins_epoch(steps)] == [0, 35, 70]


def test_a_step_is_divided_among_workers_that_step_together() -> None:
    assert of(1000, batch_size=64).targets_per_step == 64
    two = of(1000, 2, batch_size=64)
    assert two.targets_per_step == 32
    assert two.steps_per_epoch == 32  # 1000 / 32, rounded up
    assert two.chunks_per_sync is None


def test_workers_on_their_own_take_whole_steps_and_sync() -> None:
    two = of(1000, 2, batch_size=64, sync_every=48)
    assert two.targets_per_step == 64
    assert two.chunks_per_sync == 3
    assert list(two.chunks_between_syncs(7)) == [3, 3, 1]


def test_one_worker_has_nobody_to_sync_with() -> None:
    alone = of(1000, batch_size=64, sync_every=48)
    assert alone.chunks_per_sync is None
    assert list(alone.chunks_between_syncs(7)) == [7]


def test_the_more_workers_the_shorter_the_call_after_which_all_rows_are_synced() -> None:
    # Half a million targets, 2^19, in chunks of 16 steps of 512.
    settings = {"batch_size": 512, "sync_every": 16}
    assert [of(1 << 22, n, **settings).chunks_per_call for n in (1, 2, 3, 5)] == [64, 64, 32, 16]


def test_threads_take_whole_steps_and_some_pieces_of_a_call_each() -> None:
    # A call is of half a million targets of each thread, 2^19 / (16 * 512) = 64 chunks.
    four = of(1 << 22, batch_size=512, threads=4)
    assert four.targets_per_step == 512
    assert four.chunks_per_call == 4 * 64
    assert four.pieces(4 * 64) == [8] * 32
    assert four.pieces(70) == [2] * 35
    assert four.pieces(65) == [2] * 32 + [1]
    assert four.pieces(3) == [1, 1, 1]


def test_workers_of_threads_sync_no_later_than_those_of_one() -> None:
    settings = {"batch_size": 512, "sync_every": 64}
    assert of(1 << 22, 3, threads=4, **settings).chunks_per_call == 32
    assert of(1 << 22, 3, **settings).chunks_per_call == 32


@pytest.mark.parametrize(
    ("nth", "first", "steps"),
    [(0, 0, 16), (1, 16, 16), (2, 32, 3), (3, 35, 16), (5, 67, 3)],
)
def test_the_steps_of_a_chunk(nth: int, first: int, steps: int) -> None:
    assert SHORT.steps_of_chunk(nth) == (first, steps)


@pytest.mark.parametrize(
    ("chunks", "evaluations", "expected"),
    [
        (4, 0, ()),
        (4, 1, (4,)),
        (4, 2, (2, 4)),
        (4, 3, (2, 3, 4)),
        (4, 4, (1, 2, 3, 4)),
        (4, 1000, (1, 2, 3, 4)),  # not more often than a chunk
        (1, 5, (1,)),
        (10, 3, (4, 7, 10)),
    ],
)
def test_evaluations_are_spread_over_an_epoch(
    chunks: int, evaluations: int, expected: tuple[int, ...]
) -> None:
    assert evenly(chunks, evaluations) == expected
