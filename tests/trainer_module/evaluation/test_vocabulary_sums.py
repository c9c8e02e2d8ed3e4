"""The fast sums beside their definition in float64, and beside losses.vocabulary_sums."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module.evaluation import vocabulary_sums as module
from trainer_module.evaluation.vocabulary_sums import vocabulary_sums
from trainer_module.objectives import losses

Array = np.ndarray[Any, Any]
TARGETS, CLASSES, DIM = 5, 37, 3


def model(seed: int, scale: float) -> tuple[Array, Array, Array, Array, Array]:
    """Inputs, weights, two biases and a shift."""
    random = np.random.default_rng(seed)
    shapes = ((TARGETS, DIM), (CLASSES, DIM), (CLASSES,), (CLASSES,), (TARGETS,))
    inputs, weights, first, second, shift = (
        random.normal(size=shape).astype(np.float32) for shape in shapes
    )
    return inputs * np.float32(scale), weights, first, second, shift


def by_definition(scores: Array) -> tuple[Array, Array]:
    """Of float64 scores `[targets, vocab]`: the log partition and the sum of softplus."""
    return np.logaddexp.reduce(scores, 1), np.logaddexp(0, scores).sum(1)


def scores_of(inputs: Array, weights: Array, bias: Array, shift: Array) -> Array:
    exact = inputs.astype(np.float64) @ weights.astype(np.float64).T + bias
    return np.asarray(exact - shift[:, np.newaxis])


def check(found: Sequence[losses.VocabularySums], scores: Sequence[Array]) -> None:
    for sums, of_bias in zip(found, scores, strict=True):
        log_partition, softplus_sum = by_definition(of_bias)
        rounding = 1e-6 * (1 + abs(of_bias).max())
        np.testing.assert_allclose(sums.log_partition, log_partition, rtol=1e-6, atol=rounding)
        np.testing.assert_allclose(sums.softplus_sum, softplus_sum, rtol=1e-5, atol=rounding)


def test_by_hand() -> None:
    # Scores 0 and ln 2 by the first bias: exponentials 1 and 2. By the second they are 3 and 2.
    biases = [tf.constant([0.0, 0.0]), tf.math.log([3.0, 1.0])]
    first, second = vocabulary_sums(
        tf.constant([[1.0]]), tf.math.log([[1.0], [2.0]]), biases, softplus=[True, True]
    )
    assert float(first.log_partition[0]) == pytest.approx(np.log(3), rel=1e-6)
    assert float(first.softplus_sum[0]) == pytest.approx(np.log(2 * 3), rel=1e-6)
    assert float(second.log_partition[0]) == pytest.approx(np.log(5), rel=1e-6)
    assert float(second.softplus_sum[0]) == pytest.approx(np.log(4 * 3), rel=1e-6)
    # A shift by ln 3 makes probabilities of the first.
    [shifted] = vocabulary_sums(
        tf.constant([[1.0]]),
        tf.math.log([[1.0], [2.0]]),
        biases[:1],
        softplus=[True],
        shift=tf.math.log([3.0]),
    )
    assert float(shifted.log_partition[0]) == pytest.approx(0, abs=1e-6)
    assert float(shifted.softplus_sum[0]) == pytest.approx(np.log(4 / 3 * 5 / 3), rel=1e-6)


@given(
    seed=st.integers(0, 1000),
    # The larger ones leave the range of float32, up to scores of some thousands.
    scale=st.sampled_from([0.0, 1.0, 8.0, 20.0, 50.0, 1000.0]),
    chunk=st.sampled_from([1, TARGETS * 4, TARGETS * CLASSES, 1 << 20]),
)
@settings(max_examples=25)
def test_any_scores_at_any_chunk_are_those_of_float64(seed: int, scale: float, chunk: int) -> None:
    inputs, weights, first, second, shift = model(seed, scale)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SCORES_AT_ONCE", chunk)
        found = vocabulary_sums(
            *map(tf.constant, (inputs, weights)),
            [tf.constant(first), tf.constant(second)],
            softplus=[True, True],
            shift=tf.constant(shift),
        )
    check(found, [scores_of(inputs, weights, bias, shift) for bias in (first, second)])


@pytest.mark.parametrize("level", [-1000.0, -95.0, -80.0, 0.0, 80.0, 95.0, 1000.0])
def test_extreme_scores(level: float) -> None:
    inputs, weights, first, second, _ = model(1, 1.0)
    biases = [first + np.float32(level), second]
    compiled = tf.function(lambda *tables: vocabulary_sums(*tables, biases, softplus=[True, True]))
    scores = [scores_of(inputs, weights, bias, np.zeros(TARGETS)) for bias in biases]
    check(compiled(tf.constant(inputs), tf.constant(weights)), scores)


@pytest.mark.parametrize("scale", [1.0, 1000.0], ids=["in_range", "by_the_definition"])
def test_what_is_not_wanted_is_zero_and_changes_nothing_else(scale: float) -> None:
    inputs, weights, first, second, _ = model(2, scale)
    tables = tf.constant(inputs), tf.constant(weights), [first, second]
    both = vocabulary_sums(*tables, softplus=[True, True])
    one, other = vocabulary_sums(*tables, softplus=[False, True])
    np.testing.assert_array_equal(one.softplus_sum, np.zeros(TARGETS))
    np.testing.assert_array_equal(one.log_partition, both[0].log_partition)
    np.testing.assert_array_equal(other, both[1])


def test_many_classes_are_as_exact_as_few() -> None:
    random = np.random.default_rng(3)
    inputs, weights = random.normal(size=(4, 2)), random.normal(size=(300_000, 2))
    biases = np.full(len(weights), -12.0)
    tables = (table.astype(np.float32) for table in (inputs, weights))
    [found] = vocabulary_sums(
        *map(tf.constant, tables), [biases.astype(np.float32)], softplus=[True]
    )
    log_partition, softplus_sum = by_definition(inputs @ weights.T + biases)
    np.testing.assert_allclose(found.log_partition, log_partition, atol=2e-6)
    np.testing.assert_allclose(found.softplus_sum, softplus_sum, rtol=2e-6)
