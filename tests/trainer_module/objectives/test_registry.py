from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.objective_table import OBJECTIVES
from trainer_module.objectives import registry
from trainer_module.objectives.candidate_sampling import SampledCandidates, Sampler

Array = np.ndarray[Any, Any]

COUNTS = np.array([70, 20, 0, 6])
Q = np.array([0.5, 0.25, 0.125, 0.125])
SAMPLED = [name for name, spec in OBJECTIVES.items() if spec.samples]
FULL = ["full_softmax", "full_sigmoid"]


def objective(name: str, vocabulary_size: int = 1000, **hyperparameters: Any) -> registry.Objective:
    return registry.objective(
        TrainerHyperparameters(objective=name, **hyperparameters), vocabulary_size
    )


def correction(name: str, *, replacement: bool = True, **hyperparameters: Any) -> Array | None:
    """Of four classes with the probabilities Q."""
    described = objective(name, len(Q), replacement=replacement, **hyperparameters)
    return registry.evaluation_correction(described, Sampler(Q, replacement=replacement))


# --- What an objective is


def test_families() -> None:
    softmax = {name for name in OBJECTIVES if objective(name).softmax}
    assert softmax == {"sampled_softmax", "softmax_cross_entropy", "full_softmax"}


@pytest.mark.parametrize(
    ("name", "weight"),
    [
        ("nce", 1),
        ("sampled_softmax", 1),
        ("negative_sampling", 7 / 50),  # 50 candidates stand for 7 negatives
        ("sigmoid_cross_entropy", 1 / 50),  # and for one
        ("softmax_cross_entropy", 1),
        ("full_softmax", 1),
        ("full_sigmoid", 1),
    ],
)
def test_weights_of_candidates_by_hand(name: str, weight: float) -> None:
    given = {"num_sampled": 50} if name in SAMPLED else {}
    if name == "negative_sampling":
        given["num_negatives"] = 7
    assert objective(name, **given).candidate_weight == weight


@pytest.mark.parametrize("name", SAMPLED)
def test_candidates_are_at_most_the_vocabulary(name: str) -> None:
    assert objective(name, 10, num_sampled=9).num_sampled == 9
    assert objective(name, 10, num_sampled=10).num_sampled == 10
    assert objective(name, 10, num_sampled=11).num_sampled == 10


@pytest.mark.parametrize(
    ("name", "weight"), [("negative_sampling", 5 / 10), ("sigmoid_cross_entropy", 1 / 10)]
)
def test_the_weight_is_that_of_the_candidates_there_are(name: str, weight: float) -> None:
    assert objective(name, 10, num_sampled=64).candidate_weight == weight


@pytest.mark.parametrize("name", FULL)
@pytest.mark.parametrize("vocabulary_size", [10, 1000])  # fewer and more than num_sampled
def test_full_objectives_take_the_vocabulary_once(name: str, vocabulary_size: int) -> None:
    found = objective(name, vocabulary_size)
    assert found.num_sampled == vocabulary_size
    assert not found.logq_correction
    assert found.remove_accidental_hits  # the true class is among them


def test_corrections_and_temperature_are_those_of_the_hyperparameters() -> None:
    assert objective("nce").logq_correction
    assert not objective("nce", logq_correction=False).logq_correction
    assert not objective("nce").remove_accidental_hits
    assert objective("sampled_softmax").remove_accidental_hits
    assert not objective("negative_sampling").logq_correction
    assert objective("softmax_cross_entropy", temperature=0.1).temperature == 0.1


# --- The sampler


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"sampler": "uniform"}, [1 / 4] * 4),
        ({"sampler": "log_uniform"}, np.log([2, 3 / 2, 4 / 3, 5 / 4]) / np.log(5)),
        # One is added to each count.
        ({"sampler": "unigram", "sampler_power": 1.0}, [0.71, 0.21, 0.01, 0.07]),
        ({"sampler": "unigram", "sampler_power": 0.0}, [1 / 4] * 4),
        # 1/71, 1/21, 1/1 and 1/7 of 1.2042: multiplied by 1491, 21 + 71 + 1491 + 213 = 1796.
        (
            {"sampler": "unigram", "sampler_power": -1.0},
            [21 / 1796, 71 / 1796, 1491 / 1796, 213 / 1796],
        ),
        ({"sampler": "in_batch"}, [0.71, 0.21, 0.01, 0.07]),
    ],
    ids=["uniform", "log_uniform", "unigram", "unigram^0", "unigram^-1", "in_batch"],
)
def test_samplers_by_hand(settings: dict[str, Any], expected: Any) -> None:
    found = registry.sampler(TrainerHyperparameters(**settings), COUNTS)
    one = SampledCandidates(tf.zeros([1], tf.int64), tf.constant(1, tf.int64))
    np.testing.assert_allclose(found.expected_count(np.arange(4), one), expected, rtol=1e-5)


@pytest.mark.parametrize("replacement", [False, True])
def test_replacement_is_passed_on_but_a_class_can_be_in_a_batch_twice(replacement: bool) -> None:
    for name in ("log_uniform", "unigram", "uniform", "in_batch"):
        hyperparameters = TrainerHyperparameters(sampler=name, replacement=replacement)
        found = registry.sampler(hyperparameters, COUNTS).replacement
        assert found == (replacement or name == "in_batch")


# --- What evaluation adds


@pytest.mark.parametrize("name", ["nce", "sampled_softmax", "softmax_cross_entropy"])
def test_nothing_is_added_after_logq_correction(name: str) -> None:
    assert correction(name, logq_correction=True) is None


@pytest.mark.parametrize("name", FULL)
def test_nothing_is_added_to_full_objectives(name: str) -> None:
    described = objective(name, len(Q))
    assert registry.evaluation_correction(described, Sampler(Q, replacement=False)) is None


@pytest.mark.parametrize(
    ("name", "negatives"),
    [
        ("nce", 3),  # each candidate a negative
        ("negative_sampling", 5),  # whatever the number of candidates
        ("sigmoid_cross_entropy", 1),
        ("sampled_softmax", 3),  # any constant would do
        ("softmax_cross_entropy", 3),
    ],
)
def test_what_is_added_without_logq_correction_by_hand(name: str, negatives: int) -> None:
    found = correction(name, num_sampled=3, logq_correction=False)
    logs = np.log(negatives) + np.log([1 / 2, 1 / 4, 1 / 8, 1 / 8])
    np.testing.assert_allclose(found, logs, rtol=1e-5, atol=1e-6)
    assert found is not None
    assert found.dtype == np.float32


def test_negatives_do_not_change_with_a_small_vocabulary() -> None:
    found = correction("negative_sampling", num_sampled=64, num_negatives=3)
    np.testing.assert_allclose(found, np.log(3 * Q), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "weight"), [("nce", 1), ("negative_sampling", 5 / 4), ("sampled_softmax", 1)]
)
def test_all_classes_as_distinct_candidates_are_expected_once(name: str, weight: float) -> None:
    found = correction(name, num_sampled=4, logq_correction=False, replacement=False)
    np.testing.assert_allclose(found, np.full(4, np.log(weight)), rtol=1e-5)


@given(
    name=st.sampled_from(SAMPLED),
    sampler=st.sampled_from(["log_uniform", "unigram", "uniform", "in_batch"]),
    num_sampled=st.integers(1, 29),
    num_negatives=st.integers(1, 50),
    seed=st.integers(0, 100),
)
@settings(max_examples=40)
def test_with_replacement_the_log_of_the_weight_of_all_draws_of_a_class_is_added(
    name: str, sampler: str, num_sampled: int, num_negatives: int, seed: int
) -> None:
    hyperparameters = TrainerHyperparameters(
        objective=name,
        sampler=sampler,
        num_sampled=num_sampled,
        logq_correction=False,
        replacement=sampler != "in_batch",  # which repeats classes either way
        **({"num_negatives": num_negatives} if name == "negative_sampling" else {}),
    )
    counts = np.random.default_rng(seed).integers(0, 1000, 30)
    described = registry.objective(hyperparameters, 30)
    drawing = registry.sampler(hyperparameters, counts)
    found = registry.evaluation_correction(described, drawing)
    weights = (counts + 1.0) ** (1.0 if sampler == "in_batch" else 0.75)
    q = {
        "uniform": np.full(30, 1 / 30),
        "log_uniform": np.diff(np.log(np.arange(1, 32))) / np.log(31),
    }.get(sampler, weights / weights.sum())
    expected = np.log(described.candidate_weight * num_sampled * q)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_how_often_distinct_candidates_hold_a_class_is_about_what_is_added() -> None:
    hyperparameters = TrainerHyperparameters(num_sampled=8, logq_correction=False)
    drawing = registry.sampler(hyperparameters, np.ones(30))
    described = registry.objective(hyperparameters, 30)
    found = np.exp(registry.evaluation_correction(described, drawing))
    draw = tf.function(lambda index: drawing.draw(8, tf.stack([np.int64(5), index])).classes)
    drawn = [draw(tf.constant(index, tf.int64)).numpy() for index in range(500)]
    times = np.bincount(np.concatenate(drawn), minlength=30)
    # One set's number of tries is not another's, and 500 sets leave an error of 0.02.
    np.testing.assert_allclose(times / 500, found, atol=0.15)
    assert found.sum() == pytest.approx(8, abs=2)
    assert found.max() < 1  # with replacement the most frequent class comes 1.6 times
