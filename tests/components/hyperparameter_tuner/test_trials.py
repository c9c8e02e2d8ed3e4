"""Trials of a small corpus: what they measure, what fails, and that none is run twice."""

import dataclasses
import math
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.hyperparameter_tuner.data import Data
from components.hyperparameter_tuner.records import Records
from components.hyperparameter_tuner.trials import Settings, Trials
from skipgram import training
from trainer_module.errors import InputError
from trainer_module.hyperparameters import PreprocessingHyperparameters
from trainer_module.input_pipeline.documents import DocumentsInMemory
from trainer_module.training.progress import News, say_nothing
from trainer_module.workers import group

# Documents of one group's tokens each: a token's contexts are its group's, all as likely.
GROUPS = [[f"{color}{i}".encode() for i in range(4)] for color in ("red", "green", "blue")]
SECTIONS: dict[str, dict[str, Any]] = {
    "preprocessing": {"min_count": 1, "subsample": 0.0, "window": 2},
    "trainer": {"dim": 8, "epochs": 20, "learning_rate": 0.2, "objective": "full_softmax"},
}
SET = {"trainer.epochs": 20, "trainer.learning_rate": 0.2}
# Of four tokens of a group each is a context as often; the best there can be is the mean of 1/1,
# 1/2, 1/3 and 1/4, and of 12 tokens by chance it is that of 1/1 to 1/12.
BEST, CHANCE = sum(1 / n for n in range(1, 5)) / 4, sum(1 / n for n in range(1, 13)) / 12


def documents(seed: int, number: int) -> DocumentsInMemory:
    drawn = random.Random(seed)
    texts = [drawn.choices(drawn.choice(GROUPS), k=9) for _ in range(number)]
    vocabulary = training._vocabulary(
        Counter(token for group in GROUPS for token in group),
        PreprocessingHyperparameters(min_count=1),
    )
    found = training._split(
        training._numbered(texts, seed),
        vocabulary,
        PreprocessingHyperparameters(**SECTIONS["preprocessing"]),
        7,
    ).documents
    assert isinstance(found, DocumentsInMemory)
    return found


@pytest.fixture(scope="module")
def data() -> Data:
    counted = Counter({token: 90 for group in GROUPS for token in group})
    vocabulary = training._vocabulary(counted, PreprocessingHyperparameters(min_count=1))
    return Data(vocabulary, documents(1, 400), documents(2, 60), 7, False)


def trials_of(data: Data, folder: Path, **trainer: Any) -> Trials:
    sections = {**SECTIONS, "trainer": {**SECTIONS["trainer"], **trainer}}
    return Trials(data, "text", sections, group.join(), Records(folder))


@pytest.mark.slow
class TestRunning:
    def test_a_model_that_learnt_is_near_the_best_there_can_be(self, data, tmp_path) -> None:
        trials = trials_of(data, tmp_path)
        found = trials.run(SET, say_nothing)
        assert found.measure == pytest.approx(BEST, abs=0.04)
        worse = trials.run({"trainer.epochs": 1, "trainer.learning_rate": 0.0001}, say_nothing)
        assert worse.measure == pytest.approx(CHANCE, abs=0.1)
        gain, error = found.gain_over(worse)
        assert 0 < 5 * error < gain
        search = trials.search()
        assert (search.measure, search.documents) == ("mean_reciprocal_rank", 400)
        assert search.best is found

    def test_none_is_run_twice_and_a_record_says_the_same(self, data, tmp_path) -> None:
        said: list[News] = []
        found = trials_of(data, tmp_path).run(SET, said.append)
        assert said
        said.clear()
        again = trials_of(data, tmp_path).run(SET, said.append)
        assert again == found
        assert said == []
        # Elsewhere it is run, and gives the same to the last bit.
        anew = trials_of(data, tmp_path / "other").run(SET, said.append)
        assert dataclasses.replace(anew, cpu_seconds=found.cpu_seconds) == found
        assert not list(tmp_path.rglob("*.checkpoints"))

    def test_a_trial_that_fails_measures_nothing_and_the_first_ends_the_search(
        self, data, tmp_path
    ) -> None:
        # All tokens are as frequent, so each is kept with a share of 1 in 5,000.
        thinned = {"preprocessing.subsample": 1e-9, **SET}
        with pytest.raises(InputError, match="the train split gives no pair"):
            trials_of(data, tmp_path).run(thinned, say_nothing)
        trials = trials_of(data, tmp_path)
        trials.run(SET, say_nothing)
        found = trials.run(thinned, say_nothing)
        assert (found.measure, found.blocks) == (0.0, ())
        assert found.failure is not None
        assert "the train split gives no pair" in found.failure


def test_a_trial_trains_alone_and_is_evaluated_where_training_goes_by_it() -> None:
    trainer = {"workers": 2, "sync_every": 128, "evaluations_per_epoch": 3}
    settings = Settings.of({"preprocessing": {}, "trainer": trainer})
    alone = settings.for_trial().trainer
    assert (alone.workers, alone.sync_every, alone.evaluations_per_epoch) == (1, 1, 0)
    for goes_by_it in ({"keep": "best"}, {"patience": 2}):
        of_best = Settings.of({"preprocessing": {}, "trainer": {**trainer, **goes_by_it}})
        assert of_best.for_trial().trainer.evaluations_per_epoch == 3


def test_scores_are_shifted_to_contexts_as_the_pairs_have_them(data, tmp_path) -> None:
    # Each of 12 tokens is a twelfth of all: with t = 1/48 it is kept with sqrt(1/4) + 1/4.
    trials = trials_of(data, tmp_path)
    shift = trials._shift(PreprocessingHyperparameters(min_count=1, subsample=1 / 48))
    assert shift == pytest.approx(np.full(12, math.log(4 / 3)))
    assert trials._shift(trials.settings.preprocessing).tolist() == [0.0] * 12


def test_of_text_what_is_set_draws_the_pairs_and_of_other_kinds_all_count(data, tmp_path) -> None:
    sections = {**SECTIONS, "preprocessing": {**SECTIONS["preprocessing"], "subsample": 1 / 48}}
    text, edges = (
        Trials(data, kind, sections, group.join(), Records(tmp_path)) for kind in ("text", "edges")
    )
    # Three quarters of the tokens, so about nine sixteenths of the pairs; wider apart as they are.
    assert text.search().pairs < 0.9 * edges.search().pairs
    given = PreprocessingHyperparameters(**sections["preprocessing"])
    assert text._shift(given).tolist() == [0.0] * 12
    assert edges._shift(given) == pytest.approx(np.full(12, math.log(4 / 3)))
