import json
from typing import Any

import pytest
from pydantic import ValidationError

from trainer_module.hyperparameters import TrainerHyperparameters

SAMPLED = [
    "nce",
    "sampled_softmax",
    "negative_sampling",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
]
FULL = ["full_softmax", "full_sigmoid"]
EVERY_SAMPLED = (
    "nce, sampled_softmax, negative_sampling, sigmoid_cross_entropy and softmax_cross_entropy"
)
CORRECTED = "nce, sampled_softmax and softmax_cross_entropy"


def said(**given: Any) -> str:
    """What is complained of."""
    with pytest.raises(ValidationError) as caught:
        TrainerHyperparameters(**given)
    (error,) = caught.value.errors()
    return str(error["ctx"]["error"])


# --- Fields that mean nothing for the objective


@pytest.mark.parametrize("name", FULL)
@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("sampler", "uniform", "uniform"),
        ("sampler_power", 0.5, "0.5"),
        ("replacement", True, "true"),
        ("negatives", "per_pair", "per_pair"),
        ("num_sampled", 7, "7"),
        ("remove_accidental_hits", True, "true"),
    ],
)
def test_what_samples_is_refused_where_nothing_is_sampled(
    name: str, field: str, value: Any, shown: str
) -> None:
    message = f"{field} = {shown} is for {EVERY_SAMPLED}, not {name}: leave it out"
    assert said(objective=name, **{field: value}) == message


@pytest.mark.parametrize("name", FULL)
def test_logq_correction_is_refused_where_nothing_is_sampled(name: str) -> None:
    message = f"logq_correction = false is for {CORRECTED}, not {name}: leave it out"
    assert said(objective=name, logq_correction=False) == message


@pytest.mark.parametrize("name", [*SAMPLED, *FULL])
def test_num_negatives_are_those_of_negative_sampling(name: str) -> None:
    given = {"objective": name, "num_negatives": 50}
    if name == "negative_sampling":
        assert TrainerHyperparameters(**given).num_negatives == 50
    else:
        assert (
            said(**given)
            == f"num_negatives = 50 is for negative_sampling, not {name}: leave it out"
        )


@pytest.mark.parametrize("name", [*SAMPLED, *FULL])
def test_the_temperature_is_that_of_softmax_cross_entropy(name: str) -> None:
    given = {"objective": name, "temperature": 0.5}
    if name == "softmax_cross_entropy":
        assert TrainerHyperparameters(**given).temperature == 0.5
    else:
        assert (
            said(**given)
            == f"temperature = 0.5 is for softmax_cross_entropy, not {name}: leave it out"
        )


@pytest.mark.parametrize("name", SAMPLED)
def test_the_power_is_that_of_the_unigram_sampler(name: str) -> None:
    for sampler in ("log_uniform", "uniform", "in_batch"):
        message = f"sampler_power = 0.1 is for the sampler unigram, not {sampler}: leave it out"
        assert said(objective=name, sampler=sampler, sampler_power=0.1) == message
    given = TrainerHyperparameters(objective=name, sampler="unigram", sampler_power=0.1)
    assert given.sampler_power == 0.1


@pytest.mark.parametrize("name", SAMPLED)
def test_what_samples_is_taken_where_candidates_are_sampled(name: str) -> None:
    given = {
        "sampler": "unigram",
        "sampler_power": 0.5,
        "replacement": True,
        "negatives": "per_pair",
        "num_sampled": 7,
        "remove_accidental_hits": name == "nce",
    }
    found = TrainerHyperparameters(objective=name, **given).model_dump()
    assert {**found, **given} == found


@pytest.mark.parametrize("name", [*SAMPLED, *FULL])
def test_what_every_objective_uses_is_taken(name: str) -> None:
    given = {"dim": 7, "batch_size": 32, "learning_rate": 0.1, "bias_initializer": "zeros"}
    found = TrainerHyperparameters(objective=name, **given).model_dump()
    assert {**found, **given} == found


# --- Fields at their defaults, as in a section that TFX passes on


@pytest.mark.parametrize("name", [*SAMPLED, *FULL])
def test_a_section_passed_on_whole_is_taken(name: str) -> None:
    given = TrainerHyperparameters(objective=name)
    passed_on = json.loads(json.dumps(given.model_dump(mode="json")))
    assert set(passed_on) == set(TrainerHyperparameters.model_fields)
    assert TrainerHyperparameters(**passed_on) == given
    assert TrainerHyperparameters(**{**passed_on, "epochs": 9}).epochs == 9


@pytest.mark.parametrize("name", FULL)
def test_a_default_that_means_nothing_is_taken(name: str) -> None:
    given = {"num_sampled": 256, "sampler": "log_uniform", "negatives": "per_batch"}
    assert TrainerHyperparameters(objective=name, **given) == TrainerHyperparameters(objective=name)


# --- Several problems


def test_all_problems_are_told_at_once() -> None:
    given = {
        "temperature": 2.0,
        "num_negatives": 50,
        "sampler": "in_batch",
        "negatives": "per_pair",
        "sync_every": 24,
        "evaluations_per_epoch": 0,
        "keep": "best",
    }
    assert said(**given).split("; ") == [
        "num_negatives = 50 is for negative_sampling, not nce: leave it out",
        "temperature = 2.0 is for softmax_cross_entropy, not nce: leave it out",
        "negatives = per_pair cannot draw in_batch: set sampler to another or negatives to "
        "per_batch",
        "negatives = per_pair draws with replacement: set replacement to true or negatives to "
        "per_batch",
        "sync_every = 24 is neither 1 nor a multiple of 16, the steps for which data come in one "
        "piece: set it to one of them",
        "keep = best and patience need evaluations: set evaluations_per_epoch to 1 or more",
    ]


def test_what_is_refused_for_the_objective_has_no_further_problems() -> None:
    message = f"negatives = per_pair is for {EVERY_SAMPLED}, not full_softmax: leave it out"
    given = {"objective": "full_softmax", "negatives": "per_pair", "workers": 2}
    assert said(**given) == message


def test_problems_of_several_workers_are_told_at_once() -> None:
    alone = TrainerHyperparameters(sampler="uniform", replacement=True, negatives="per_pair")
    alone.require_for(1)
    with pytest.raises(ValueError, match=r"set it to a multiple of 80; negatives = per_pair gives"):
        alone.require_for(5)
