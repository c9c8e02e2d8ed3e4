"""What a kind of corpus sets where nothing else is said."""

from typing import get_args

import pytest
import yaml

from pipeline import config_file
from pipeline.config import Config
from pipeline.config_reference import as_yaml
from pipeline.sections.corpus import CorpusConfig, Kind
from pipeline.sections.kinds import KINDS
from trainer_module.errors import InputError
from trainer_module.hyperparameters import PreprocessingHyperparameters


@pytest.mark.parametrize("kind", get_args(Kind))
def test_the_defaults_of_each_kind_are_a_configuration(kind: Kind) -> None:
    config = Config.model_validate({"corpus": {"kind": kind}})
    for name, defaults in KINDS[kind].defaults.items():
        for field, value in defaults.items():
            assert getattr(getattr(config, name), field) == value


@pytest.mark.parametrize("kind", get_args(Kind))
def test_what_is_written_for_a_kind_is_read_as_that_kind(kind: Kind) -> None:
    written = Config.model_validate(yaml.safe_load(as_yaml(kind)))
    assert written == Config.model_validate({"corpus": {"kind": kind}})


def test_pairs_are_trained_longer_and_faster_than_text() -> None:
    trainer = yaml.safe_load(as_yaml("pairs"))["trainer"]
    assert (trainer["objective"], trainer["learning_rate"], trainer["epochs"]) == ("nce", 0.1, 10)
    assert trainer["keep"] == "best"
    assert Config.model_validate({"corpus": {"kind": "pairs"}}).preprocessing.min_count == 1
    # Where another objective is set, it has its own.
    given = {"corpus": {"kind": "pairs"}, "trainer": {"objective": "negative_sampling"}}
    other = Config.model_validate(given).trainer
    assert (other.learning_rate, other.epochs, other.keep) == (0.025, 2, "last")


@pytest.mark.parametrize(
    ("kind", "setting", "said"),
    [
        ("edges", "tokenizer=unicode_words", "the ids of corpus.kind = edges are taken as they"),
        ("pairs", "emit=windows", "is of one vocabulary, and corpus.kind = pairs has two"),
        ("pairs", "subsample=0.1", "pairs that are given are all kept: set it to 0"),
    ],
)
def test_what_does_not_go_with_a_kind_is_said(kind: Kind, setting: str, said: str) -> None:
    settings = [f"corpus.kind={kind}", f"preprocessing.{setting}"]
    name, value = setting.split("=")
    with pytest.raises(InputError) as caught:
        config_file.load(settings=settings)
    assert str(caught.value).startswith(f"preprocessing.{name} = {value} ")
    assert said in str(caught.value)


def test_what_is_set_counts_in_trees_and_in_sections() -> None:
    trees = Config.model_validate(
        {"corpus": {"kind": "edges"}, "preprocessing": {"subsample": 0.5}}
    )
    sections = Config(
        corpus=CorpusConfig(kind="edges"),
        preprocessing=PreprocessingHyperparameters(subsample=0.5),
    )
    assert trees == sections
    assert (trees.preprocessing.subsample, trees.preprocessing.tokenizer) == (0.5, "whitespace")


def test_with_another_objective_what_was_measured_for_the_kinds_own_does_not_count() -> None:
    own = Config.model_validate({"corpus": {"kind": "sessions"}}).trainer
    other = Config.model_validate(
        {"corpus": {"kind": "sessions"}, "trainer": {"objective": "full_softmax"}}
    )
    assert (
        other.trainer == Config.model_validate({"trainer": {"objective": "full_softmax"}}).trainer
    )
    assert own.objective == KINDS["sessions"].defaults["trainer"]["objective"]
    assert other.preprocessing.tokenizer == "whitespace"
