"""Records of trials: none is lost, none is half written, and their difference has an error."""

import math
import statistics
from pathlib import Path

import pytest

from components.hyperparameter_tuner.records import Measured, Records, Search

VALUES = {"trainer.epochs": 2, "trainer.sampler": "unigram"}
TRIAL = Measured(VALUES, 0.5, (0.4, 0.6, 0.5), 12.5)


def test_a_trial_is_found_by_its_values_alone(tmp_path: Path) -> None:
    records = Records(tmp_path / "new")
    assert records.find(VALUES) is None
    records.add(TRIAL)
    assert records.find(dict(reversed(VALUES.items()))) == TRIAL
    assert records.find({**VALUES, "trainer.epochs": 3}) is None
    assert Records(tmp_path / "new").find(VALUES) == TRIAL


def test_what_was_not_finished_is_not_found(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.add(TRIAL)
    [path] = tmp_path.iterdir()
    # As a kill leaves it: all of it, but not yet in its place.
    path.rename(path.with_suffix(".unfinished"))
    assert records.find(VALUES) is None


def test_gain_and_its_error_by_hand() -> None:
    other = Measured({}, 0.3, (0.3, 0.3, 0.3), 1.0)
    gain, error = TRIAL.gain_over(other)
    # Differences of blocks: .1, .3, .2; their standard deviation is .1.
    assert (gain, error) == (pytest.approx(0.2), pytest.approx(0.1 / math.sqrt(3)))


def test_what_is_hard_for_both_is_no_error() -> None:
    hard = Measured({}, 0.5, (0.1, 0.9), 1.0)
    better = Measured({}, 0.6, (0.2, 1.0), 1.0)
    assert better.gain_over(hard)[1] == pytest.approx(0.0)
    assert statistics.stdev(better.blocks) > 0.5


def test_of_a_trial_that_failed_nothing_is_known_by_blocks() -> None:
    failed = Measured({}, 0.0, (), 1.0, "the loss is not finite")
    assert failed.gain_over(TRIAL) == (-0.5, 0.0)


def test_a_search_is_read_as_it_was_written() -> None:
    search = Search(
        "mean_reciprocal_rank", 100, 0.1, 2_000, (TRIAL, Measured({}, 0.0, (), 1.0, "why"))
    )
    assert Search.of_json(search.to_json()) == search


def test_of_equal_trials_the_first_is_the_best() -> None:
    one, again = (Measured({"trainer.epochs": n}, 0.5, (0.5,), 1.0) for n in (1, 2))
    assert Search("auc", 1, 1.0, 1, (one, again)).best is one
