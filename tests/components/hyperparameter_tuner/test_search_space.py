"""What is searched: whatever is drawn, the configuration takes it."""

import doctest
import random
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.hyperparameter_tuner import records, search_space
from components.hyperparameter_tuner.search_space import with_values
from pipeline.config import Config
from pipeline.sections.corpus import Kind
from trainer_module.hyperparameters import PreprocessingHyperparameters, TrainerHyperparameters
from trainer_module.objective_table import OBJECTIVES
from trainer_module.sizes import Window

KINDS = get_args(Kind)


def space_of(config: Config) -> search_space.Space:
    return search_space.search_space(config.corpus.kind, config.preprocessing, config.trainer)


def of(objective: str, kind: str = "text", **trainer: Any) -> Config:
    given = {"corpus": {"kind": kind}, "trainer": {"objective": objective, **trainer}}
    return Config.model_validate(given)


def test_by_hand() -> None:
    space = space_of(of("negative_sampling"))
    assert {name: list(values) for name, values in space.items()} == {
        # A fortieth around which it falls and rises by the root of two.
        "trainer.learning_rate": [0.0063, 0.0088, 0.013, 0.018, 0.025, 0.035, 0.05, 0.071, 0.1],
        "trainer.epochs": [1, 2, 3, 4, 6],
        "trainer.num_sampled": [16, 32, 64, 128],
        "trainer.num_negatives": [2, 5, 10, 15],
        "trainer.sampler": ["log_uniform", "unigram"],
        "trainer.sampler_power": [0.0, 0.25, 0.5, 0.75, 1.0],
        "preprocessing.window": [2, 3, 5, 8, 10],
        "preprocessing.subsample": [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 0.0],
    }


def test_what_means_nothing_is_left_out() -> None:
    assert set(space_of(of("full_softmax"))) == {
        *("trainer.learning_rate", "trainer.epochs"),
        *("preprocessing.window", "preprocessing.subsample"),
    }
    # Given pairs have no windows.
    assert not any(name.startswith("preprocessing") for name in space_of(of("nce", "pairs")))
    assert "trainer.num_negatives" not in space_of(of("nce"))


def test_at_the_ends_of_what_is_allowed() -> None:
    space = space_of(of("nce", learning_rate=10.0, epochs=1, num_sampled=1))
    assert max(space["trainer.learning_rate"]) == 10.0
    assert space["trainer.epochs"] == (1, 2, 3)
    assert space["trainer.num_sampled"] == (1, 2)


def test_of_sessions_windows_may_hold_all_and_powers_be_negative() -> None:
    space = space_of(of("nce", "sessions"))
    assert list(space["preprocessing.window"]) == [2, 3, 5, 8, 10, "all"]
    assert space["trainer.sampler_power"][0] == -1.0
    config = Config.model_validate({"preprocessing": {"window": "all"}})
    assert list(space_of(config)["preprocessing.window"]) == [2, 5, 10, 25, "all"]


def test_another_sampler_that_is_set_stays_among_them() -> None:
    assert space_of(of("nce", sampler="in_batch"))["trainer.sampler"][-1] == "in_batch"


@given(
    objective=st.sampled_from(list(OBJECTIVES)),
    kind=st.sampled_from(KINDS),
    learning_rate=st.floats(1e-6, 10),
    epochs=st.integers(1, 1000),
    window=st.integers(1, 100) | st.just("all"),
    subsample=st.floats(0, 1),
    drawn=st.randoms(use_true_random=False),
)
@settings(max_examples=200)
def test_the_configuration_takes_whatever_is_drawn(
    objective: str,
    kind: str,
    learning_rate: float,
    epochs: int,
    window: Window,
    subsample: float,
    drawn: random.Random,
) -> None:
    sections: dict[str, dict[str, Any]] = {
        "corpus": {"kind": kind},
        "preprocessing": {"window": window, "subsample": subsample},
        "trainer": {"objective": objective, "learning_rate": learning_rate, "epochs": epochs},
    }
    if kind == "pairs":
        del sections["preprocessing"]["subsample"]  # refused but for 0: given pairs are all kept
    if "sampler" in OBJECTIVES[objective].uses:
        sections["trainer"] |= {"sampler": "unigram", "sampler_power": 0.3}
    config = Config.model_validate(sections)
    space = space_of(config)
    for name, values in space.items():
        section, _, field = name.partition(".")
        assert getattr(getattr(config, section), field) in values
        assert len(set(values)) == len(values)
    values = {name: drawn.choice(list(values)) for name, values in space.items()}
    if values.get("trainer.sampler", "unigram") != "unigram":
        del values["trainer.sampler_power"]
    found = Config.model_validate(with_values(sections, values))
    for name, value in values.items():
        section, _, field = name.partition(".")
        assert getattr(getattr(found, section), field) == value


def test_whole_sections_keep_what_is_not_searched() -> None:
    preprocessing = PreprocessingHyperparameters(min_count=3).model_dump(mode="json")
    trainer = TrainerHyperparameters(sampler="unigram", sampler_power=0.5).model_dump(mode="json")
    found = with_values(
        {"preprocessing": preprocessing, "trainer": trainer},
        {"trainer.sampler": "log_uniform", "preprocessing.window": 2},
    )
    assert PreprocessingHyperparameters(**found["preprocessing"]).min_count == 3
    assert PreprocessingHyperparameters(**found["preprocessing"]).window == 2
    # The power of unigram is not log_uniform's.
    assert TrainerHyperparameters(**found["trainer"]).sampler_power == 0.75


@pytest.mark.parametrize(("module", "examples"), [(search_space, 4), (records, 2)])
def test_examples_run(module: Any, examples: int) -> None:
    found = doctest.testmod(module)
    assert (found.failed, found.attempted) == (0, examples)
