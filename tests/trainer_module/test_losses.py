import ast
import inspect
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module import losses

Array = np.ndarray[Any, Any]
Loss = Callable[..., tf.Tensor]


def k_of_two(true_logits: tf.Tensor, sampled_logits: tf.Tensor, **hits: tf.Tensor) -> tf.Tensor:
    return losses.negative_sampling(true_logits, sampled_logits, num_negatives=2, **hits)


PER_PAIR: list[Any] = [
    pytest.param(losses.nce, id="nce"),
    pytest.param(losses.sampled_softmax, id="sampled_softmax"),
    pytest.param(k_of_two, id="negative_sampling"),
]
CORRECTED: list[Any] = PER_PAIR[:2]
FULL: list[Any] = [losses.full_softmax_cross_entropy, losses.full_sigmoid_cross_entropy]

COUNTS: dict[str, Any] = {  # logs: -ln 2; -ln 4, ln 2
    "true_expected_count": tf.constant([0.5]),
    "sampled_expected_count": tf.constant([0.25, 2.0]),
}
NO_COUNTS: dict[str, Any] = {}


def softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def value_and_gradients(loss: Loss, *arguments: Any, **rest: Any) -> list[Array]:
    """The loss, and the gradient of its sum with respect to each of the arguments."""
    variables = [tf.constant(argument, tf.float32) for argument in arguments]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        value = loss(*variables, **rest)
        total = tf.reduce_sum(value)
    gradients = tape.gradient(total, variables)
    return [value.numpy(), *(tf.convert_to_tensor(gradient).numpy() for gradient in gradients)]


def normal(seed: int, *shape: int, scale: float = 1.0) -> Array:
    return np.random.default_rng(seed).normal(scale=scale, size=shape).astype(np.float32)


# --- Values worked out by hand


def test_nce_by_hand() -> None:
    true, first, second = 2 + math.log(2), 1 + math.log(4), -1 - math.log(2)
    expected = softplus(-true) + softplus(first) + softplus(second)
    [loss] = losses.nce(tf.constant([2.0]), tf.constant([[1.0, -1.0]]), **COUNTS)
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_sampled_softmax_by_hand() -> None:
    # exp of the corrected scores: 2 e^2; 4 e, e^-1 / 2.
    true, others = 2 * math.e**2, 4 * math.e + math.exp(-1) / 2
    [loss] = losses.sampled_softmax(tf.constant([2.0]), tf.constant([[1.0, -1.0]]), **COUNTS)
    assert float(loss) == pytest.approx(-math.log(true / (true + others)), rel=1e-6)


def test_negative_sampling_by_hand() -> None:
    # Four candidates stand for two negatives: each counts half.
    sampled = [1.0, -1.0, 0.0, 3.0]
    expected = softplus(-2) + 0.5 * sum(map(softplus, sampled))
    [loss] = losses.negative_sampling(tf.constant([2.0]), tf.constant([sampled]), num_negatives=2)
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_sigmoid_cross_entropy_by_hand() -> None:
    loss = losses.sigmoid_cross_entropy(tf.constant([2.0, -1.0]), tf.constant([[1.0, 0.0, -3.0]]))
    positive = (softplus(-2) + softplus(1)) / 2
    negative = (softplus(1) + math.log(2) + softplus(-3)) / 3
    assert float(loss) == pytest.approx(positive + negative, rel=1e-6)


def test_softmax_cross_entropy_by_hand() -> None:
    # Inner products: 2 and 1 of the pairs; -1, 4 and 3, 0 with the negatives; halved by the
    # temperature.
    loss = losses.softmax_cross_entropy(
        tf.constant([[1.0, 0.0], [0.0, 1.0]]),
        tf.constant([[2.0, 9.0], [9.0, 1.0]]),
        tf.constant([[-1.0, 3.0], [4.0, 0.0]]),
        temperature=2.0,
    )
    first = math.log(math.exp(1) + math.exp(-0.5) + math.exp(2)) - 1
    second = math.log(math.exp(0.5) + math.exp(1.5) + 1) - 0.5
    assert float(loss) == pytest.approx((first + second) / 2, rel=1e-6)


def test_full_cross_entropies_by_hand() -> None:
    arguments = (
        tf.constant([[1.0]]),
        tf.constant([1]),
        tf.constant([[0.0], [1.0]]),
        tf.constant([0.0, 1.0]),
    )  # scores 0 and 2, the context has 2
    [softmax] = losses.full_softmax_cross_entropy(*arguments)
    [by_sigmoid] = losses.full_sigmoid_cross_entropy(*arguments)
    assert float(softmax) == pytest.approx(softplus(-2), rel=1e-5)
    assert float(by_sigmoid) == pytest.approx(softplus(-2) + softplus(0), rel=1e-5)


def test_vocabulary_sums_by_hand() -> None:
    sums = losses.vocabulary_sums(
        tf.constant([[1.0], [0.0]]), tf.constant([[0.0], [1.0]]), tf.constant([0.0, 1.0])
    )
    # Scores: 0 and 2 for the first target, 0 and 1 for the second.
    log_partitions = [math.log(1 + math.e**2), math.log(1 + math.e)]
    softplus_sums = [math.log(2) + softplus(2), math.log(2) + softplus(1)]
    np.testing.assert_allclose(sums.log_partition, log_partitions, rtol=1e-6)
    np.testing.assert_allclose(sums.softplus_sum, softplus_sums, rtol=1e-6)


# --- Perfect, hopeless, nothing sampled; logits of 1e4


@pytest.mark.parametrize("loss", PER_PAIR)
def test_perfect_scores_cost_nothing_and_move_nothing(loss: Loss) -> None:
    value, of_true, of_sampled = value_and_gradients(loss, [1e4], [[-1e4, -1e4]])
    np.testing.assert_array_equal(value, [0])
    np.testing.assert_array_equal(of_true, [0])
    np.testing.assert_array_equal(of_sampled, [[0, 0]])


@pytest.mark.parametrize(
    ("loss", "expected", "push"),
    [
        (losses.nce, 3e4, 1),  # every classification wrong by 1e4
        (losses.sampled_softmax, 2e4 + math.log(2), 0.5),  # two candidates share the softmax
        (k_of_two, 3e4, 1),
    ],
)
def test_hopeless_scores_cost_their_size_and_keep_their_gradient(
    loss: Loss, expected: float, push: float
) -> None:
    value, of_true, of_sampled = value_and_gradients(loss, [-1e4], [[1e4, 1e4]])
    np.testing.assert_allclose(value, [expected])
    np.testing.assert_allclose(of_true, [-1])
    np.testing.assert_allclose(of_sampled, [[push, push]])


@pytest.mark.parametrize("all_hits", [False, True])
@pytest.mark.parametrize(
    ("loss", "expected", "push"),
    [
        (losses.nce, softplus(-1), -1 / (1 + math.e)),
        (losses.sampled_softmax, 0, 0),
        (k_of_two, softplus(-1), -1 / (1 + math.e)),
    ],
)
def test_without_candidates_only_the_context_counts(
    loss: Loss, expected: float, push: float, all_hits: bool
) -> None:
    sampled = np.full([2, 3], 1e4) if all_hits else np.zeros([2, 0])
    hits = {"accidental_hits": tf.ones([2, 3], tf.bool)} if all_hits else {}
    value, of_true, of_sampled = value_and_gradients(loss, [1.0, 1.0], sampled, **hits)
    np.testing.assert_allclose(value, [expected] * 2, rtol=1e-6, atol=0)
    np.testing.assert_allclose(of_true, [push] * 2, rtol=1e-6, atol=0)
    np.testing.assert_array_equal(of_sampled, np.zeros_like(sampled))


@pytest.mark.parametrize("hit_logit", [0.0, 1e4, -1e4, math.inf])
@pytest.mark.parametrize("loss", [losses.nce, losses.sampled_softmax])
def test_a_hit_is_as_if_not_drawn_and_gets_no_gradient(loss: Loss, hit_logit: float) -> None:
    value, of_true, of_sampled = value_and_gradients(
        loss, [0.5], [[1.0, hit_logit]], accidental_hits=tf.constant([[False, True]])
    )
    expected, expected_of_true, expected_of_sampled = value_and_gradients(loss, [0.5], [[1.0]])
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    np.testing.assert_allclose(of_true, expected_of_true, rtol=1e-6)
    np.testing.assert_allclose(of_sampled, [[expected_of_sampled[0, 0], 0]], rtol=1e-6)


def test_a_hit_of_negative_sampling_is_not_made_up_for() -> None:
    [loss] = losses.negative_sampling(
        tf.constant([0.5]),
        tf.constant([[1.0, 7.0]]),
        num_negatives=2,
        accidental_hits=tf.constant([[False, True]]),
    )
    assert float(loss) == pytest.approx(softplus(-0.5) + softplus(1), rel=1e-6)


def test_a_small_softmax_loss_and_its_gradient_do_not_vanish() -> None:
    value, of_true, of_sampled = value_and_gradients(losses.sampled_softmax, [15.0], [[-15.0]])
    small = math.exp(-30)
    np.testing.assert_allclose(value, [small], rtol=1e-5)
    np.testing.assert_allclose(of_true, [-small], rtol=1e-5)
    np.testing.assert_allclose(of_sampled, [[small]], rtol=1e-5)


@pytest.mark.parametrize(
    ("positive", "negative", "expected", "of_positive", "of_negative"),
    [
        (1e4, -1e4, 0, 0, 0),
        (-1e4, 1e4, 2e4, -0.5, 0.25),  # means of two and of four
        (0, 0, 2 * math.log(2), -0.25, 0.125),
    ],
)
def test_sigmoid_cross_entropy_at_its_limits(
    positive: float, negative: float, expected: float, of_positive: float, of_negative: float
) -> None:
    value, *gradients = value_and_gradients(
        losses.sigmoid_cross_entropy, np.full([2], positive), np.full([2, 2], negative)
    )
    np.testing.assert_allclose(value, expected)
    np.testing.assert_allclose(gradients[0], np.full([2], of_positive))
    np.testing.assert_allclose(gradients[1], np.full([2, 2], of_negative))


def test_sigmoid_cross_entropy_of_nothing_is_0() -> None:
    value, of_positive, _ = value_and_gradients(
        losses.sigmoid_cross_entropy, [0.0], np.zeros([1, 0])
    )
    assert value == pytest.approx(math.log(2))
    np.testing.assert_allclose(of_positive, [-0.5])
    value, _, of_negative = value_and_gradients(losses.sigmoid_cross_entropy, [], [0.0])
    assert value == pytest.approx(math.log(2))
    np.testing.assert_allclose(of_negative, [0.5])
    assert float(losses.sigmoid_cross_entropy([], [])) == 0


@pytest.mark.parametrize(
    ("positive", "expected", "of_source", "of_positive", "of_negative"),
    [
        (10.0, 0, 0, 0, 0),  # logits 1e4 and -1e4
        (-10.0, 2e4, 2000, -1000, 1000),  # the other way round; gradients are vectors / 0.01
    ],
)
def test_softmax_cross_entropy_at_its_limits_at_temperature_one_hundredth(
    positive: float, expected: float, of_source: float, of_positive: float, of_negative: float
) -> None:
    value, *gradients = value_and_gradients(
        losses.softmax_cross_entropy, [[10.0]], [[positive]], [[-positive]], temperature=0.01
    )
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    for gradient, limit in zip(gradients, (of_source, of_positive, of_negative), strict=True):
        np.testing.assert_allclose(gradient, [[limit]], rtol=1e-6)


def test_softmax_cross_entropy_without_negatives_is_0() -> None:
    value, *gradients = value_and_gradients(
        losses.softmax_cross_entropy, np.ones([3, 2]), np.ones([3, 2]), np.zeros([0, 2])
    )
    assert value == 0
    for gradient in gradients:
        np.testing.assert_array_equal(gradient, np.zeros_like(gradient))


@pytest.mark.parametrize("sign", [1, -1])
def test_full_cross_entropies_at_their_limits(sign: int) -> None:
    # Scores 1e4 of the context and -1e4 of the other class, or the other way round.
    rest = {"contexts": tf.constant([0]), "biases": tf.zeros([2])}
    wrong = sign < 0
    for loss in FULL:
        value, of_inputs, of_weights = value_and_gradients(
            lambda inputs, weights, loss=loss: loss(inputs=inputs, weights=weights, **rest),
            [[sign * 1e4]],
            [[1.0], [-1.0]],
        )
        np.testing.assert_allclose(value, [2e4 * wrong], atol=1e-2)
        np.testing.assert_allclose(of_inputs, [[-2.0 * wrong]], atol=1e-6)
        np.testing.assert_allclose(of_weights, [[1e4 * wrong], [-1e4 * wrong]], atol=1e-2)


def test_vocabulary_sums_of_extreme_scores() -> None:
    sums = losses.vocabulary_sums(
        tf.constant([[1e4], [-1e4]]), tf.constant([[1.0], [-1.0]]), tf.zeros([2])
    )
    np.testing.assert_allclose(sums.log_partition, [1e4, 1e4])
    np.testing.assert_allclose(sums.softplus_sum, [1e4, 1e4])


# --- Gradients in closed form


SEEDS = st.integers(0, 10_000)


@settings(max_examples=20, deadline=None)
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


def softmax(logits: Array) -> Array:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


@settings(max_examples=20, deadline=None)
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


@settings(max_examples=20, deadline=None)
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
    monkeypatch.setattr(losses, "_SCORES_AT_ONCE", 9)  # three classes of seven at once
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
        **(counts if counted else NO_COUNTS),
    )
    return theirs.numpy(), ours.numpy()


@pytest.mark.parametrize("loss", CORRECTED)
@settings(max_examples=30, deadline=None)
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


@settings(max_examples=20, deadline=None)
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


@settings(max_examples=25, deadline=None)
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
        patch.setattr(losses, "_SCORES_AT_ONCE", at_once)
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
    monkeypatch.setattr(losses, "_SCORES_AT_ONCE", at_once)
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


# --- Compiled, shapes unknown


COMPILED: list[tuple[Loss, list[list[int]]]] = [
    (losses.sigmoid_cross_entropy, [[3], [3, 2]]),
    (losses.softmax_cross_entropy, [[3, 2], [3, 2], [4, 2]]),
    (losses.softmax_cross_entropy, [[3, 2], [3, 2], [0, 2]]),
    (losses.vocabulary_sums, [[3, 2], [5, 2], [5], [3]]),
    (losses.nce, [[3], [3, 4]]),
    (losses.nce, [[3], [3, 0]]),
    (losses.sampled_softmax, [[3], [3, 4]]),
    (losses.sampled_softmax, [[3], [3, 0]]),
    (k_of_two, [[3], [3, 4]]),
    (k_of_two, [[3], [3, 0]]),
]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("loss", "shapes"), COMPILED)
def test_compiled_equals_eager(loss: Loss, shapes: list[list[int]], known: bool) -> None:
    arguments = [tf.constant(normal(seed, *shape)) for seed, shape in enumerate(shapes)]
    signature = [
        tf.TensorSpec(shape if known else [None] * len(shape), tf.float32) for shape in shapes
    ]
    compiled = tf.function(lambda *args: loss(*args), input_signature=signature)
    for one, other in zip(
        tf.nest.flatten(compiled(*arguments)), tf.nest.flatten(loss(*arguments)), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("loss", CORRECTED)
def test_compiled_equals_eager_with_counts_and_hits(loss: Loss) -> None:
    logits = tf.constant([2.0]), tf.constant([[1.0, -1.0]])
    rest = {"accidental_hits": tf.constant([[False, True]]), **COUNTS}
    np.testing.assert_allclose(tf.function(loss)(*logits, **rest), loss(*logits, **rest), rtol=1e-6)


@pytest.mark.parametrize("loss", FULL)
def test_full_cross_entropies_compiled_equal_eager(loss: Loss) -> None:
    weights = tf.Variable(normal(1, 7, 2))
    rest = tf.constant(normal(0, 3, 2)), tf.constant([0, 6, 3], tf.int64)
    compiled = tf.function(
        lambda inputs, contexts: loss(inputs, contexts, weights, tf.zeros([7])),
        input_signature=[tf.TensorSpec([None, 2]), tf.TensorSpec([None], tf.int64)],
    )
    np.testing.assert_allclose(
        compiled(*rest), loss(*rest, weights, tf.zeros([7])), rtol=1e-5, atol=1e-6
    )


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


# --- Guards


@pytest.mark.parametrize("loss", CORRECTED)
@pytest.mark.parametrize("alone", list(COUNTS))
def test_one_expected_count_alone_is_refused(loss: Loss, alone: str) -> None:
    with pytest.raises(ValueError, match=f"got {alone} alone"):
        loss(tf.zeros([1]), tf.zeros([1, 2]), **{alone: COUNTS[alone]})


@pytest.mark.parametrize("loss", PER_PAIR)
def test_logits_of_other_shapes_are_refused(loss: Loss) -> None:
    with pytest.raises(ValueError, match=r"true_logits must have shape \[batch\], got \(3, 1\)"):
        loss(tf.zeros([3, 1]), tf.zeros([3, 2]))
    with pytest.raises(ValueError, match=r"sampled_logits must have shape \[batch, num_sampled\]"):
        loss(tf.zeros([3]), tf.zeros([3]))
    with pytest.raises(ValueError, match="batch must be the same in true_logits and sampled_log"):
        loss(tf.zeros([3]), tf.zeros([1, 2]))
    with pytest.raises(ValueError, match="num_sampled must be the same"):
        loss(tf.zeros([3]), tf.zeros([3, 2]), accidental_hits=tf.zeros([3, 1], tf.bool))


@pytest.mark.parametrize("loss", CORRECTED)
def test_counts_of_other_shapes_are_refused(loss: Loss) -> None:
    logits = tf.zeros([3]), tf.zeros([3, 2])
    with pytest.raises(ValueError, match=r"true_expected_count must have shape \[batch\]"):
        loss(*logits, true_expected_count=tf.ones([3, 1]), sampled_expected_count=tf.ones([2]))
    with pytest.raises(ValueError, match="num_sampled must be the same"):
        loss(*logits, true_expected_count=tf.ones([3]), sampled_expected_count=tf.ones([3]))


@pytest.mark.parametrize("num_negatives", [0, -1, math.nan])
def test_num_negatives_must_be_positive(num_negatives: float) -> None:
    with pytest.raises(ValueError, match="num_negatives must be positive, got"):
        losses.negative_sampling(tf.zeros([1]), tf.zeros([1, 1]), num_negatives=num_negatives)


@pytest.mark.parametrize("temperature", [0, -0.1, math.nan])
def test_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature must be positive, got"):
        losses.softmax_cross_entropy(
            tf.zeros([1, 1]), tf.zeros([1, 1]), tf.zeros([1, 1]), temperature
        )


def test_temperature_may_be_a_tensor() -> None:
    vectors = (
        tf.constant(normal(0, 2, 3)),
        tf.constant(normal(1, 2, 3)),
        tf.constant(normal(2, 4, 3)),
    )
    np.testing.assert_allclose(
        losses.softmax_cross_entropy(*vectors, tf.Variable(0.5)),
        losses.softmax_cross_entropy(*vectors, 0.5),
    )


def test_vectors_of_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="dim must be the same in src_emb and neg_emb, got 3 and"):
        losses.softmax_cross_entropy(tf.zeros([2, 3]), tf.zeros([2, 3]), tf.zeros([2, 4]))
    with pytest.raises(ValueError, match="batch must be the same in src_emb and pos_emb"):
        losses.softmax_cross_entropy(tf.zeros([2, 3]), tf.zeros([1, 3]), tf.zeros([2, 3]))
    with pytest.raises(ValueError, match="dim must be the same in inputs and weights"):
        losses.vocabulary_sums(tf.zeros([2, 3]), tf.zeros([5, 4]), tf.zeros([5]))
    with pytest.raises(ValueError, match="targets must be the same in inputs and shift"):
        losses.vocabulary_sums(tf.zeros([2, 3]), tf.zeros([5, 3]), tf.zeros([5]), tf.zeros([1]))
    for loss in FULL:
        with pytest.raises(ValueError, match="batch must be the same in inputs and contexts"):
            loss(tf.zeros([2, 3]), tf.constant([0]), tf.zeros([5, 3]), tf.zeros([5]))
        with pytest.raises(ValueError, match="vocab must be the same in weights and biases"):
            loss(tf.zeros([2, 3]), tf.constant([0, 1]), tf.zeros([5, 3]), tf.zeros([4]))


def test_imports_tensorflow_alone() -> None:
    modules = set()
    for node in ast.walk(ast.parse(inspect.getsource(losses))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
    assert modules == {"typing", "tensorflow"}
