"""What people get of a search: a table, a sentence, and a configuration that a run takes."""

import dataclasses
from pathlib import Path

import pytest

from components.hyperparameter_tuner.records import Measured, Search
from pipeline import config_file
from pipeline.results import tuned
from tests.pipeline.results.screens import printed

SET = Measured(
    {"trainer.epochs": 2, "trainer.sampler": "unigram", "trainer.sampler_power": 0.5},
    0.2,
    (0.1, 0.3, 0.2, 0.2),
    10.4,
)
BETTER = Measured(
    {"trainer.epochs": 3, "trainer.sampler": "log_uniform"}, 0.3, (0.2, 0.4, 0.3, 0.3), 1234.0
)
FAILED = Measured({"trainer.epochs": 6}, 0.0, (), 3.0, "the loss was not finite\nafter step 1")


def search_of(*trials: Measured) -> Search:
    return Search("mean_reciprocal_rank", 900, 0.3, 3_000, trials)


def test_the_table_has_the_best_one_first() -> None:
    table = tuned.trials_table(search_of(SET, FAILED, BETTER))
    lines = [" ".join(line.split()) for line in printed(table, width=120).splitlines()]
    assert [line for line in lines if line[:1] in ("1", "2", "3")] == [
        "3 0.3000 +0.1000 +- 0.0000 1,234 epochs 3, sampler log_uniform",
        "1 0.2000 10 epochs 2, sampler unigram, sampler_power 0.5",
        "2 failed 3 epochs 6",
    ]


def test_why_a_trial_failed_is_one_line() -> None:
    assert list(tuned.failures_of(search_of(SET, FAILED))) == [
        r"trial 2 failed: the loss was not finite\nafter step 1"
    ]


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        # Differences of .1 each; of -.3, .5, .1 and .1: their error is .1633, half of the gain.
        (
            (0.2, 0.4, 0.3, 0.3),
            "mean reciprocal rank (MRR) 0.3000 on 3,000 held-out pairs, 0.2000 as it is set: "
            "better by 0.1000 +- 0.0000",
        ),
        (
            (-0.2, 0.8, 0.3, 0.3),
            "mean reciprocal rank (MRR) 0.3000 on 3,000 held-out pairs, 0.2000 as it is set: "
            "better by 0.1000 +- 0.1633, which may be chance",
        ),
    ],
)
def test_the_verdict_knows_chance(blocks: tuple[float, ...], said: str) -> None:
    assert tuned.verdict(search_of(SET, Measured({}, 0.3, blocks, 1.0))) == said


def test_where_none_is_better_it_says_so() -> None:
    assert tuned.verdict(search_of(SET, FAILED)) == (
        "None of 2 trials is better than what is set, with a mean reciprocal rank (MRR) of 0.2000 "
        "on 3,000 held-out pairs"
    )


def test_what_a_sample_leaves_open_is_said() -> None:
    search = search_of(SET, BETTER)
    [said] = tuned.warning(search, "tuned.yaml")
    assert "a share of 0.3 of the documents" in said
    assert said.endswith("skipgram tune --config tuned.yaml --sample 1")
    assert [*tuned.warning(dataclasses.replace(search, share=1.0), "tuned.yaml")] == []


def test_a_run_takes_the_configuration(tmp_path: Path) -> None:
    settings = ["trainer.sampler=unigram", "trainer.sampler_power=0.5", "trainer.dim=8", "seed=3"]
    config = config_file.load(None, settings, ["books/*.txt"])
    text = tuned.as_yaml(search_of(SET, BETTER), config, "skipgram tune --trials 2 --corpus 'a\nb'")
    path = tmp_path / "tuned.yaml"
    path.write_text(text)
    assert text.startswith(tuned.FIRST_LINE)
    head = [line for line in text.splitlines() if line.startswith("#")]
    assert head[1:3] == [
        r"# Command: skipgram tune --trials 2 --corpus 'a\nb'",
        "# Seed 3; 2 trials, each trained on 900 documents, a share of 0.3.",
    ]
    found = config_file.load(path)
    assert found.corpus.files == ("books/*.txt",)
    assert (found.seed, found.trainer.dim, found.trainer.epochs) == (3, 8, 3)
    # What log_uniform does not have is not left behind.
    assert (found.trainer.sampler, found.trainer.sampler_power) == ("log_uniform", 0.75)


def test_defaults_of_kind_and_objective_come_back(tmp_path: Path) -> None:
    config = config_file.load(None, ["corpus.kind=edges", "trainer.objective=negative_sampling"])
    path = tmp_path / "tuned.yaml"
    path.write_text(tuned.as_yaml(search_of(Measured({}, 0.3, (0.3,), 1.0)), config, "skipgram"))
    assert config_file.load(path) == config
