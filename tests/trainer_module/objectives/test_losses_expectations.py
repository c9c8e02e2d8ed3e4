"""What the sampled losses estimate, and where their expectations have their optimum."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer_module.objectives.loss_cases import Array, Loss, normal, value_and_gradients
from trainer_module.objectives import losses

# --- What the samples estimate


ESTIMATE_CLASSES = 30
# Wide enough a spread that the bias stands far above the noise of the draws.
ESTIMATE_SCORES = normal(7, ESTIMATE_CLASSES, scale=1.5)
ESTIMATE_CONTEXT = 4


def drawn(proposal: Array, draws: int, num_sampled: int) -> dict[str, Any]:
    """Arguments of a loss: `draws` times the same pair, candidates drawn with replacement."""
    sampled = np.random.default_rng(num_sampled).choice(
        ESTIMATE_CLASSES, size=(draws, num_sampled), p=proposal
    )
    return {
        "true_logits": tf.fill([draws], ESTIMATE_SCORES[ESTIMATE_CONTEXT]),
        "sampled_logits": tf.constant(ESTIMATE_SCORES[sampled]),
        "accidental_hits": tf.constant(sampled == ESTIMATE_CONTEXT),
        "sampled_expected_count": tf.constant(num_sampled * proposal[sampled], tf.float32),
    }


def full(loss: Loss) -> float:
    [value] = loss(
        tf.ones([1, 1]),
        tf.constant([ESTIMATE_CONTEXT]),
        tf.constant(ESTIMATE_SCORES[:, None]),
        tf.zeros([ESTIMATE_CLASSES]),
    )
    return float(value)


def test_negative_sampling_from_all_classes_alike_estimates_the_full_sigmoid_loss() -> None:
    # Each class is drawn with 1 / vocabulary and counts vocabulary / num_sampled: unbiased.
    arguments = drawn(np.full(ESTIMATE_CLASSES, 1 / ESTIMATE_CLASSES), 40_000, 5)
    del arguments["sampled_expected_count"]
    estimates = losses.negative_sampling(**arguments, num_negatives=ESTIMATE_CLASSES).numpy()
    error = estimates.std() / math.sqrt(len(estimates))
    assert abs(estimates.mean() - full(losses.full_sigmoid_cross_entropy)) < 4 * error


def test_sampled_softmax_estimates_the_partition_without_bias_and_its_log_from_below() -> None:
    proposal = np.arange(1, ESTIMATE_CLASSES + 1) / np.arange(1, ESTIMATE_CLASSES + 1).sum()
    expected, biases = full(losses.full_softmax_cross_entropy), []
    for num_sampled in (5, 20, 100, 500):
        arguments = drawn(proposal, 20_000, num_sampled)
        # The context is always in the sum: it is expected once.
        ones = tf.ones_like(arguments["true_logits"])
        estimates = losses.sampled_softmax(**arguments, true_expected_count=ones).numpy()
        partitions = np.exp(estimates.astype(np.float64))
        error = partitions.std() / math.sqrt(len(partitions))
        assert abs(partitions.mean() - math.exp(expected)) < 4 * error
        biases.append(expected - estimates.mean())
        assert biases[-1] > 2 * estimates.std() / math.sqrt(len(estimates))
    assert biases == sorted(biases, reverse=True)
    assert biases[-1] < biases[0] / 20


# --- What the scores are at the optimum, as docs/losses.md derives it


TENTHS_P, TENTHS_Q = np.array([1, 2, 3, 4]), np.array([3, 1, 4, 2])
P, Q = TENTHS_P / 10, TENTHS_Q / 10
ALL_P, ALL_Q = (np.repeat(np.arange(4), tenths) for tenths in (TENTHS_P, TENTHS_Q))


def gradient_at(scores: Array, expected_loss: Loss) -> Array:
    return value_and_gradients(expected_loss, scores)[1]


def over_pairs(loss: Loss, hits_out: bool = False, **rest: Any) -> Loss:
    """The expected loss of a target: contexts of shares P, ten candidates of shares Q."""
    hits = tf.constant(ALL_P[:, None] == ALL_Q) if hits_out else None

    def expected_loss(scores: tf.Tensor) -> tf.Tensor:
        sampled = tf.tile(tf.gather(scores, ALL_Q)[tf.newaxis], [10, 1])
        return loss(tf.gather(scores, ALL_P), sampled, accidental_hits=hits, **rest)

    return expected_loss


@pytest.mark.parametrize(
    ("expected_loss", "optimum"),
    [
        (over_pairs(losses.negative_sampling, num_negatives=3), np.log(P / (3 * Q))),
        (
            over_pairs(losses.negative_sampling, num_negatives=3, hits_out=True),
            np.log(P / (3 * Q * (1 - P))),
        ),
        (over_pairs(losses.nce), np.log(P / (10 * Q))),
        (
            over_pairs(
                losses.nce,
                true_expected_count=tf.constant(10 * Q[ALL_P], tf.float32),
                sampled_expected_count=tf.constant(10 * Q[ALL_Q], tf.float32),
            ),
            np.log(P),
        ),
        (
            lambda scores: losses.sigmoid_cross_entropy(
                tf.gather(scores, ALL_P), tf.gather(scores, ALL_Q)
            ),
            np.log(P / Q),
        ),
    ],
    ids=["negative_sampling", "its hits left out", "nce", "corrected nce", "sigmoid"],
)
def test_optimum_of_the_sigmoid_losses(expected_loss: Loss, optimum: Array) -> None:
    np.testing.assert_allclose(gradient_at(optimum, expected_loss), np.zeros(4), atol=1e-5)
    assert np.abs(gradient_at(optimum + 0.1, expected_loss)).max() > 1e-3


def over_draws(loss: Loss) -> Loss:
    """The expected `loss(scores, classes)` over all draws of two of the four classes from Q."""
    draws = list(itertools.product(range(4), repeat=2))
    return lambda scores: tf.add_n(
        [float(Q[one] * Q[other]) * loss(scores, [one, other]) for one, other in draws]
    )


def shared_softmax(scores: tf.Tensor, classes: Sequence[int]) -> tf.Tensor:
    context_vectors = scores[:, tf.newaxis]
    return losses.softmax_cross_entropy(
        tf.ones([10, 1]),
        tf.gather(context_vectors, ALL_P),
        tf.gather(context_vectors, classes),
        temperature=0.5,
    )


def corrected_softmax(scores: tf.Tensor, classes: Sequence[int]) -> tf.Tensor:
    return losses.sampled_softmax(
        tf.gather(scores, ALL_P),
        tf.tile(tf.gather(scores, classes)[tf.newaxis], [10, 1]),
        true_expected_count=tf.constant(2 * Q[ALL_P], tf.float32),
        sampled_expected_count=tf.constant(2 * Q[classes], tf.float32),
    )


@pytest.mark.parametrize(
    ("loss", "optimum"),
    [(shared_softmax, 0.5 * np.log(P / Q)), (corrected_softmax, np.log(P))],
)
def test_optimum_of_the_softmax_losses_up_to_a_constant(loss: Loss, optimum: Array) -> None:
    for constant in (0, 3):
        gradient = gradient_at(optimum + constant, over_draws(loss))
        np.testing.assert_allclose(gradient, np.zeros(4), atol=1e-5)
    bent = optimum + np.array([0.1, 0, 0, 0])
    assert np.abs(gradient_at(bent, over_draws(loss))).max() > 1e-3
