"""Gradients in closed form; TensorFlow's own losses, and brute force."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer_module.objectives.loss_cases import (
    CORRECTED,
    FULL,
    SEEDS,
    Array,
    Loss,
    k_of_two,
    normal,
    sigmoid,
    softmax,
    value_and_gradients,
)
from trainer_module.objectives import full_cross_entropies, losses

# --- Gradients in closed form


@settings(max_examples=20)
@given(SEEDS, st.integers(1, 4), st.integers(1, 6))
def test_gradients_of_the_sigmoid_losses(seed: int, batch: int, num_sampled: int) -> None:
    true, sampled = normal(seed, batch, scale=3), normal(seed + 1, batch, num_sampled, scale=3)
    counts = np.exp(normal(seed + 2, num_sampled))
    _, of_true, of_sampled = value_and_gradients(
        losses.nce,
        true,
        sampled,
        true_expected_count=tf.ones([batch]),
        sampled_expected_count=tf.constant(counts),
    )
    np.testing.assert_allclose(of_true, sigmoid(true) - 1, atol=1e-6)
    np.testing.assert_allclose(of_sampled, sigmoid(sampled - np.log(counts)), atol=1e-6)
    _, of_true, of_sampled = value_and_gradients(k_of_two, true, sampled)
    np.testing.assert_allclose(of_true, sigmoid(true) - 1, atol=1e-6)
    np.testing.assert_allclose(of_sampled, sigmoid(sampled) * 2 / num_sampled, atol=1e-6)
    _, of_true, of_sampled = value_and_gradients(losses.sigmoid_cross_entropy, true, sampled)
    np.testing.assert_allclose(of_true, (sigmoid(true) - 1) / batch, atol=1e-6)
    np.testing.assert_allclose(of_sampled, sigmoid(sampled) / sampled.size, atol=1e-6)


@settings(max_examples=20)
@given(SEEDS, st.integers(1, 4), st.integers(1, 6))
def test_gradient_of_sampled_softmax(seed: int, batch: int, num_sampled: int) -> None:
    true, sampled = normal(seed, batch, scale=3), normal(seed + 1, batch, num_sampled, scale=3)
    counts = np.exp(normal(seed + 2, batch, num_sampled))
    _, of_true, of_sampled = value_and_gradients(
        losses.sampled_softmax,
        true,
        sampled,
        true_expected_count=tf.ones([batch]),
        sampled_expected_count=tf.constant(counts),
    )
    probabilities = softmax(np.concatenate([true[:, None], sampled - np.log(counts)], axis=1))
    np.testing.assert_allclose(of_true, probabilities[:, 0] - 1, atol=1e-6)
    np.testing.assert_allclose(of_sampled, probabilities[:, 1:], atol=1e-6)


@settings(max_examples=20)
@given(SEEDS, st.integers(1, 4), st.integers(1, 6), st.sampled_from([1.0, 0.1, 0.01]))
def test_gradients_of_softmax_cross_entropy(
    seed: int, batch: int, negatives: int, temperature: float
) -> None:
    source, positive = normal(seed, batch, 3), normal(seed + 1, batch, 3)
    negative = normal(seed + 2, negatives, 3)
    value, *gradients = value_and_gradients(
        losses.softmax_cross_entropy, source, positive, negative, temperature=temperature
    )
    double, own, other = (array.astype(np.float64) for array in (source, positive, negative))
    logits = np.concatenate([(double * own).sum(1)[:, None], double @ other.T], axis=1)
    errors = softmax(logits / temperature)
    highest = logits.max(axis=1) / temperature
    partition = highest + np.log(np.exp(logits / temperature - highest[:, None]).sum(1))
    expected = (partition - logits[:, 0] / temperature).mean()
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)
    errors[:, 0] -= 1
    errors /= batch * temperature
    np.testing.assert_allclose(
        gradients[0], errors[:, :1] * own + errors[:, 1:] @ other, atol=2e-5 / temperature
    )
    np.testing.assert_allclose(gradients[1], errors[:, :1] * double, atol=2e-5 / temperature)
    np.testing.assert_allclose(gradients[2], errors[:, 1:].T @ double, atol=2e-5 / temperature)


@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_of_the_full_cross_entropies(
    compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Three classes of seven at once.
    monkeypatch.setattr(full_cross_entropies, "_SCORES_AT_ONCE", 9)
    inputs, weights, biases = normal(0, 3, 2), normal(1, 7, 2), normal(2, 7)
    contexts = np.array([0, 6, 3])
    scores = inputs @ weights.T + biases
    for loss, rates in zip(FULL, (softmax(scores), sigmoid(scores)), strict=True):
        errors = rates - np.eye(7)[contexts]

        def of_parameters(*parameters: tf.Tensor, loss: Loss = loss) -> tf.Tensor:
            return loss(parameters[0], tf.constant(contexts), *parameters[1:])

        _, *gradients = value_and_gradients(
            tf.function(of_parameters) if compiled else of_parameters, inputs, weights, biases
        )
        np.testing.assert_allclose(gradients[0], errors @ weights, atol=1e-5)
        np.testing.assert_allclose(gradients[1], errors.T @ inputs, atol=1e-5)
        np.testing.assert_allclose(gradients[2], errors.sum(0), atol=1e-5)


# --- TensorFlow's own, and brute force


def of_tensorflow(
    loss: Loss, seed: int, batch: int, num_sampled: int, counted: bool, hits_out: bool
) -> tuple[Array, Array]:
    """TensorFlow's loss and ours of the same random model and candidates."""
    vocabulary_size = 6  # few enough for hits
    generator = np.random.default_rng(seed)
    inputs, weights = normal(seed, batch, 3), normal(seed + 1, vocabulary_size, 3)
    biases = normal(seed + 2, vocabulary_size)
    contexts = generator.integers(vocabulary_size, size=batch)
    # TensorFlow overlooks a hit that is drawn a second time (test below).
    sampled = generator.choice(vocabulary_size, size=num_sampled, replace=not hits_out)
    # Without logQ correction: TensorFlow always subtracts, and log 1 is 0.
    expected = np.exp(normal(seed + 3, vocabulary_size)) if counted else np.ones(6, np.float32)
    theirs = {losses.nce: tf.nn.nce_loss, losses.sampled_softmax: tf.nn.sampled_softmax_loss}[loss](
        weights=weights,
        biases=biases,
        labels=contexts[:, None],
        inputs=inputs,
        num_sampled=num_sampled,
        num_classes=vocabulary_size,
        sampled_values=(
            tf.constant(sampled, tf.int64),
            tf.constant(expected[contexts][:, None]),
            tf.constant(expected[sampled]),
        ),
        remove_accidental_hits=hits_out,
    )
    scores = inputs @ weights.T + biases
    counts = {
        "true_expected_count": tf.constant(expected[contexts]),
        "sampled_expected_count": tf.constant(expected[sampled]),
    }
    ours = loss(
        tf.constant(scores[np.arange(batch), contexts]),
        tf.constant(scores[:, sampled]),
        accidental_hits=tf.constant(contexts[:, None] == sampled) if hits_out else None,
        **(counts if counted else {}),
    )
    return theirs.numpy(), ours.numpy()


@pytest.mark.parametrize("loss", CORRECTED)
@settings(max_examples=30)
@given(SEEDS, st.integers(1, 5), st.integers(1, 6), st.booleans(), st.booleans())
def test_equals_tensorflows(
    loss: Loss, seed: int, batch: int, num_sampled: int, counted: bool, hits_out: bool
) -> None:
    theirs, ours = of_tensorflow(loss, seed, batch, num_sampled, counted, hits_out)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_repeated_hit_is_left_out_each_time_where_tensorflow_keeps_one() -> None:
    model = {"weights": tf.zeros([2, 1]), "biases": tf.zeros([2]), "inputs": tf.zeros([1, 1])}
    counts = tf.ones([1, 1]), tf.ones([2])
    [theirs] = tf.nn.sampled_softmax_loss(
        **model,
        labels=tf.constant([[0]], tf.int64),
        num_sampled=2,
        num_classes=2,
        sampled_values=(tf.constant([0, 0], tf.int64), *counts),
    )
    [ours] = losses.sampled_softmax(
        tf.zeros([1]), tf.zeros([1, 2]), accidental_hits=tf.ones([1, 2], tf.bool)
    )
    assert float(theirs) == pytest.approx(math.log(2))
    assert float(ours) == 0


@settings(max_examples=20)
@given(SEEDS, st.integers(1, 5), st.integers(1, 8))
def test_negative_sampling_with_a_candidate_a_negative_is_uncorrected_nce(
    seed: int, batch: int, num_sampled: int
) -> None:
    logits = tf.constant(normal(seed, batch)), tf.constant(normal(seed + 1, batch, num_sampled))
    hits = tf.constant(normal(seed + 2, batch, num_sampled) > 0)
    np.testing.assert_allclose(
        losses.negative_sampling(*logits, num_negatives=num_sampled, accidental_hits=hits),
        losses.nce(*logits, accidental_hits=hits),
        rtol=1e-6,
    )


def test_sigmoid_cross_entropy_is_negative_sampling_with_one_negative() -> None:
    true, sampled = tf.constant(normal(0, 4)), tf.constant(normal(1, 4, 6))
    np.testing.assert_allclose(
        losses.sigmoid_cross_entropy(true, sampled),
        tf.reduce_mean(losses.negative_sampling(true, sampled, num_negatives=1)),
        rtol=1e-6,
    )


@settings(max_examples=25)
@given(
    st.integers(1, 7), st.integers(1, 40), st.integers(1, 64), SEEDS, st.sampled_from([None, 5.0])
)
def test_vocabulary_sums_equal_brute_force_at_any_chunk(
    num_targets: int, vocabulary_size: int, at_once: int, seed: int, shifted: float | None
) -> None:
    inputs, weights = normal(seed, num_targets, 4, scale=3), normal(seed + 1, vocabulary_size, 4)
    biases = normal(seed + 2, vocabulary_size)
    shift = None if shifted is None else normal(seed + 3, num_targets, scale=shifted)
    scores = inputs.astype(np.float64) @ weights.T + biases
    scores -= 0 if shift is None else shift[:, None]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(full_cross_entropies, "_SCORES_AT_ONCE", at_once)
        sums = losses.vocabulary_sums(inputs, weights, biases, shift)
    np.testing.assert_allclose(
        sums.log_partition, np.log(np.exp(scores).sum(1)), rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(
        sums.softplus_sum, np.log1p(np.exp(scores)).sum(1), rtol=1e-4, atol=1e-4
    )


def test_scores_shifted_by_their_log_partition_are_log_probabilities() -> None:
    model = tf.constant(normal(0, 3, 4)), tf.constant(normal(1, 9, 4)), tf.constant(normal(2, 9))
    shift = losses.vocabulary_sums(*model).log_partition
    np.testing.assert_allclose(
        losses.vocabulary_sums(*model, shift).log_partition, np.zeros(3), atol=1e-6
    )


@pytest.mark.parametrize("at_once", [1, 10, 1 << 23])
def test_full_cross_entropies_equal_tensorflows(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full_cross_entropies, "_SCORES_AT_ONCE", at_once)
    inputs, weights, biases = normal(0, 5, 4), normal(1, 11, 4), normal(2, 11)
    contexts = tf.constant([0, 10, 3, 3, 7])
    scores = inputs @ weights.T + biases
    np.testing.assert_allclose(
        losses.full_softmax_cross_entropy(inputs, contexts, weights, biases),
        tf.nn.sparse_softmax_cross_entropy_with_logits(contexts, scores),
        rtol=1e-5,
        atol=1e-6,
    )
    labels = tf.one_hot(contexts, 11)
    np.testing.assert_allclose(
        losses.full_sigmoid_cross_entropy(inputs, contexts, weights, biases),
        tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels, scores), axis=1),
        rtol=1e-5,
    )
