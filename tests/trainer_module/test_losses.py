import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module import losses
from trainer_module.candidate_sampling import Candidates

OBJECTIVES = ("nce", "sampled_softmax")


def candidates(
    sampled: list[int], true_counts: list[float], sampled_counts: list[float]
) -> Candidates:
    return Candidates(
        tf.constant(sampled, tf.int64),
        tf.constant(true_counts)[:, tf.newaxis],
        tf.constant(sampled_counts),
    )


def one_pair(objective: str, weights: list[list[float]], drawn: Candidates) -> float:
    """The loss of the pair (a target with vector [1, 0], context 0) without biases."""
    [loss] = losses.sampled_loss(
        objective,
        inputs=tf.constant([[1.0, 0.0]]),
        contexts=tf.constant([0], tf.int64),
        weights=tf.constant(weights),
        biases=tf.zeros([len(weights)]),
        candidates=drawn,
    ).numpy()
    return float(loss)


def softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


WEIGHTS = [[2.0, 5.0], [1.0, 0.0], [-1.0, 0.0]]  # scores 2, 1, -1
DRAWN = candidates([1, 2], [0.5], [0.25, 2.0])  # logs of the counts: -ln 2, -ln 4, ln 2


def test_nce_by_hand() -> None:
    true, first, second = 2 + math.log(2), 1 + math.log(4), -1 - math.log(2)
    expected = softplus(-true) + softplus(first) + softplus(second)
    assert one_pair("nce", WEIGHTS, DRAWN) == pytest.approx(expected, rel=1e-6)


def test_sampled_softmax_by_hand() -> None:
    # exp of the corrected scores: 2 e^2, 4 e, e^-1 / 2.
    true, others = 2 * math.e**2, 4 * math.e + math.exp(-1) / 2
    expected = -math.log(true / (true + others))
    assert one_pair("sampled_softmax", WEIGHTS, DRAWN) == pytest.approx(expected, rel=1e-6)


def test_sampled_softmax_leaves_out_a_candidate_that_is_the_true_class() -> None:
    hit = candidates([0, 2], [0.5], [0.5, 2.0])
    true, other = 2 * math.e**2, math.exp(-1) / 2
    expected = -math.log(true / (true + other))
    assert one_pair("sampled_softmax", WEIGHTS, hit) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_perfect_scores_cost_nothing_and_hopeless_ones_their_size(objective: str) -> None:
    ones = candidates([1], [1.0], [1.0])
    assert one_pair(objective, [[1e4, 0.0], [-1e4, 0.0]], ones) == pytest.approx(0, abs=1e-6)
    hopeless = {"nce": 2e4, "sampled_softmax": 2e4}[objective]
    assert one_pair(objective, [[-1e4, 0.0], [1e4, 0.0]], ones) == pytest.approx(hopeless)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_gradient_is_numerical_gradient(objective: str) -> None:
    generator = np.random.default_rng(0)
    weights = tf.constant(generator.normal(size=(6, 3)), tf.float32)
    inputs = tf.constant(generator.normal(size=(2, 3)), tf.float32)
    drawn = candidates([1, 4], [0.3, 0.7], [0.9, 0.2])

    def loss(inputs: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(
            losses.sampled_loss(
                objective,
                inputs=inputs,
                contexts=tf.constant([0, 4], tf.int64),
                weights=weights,
                biases=tf.zeros([6]),
                candidates=drawn,
            )
        )

    theoretical, numerical = tf.test.compute_gradient(loss, [inputs, weights], delta=1e-2)
    for one, other in zip(theoretical, numerical, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-2)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_sampled_loss_compiled_equals_eager(objective: str) -> None:
    compiled = tf.function(lambda: one_pair_tensor(objective))
    np.testing.assert_allclose(compiled(), one_pair_tensor(objective), rtol=1e-6)


def one_pair_tensor(objective: str) -> tf.Tensor:
    return losses.sampled_loss(
        objective,
        inputs=tf.constant([[1.0, 0.0]]),
        contexts=tf.constant([0], tf.int64),
        weights=tf.constant(WEIGHTS),
        biases=tf.zeros([3]),
        candidates=DRAWN,
    )


def test_vocabulary_sums_by_hand() -> None:
    sums = losses.vocabulary_sums(
        tf.constant([[1.0], [0.0]]), tf.constant([[0.0], [1.0]]), tf.constant([0.0, 1.0])
    )
    # Scores: 0 and 2 for the first target, 0 and 1 for the second.
    log_partitions = [math.log(1 + math.e**2), math.log(1 + math.e)]
    softplus_sums = [math.log(2) + softplus(2), math.log(2) + softplus(1)]
    np.testing.assert_allclose(sums.log_partition, log_partitions, rtol=1e-6)
    np.testing.assert_allclose(sums.softplus_sum, softplus_sums, rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 7), st.integers(1, 40), st.integers(1, 64), st.integers(0, 1000))
def test_vocabulary_sums_equal_brute_force_at_any_chunk(
    num_targets: int, vocabulary_size: int, at_once: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    inputs = generator.normal(scale=3, size=(num_targets, 4))
    weights = generator.normal(scale=3, size=(vocabulary_size, 4))
    biases = generator.normal(size=vocabulary_size)
    scores = inputs @ weights.T + biases
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(losses, "_SCORES_AT_ONCE", at_once)
        sums = losses.vocabulary_sums(
            *(tf.constant(array, tf.float32) for array in (inputs, weights, biases))
        )
    np.testing.assert_allclose(sums.log_partition, np.log(np.exp(scores).sum(1)), rtol=1e-4)
    np.testing.assert_allclose(
        sums.softplus_sum, np.log1p(np.exp(scores)).sum(1), rtol=1e-4, atol=1e-4
    )


def test_vocabulary_sums_of_extreme_scores() -> None:
    sums = losses.vocabulary_sums(
        tf.constant([[1e4], [-1e4]]), tf.constant([[1.0], [-1.0]]), tf.zeros([2])
    )
    np.testing.assert_allclose(sums.log_partition, [1e4, 1e4])
    np.testing.assert_allclose(sums.softplus_sum, [1e4, 1e4])


def test_vocabulary_sums_compiled_equal_eager() -> None:
    arguments = (tf.random.stateless_normal([3, 2], [1, 2]), tf.ones([5, 2]), tf.zeros([5]))
    compiled = tf.function(losses.vocabulary_sums)(*arguments)
    for one, other in zip(compiled, losses.vocabulary_sums(*arguments), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_full_cross_entropies_equal_tensorflows() -> None:
    scores = tf.constant([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]])
    contexts = tf.constant([0, 2])
    chosen = tf.gather(scores, contexts, batch_dims=1)
    softmax = losses.full_softmax_cross_entropy(chosen, tf.reduce_logsumexp(scores, axis=1))
    expected = tf.nn.sparse_softmax_cross_entropy_with_logits(contexts, scores)
    np.testing.assert_allclose(softmax, expected, rtol=1e-6)
    sigmoid = losses.full_sigmoid_cross_entropy(
        chosen, tf.reduce_sum(tf.nn.softplus(scores), axis=1)
    )
    labels = tf.one_hot(contexts, 3)
    expected = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels, scores), axis=1)
    np.testing.assert_allclose(sigmoid, expected, rtol=1e-6)
