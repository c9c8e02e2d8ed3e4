"""KerasTuner's search: it begins with what is set, asks for nothing twice, can be made again."""

import doctest
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras_tuner
import pytest
from keras_tuner.errors import FatalError

from components.hyperparameter_tuner import tuner
from components.hyperparameter_tuner.records import Measured, Records, Search
from components.hyperparameter_tuner.search_space import Space, Value, search_space
from components.hyperparameter_tuner.trials import Settings
from components.hyperparameter_tuner.tuner import Oracle, SkipGramTuner
from trainer_module.errors import InputError
from trainer_module.hyperparameters import PreprocessingHyperparameters, TrainerHyperparameters

SETTINGS = Settings(
    PreprocessingHyperparameters(),
    TrainerHyperparameters(sampler="unigram", sampler_power=0.5, epochs=3),
)
SPACE = search_space("text", *SETTINGS)
SET = {
    "trainer.learning_rate": 0.05,
    "trainer.epochs": 3,
    "preprocessing.window": 5,
    "preprocessing.subsample": 1e-4,
    "trainer.num_sampled": 256,
    "trainer.sampler": "unigram",
    "trainer.sampler_power": 0.5,
}


class Killed(BaseException):
    """As a SIGKILL, nothing that is meant for errors hears of it."""


class ToyTrials:
    """In place of Trials: a measure that can be computed in the head, and a kill."""

    measure = "mean_reciprocal_rank"

    def __init__(self, records: Records, kill_at: int | None = None):
        self._records, self._kill_at = records, kill_at
        self.ended: list[Measured] = []
        self.trained: list[Mapping[str, Value]] = []

    def run(self, values: Mapping[str, Value], listener: Any) -> Measured:
        found = self._records.find(values)
        if found is None:
            if len(self.ended) == self._kill_at:
                raise Killed
            self.trained.append(dict(values))
            window, rate = values["preprocessing.window"], values["trainer.learning_rate"]
            assert isinstance(window, int)
            assert isinstance(rate, float)
            found = Measured(dict(values), window / 20 + rate, (0.5,), 1.0)
            self._records.add(found)
        self.ended.append(found)
        return found

    def search(self) -> Search:
        return Search(self.measure, 1, 1.0, 1, tuple(self.ended))


def searched(
    trials: Any, folder: Path, number: int, *, space: Space = SPACE, seed: int = 1
) -> SkipGramTuner:
    found = SkipGramTuner(oracle_of(number, space, seed), space, trials, str(folder))
    found.search()
    return found


def oracle_of(number: int, space: Space = SPACE, seed: int = 1) -> Oracle:
    oracle = Oracle(
        keras_tuner.Objective("mean_reciprocal_rank", direction="max"),
        max_trials=number,
        num_initial_points=4,
        seed=seed,
        hyperparameters=tuner.hyperparameters(space, SETTINGS),
    )
    oracle.verbose = 0
    return oracle


def values_of(trials: ToyTrials) -> list[dict[str, Value]]:
    return [dict(trial.values) for trial in trials.ended]


def test_the_first_trial_is_what_is_set_and_none_comes_twice(tmp_path: Path) -> None:
    trials = ToyTrials(Records(tmp_path / "records"))
    found = searched(trials, tmp_path, 8)
    tried = values_of(trials)
    assert tried[0] == SET
    assert len({json.dumps(values, sort_keys=True) for values in tried}) == 8
    for values in tried:
        # The power is of unigram alone.
        assert ("trainer.sampler_power" in values) == (values["trainer.sampler"] == "unigram")
        assert all(value in SPACE[name] for name, value in values.items())
    best = max(trials.ended, key=lambda trial: trial.measure)
    assert found.get_best_hyperparameters()[0].values == best.values
    # After four at random it goes where the measure is high: to wide windows and high rates.
    assert best.measure > 10 / 20 + 0.1


def test_a_space_may_have_fewer_values_than_trials(tmp_path: Path) -> None:
    space: Space = {"trainer.epochs": (1, 3), "preprocessing.window": (5, 8)}

    class Flat(ToyTrials):
        def run(self, values: Mapping[str, Value], listener: Any) -> Measured:
            return super().run({**values, "trainer.learning_rate": 0.1}, listener)

    trials = Flat(Records(tmp_path / "records"))
    searched(trials, tmp_path, 12, space=space)
    assert len(trials.trained) == 4


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> ToyTrials:
    """Four trials at random and two that the Gaussian process has chosen, a second's work each."""
    folder = tmp_path_factory.mktemp("undisturbed")
    trials = ToyTrials(Records(folder / "records"))
    searched(trials, folder, 6)
    return trials


@pytest.mark.parametrize("kill_at", [2, 5])
def test_after_a_kill_no_finished_trial_runs_again_and_the_end_is_the_same(
    kill_at: int, undisturbed: ToyTrials, tmp_path: Path
) -> None:
    killed = ToyTrials(Records(tmp_path / "records"), kill_at)
    with pytest.raises(Killed):
        searched(killed, tmp_path / "b", 6)
    again = ToyTrials(Records(tmp_path / "records"))
    searched(again, tmp_path / "b", 6)
    assert again.ended == undisturbed.ended
    assert [*killed.trained, *again.trained] == undisturbed.trained
    assert len(killed.trained) == kill_at


def test_more_trials_go_on_where_fewer_ended(undisturbed: ToyTrials, tmp_path: Path) -> None:
    fewer, more = (ToyTrials(Records(tmp_path / "records")) for _ in range(2))
    searched(fewer, tmp_path / "a", 5)
    searched(more, tmp_path / "b", 6)
    assert len(more.trained) == 1
    assert more.ended == undisturbed.ended


def test_another_seed_tries_other_values_and_zero_is_one(tmp_path: Path) -> None:
    # KerasTuner takes 0 for none, and draws one: tuner_fn gives it one more.
    first, again, other = (ToyTrials(Records(tmp_path / name)) for name in ("a", "b", "c"))
    for trials, seed in ((first, 1), (again, 1), (other, 2)):
        searched(trials, tmp_path / f"{seed}", 3, seed=seed)
    assert values_of(first) == values_of(again)
    assert values_of(first)[1:] != values_of(other)[1:]


def test_what_goes_wrong_ends_the_search(tmp_path: Path) -> None:
    class Failing(ToyTrials):
        def run(self, values: Mapping[str, Value], listener: Any) -> Measured:
            raise InputError("nothing to train on")

    with pytest.raises(FatalError, match="InputError: nothing to train on") as raised:
        searched(Failing(Records(tmp_path / "records")), tmp_path, 3)
    assert isinstance(raised.value.__cause__, InputError)


def test_where_the_search_stands_is_said(tmp_path: Path, capsys: Any) -> None:
    from trainer_module.training.progress import UnigramModel

    class Talking(ToyTrials):
        def run(self, values: Mapping[str, Value], listener: Any) -> Measured:
            listener(UnigramModel(1.0, 2.0))
            return super().run(values, listener)

    searched(Talking(Records(tmp_path / "records")), tmp_path, 2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("trial 1 of 2: unigram model")
    assert lines[1].startswith("trial 2 of 2, best 0.3000: unigram model")


def test_a_choice_between_numbers_and_a_word_comes_back_as_it_is(tmp_path: Path) -> None:
    space: Space = {"preprocessing.window": (2, 5, "all"), "trainer.learning_rate": (0.05, 0.1)}

    class Flat(ToyTrials):
        def run(self, values: Mapping[str, Value], listener: Any) -> Measured:
            super().run({**values, "preprocessing.window": 1}, listener)
            self.trained.append(values)
            return self.ended[-1]

    trials = Flat(Records(tmp_path / "records"))
    searched(trials, tmp_path, 4, space=space)
    windows = [values["preprocessing.window"] for values in trials.trained]
    assert windows[1] == 5
    assert set(windows) <= {1, 2, 5, "all"}


def test_examples_run() -> None:
    found = doctest.testmod(tuner)
    assert (found.failed, found.attempted) == (0, 1)
