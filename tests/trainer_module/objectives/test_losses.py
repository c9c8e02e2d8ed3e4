"""Values worked out by hand, limits, what compiling changes and what is refused."""

import ast
import importlib
import inspect
import math

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer_module.objectives.loss_cases import (
    CORRECTED,
    COUNTS,
    FULL,
    PER_PAIR,
    Loss,
    k_of_two,
    normal,
    softplus,
    value_and_gradients,
)
from trainer_module.objectives import losses

# What `losses` is made of.
OWN_MODULES = ("_parts", "full_cross_entropies", "sigmoid_family", "softmax_family")

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
    folder = "trainer_module.objectives"
    own = {f"{folder}.{name}" for name in OWN_MODULES}
    for module in (losses, *map(importlib.import_module, own)):
        modules = set()
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                modules |= names if node.module == folder else {node.module or ""}
        assert modules <= {"typing", "tensorflow", *own}
