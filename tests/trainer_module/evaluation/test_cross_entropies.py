from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module.evaluation import cross_entropies
from trainer_module.evaluation.cross_entropies import Parameters
from trainer_module.objectives import distributions, losses
from trainer_module.objectives.candidate_sampling import Sampler

Array = np.ndarray[Any, Any]

VOCABULARY_SIZE = 11
DIM = 3
FAMILIES = pytest.mark.parametrize("softmax", [False, True], ids=["sigmoid", "softmax"])


def parameters_of(
    seed: int, *, softmax: bool, temperature: float = 1.0, scale: float = 1.0
) -> Parameters:
    random = np.random.default_rng(seed)

    def table(*shape: int) -> tf.Variable:
        return tf.Variable(random.normal(scale=scale, size=shape).astype(np.float32))

    return Parameters(
        table(VOCABULARY_SIZE, DIM),
        table(VOCABULARY_SIZE, DIM),
        table(VOCABULARY_SIZE),
        tf.constant(random.normal(size=VOCABULARY_SIZE), tf.float32),
        softmax,
        temperature,
    )


def pairs_of(seed: int, number: int) -> tuple[tf.Tensor, tf.Tensor]:
    random = np.random.default_rng(seed)
    # Not all tokens are targets, and not in their order.
    targets = random.choice(random.permutation(VOCABULARY_SIZE)[:7], number)
    contexts = random.integers(0, VOCABULARY_SIZE, number)
    return tf.constant(targets, tf.int32), tf.constant(contexts, tf.int32)


def raw_scores(parameters: Parameters) -> Array:
    """Of each target and class, float64: `[vocab, vocab]`."""
    table, weights, biases = (v.numpy().astype(np.float64) for v in parameters[:3])
    return np.asarray(table @ weights.T / parameters.temperature + biases)


def corrected_scores(parameters: Parameters) -> Array:
    return raw_scores(parameters) + parameters.correction.numpy().astype(np.float64)


def softmax_losses(scores: Array) -> Array:
    return np.asarray(np.logaddexp.reduce(scores, 1, keepdims=True) - scores)


def sigmoid_losses(scores: Array) -> Array:
    return np.asarray(np.logaddexp(0, scores).sum(1, keepdims=True) - scores)


def written_out(parameters: Parameters) -> list[Array]:
    """The four cross-entropies of each target and context, float64."""
    raw, corrected = raw_scores(parameters), corrected_scores(parameters)
    # log-probabilities, where the scores are free up to a constant of the target
    comparable = -softmax_losses(corrected) if parameters.softmax else corrected
    return [
        softmax_losses(corrected),
        sigmoid_losses(comparable),
        softmax_losses(raw),
        sigmoid_losses(raw),
    ]


@pytest.fixture
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several parts of targets and pairs, the last of them not whole."""
    monkeypatch.setattr(cross_entropies, "TARGETS_AT_ONCE", 3)
    monkeypatch.setattr(cross_entropies, "_PAIRS_AT_ONCE", 16)


# --- The full cross-entropies


def test_a_model_of_two_classes_by_hand() -> None:
    # Scores of target 0: 2 * 1 / 0.5 + 0 = 4 and 2 * 0.5 / 0.5 + 1 = 3; corrected: 4 and 4.
    parameters = Parameters(
        tf.Variable([[2.0], [0.0]]),
        tf.Variable([[1.0], [0.5]]),
        tf.Variable([0.0, 1.0]),
        tf.constant([0.0, 1.0]),
        softmax=False,
        temperature=0.5,
    )
    pair = tf.constant([0]), tf.constant([1])
    found = cross_entropies.mean_cross_entropies(parameters, *pair)
    assert float(found.softmax) == pytest.approx(np.log(2), rel=1e-6)
    assert float(found.sigmoid) == pytest.approx(2 * np.log1p(np.exp(4)) - 4, rel=1e-6)
    assert float(found.raw_softmax) == pytest.approx(np.log1p(np.exp(1)), rel=1e-6)
    raw_sigmoid = np.log1p(np.exp(4)) + np.log1p(np.exp(3)) - 3
    assert float(found.raw_sigmoid) == pytest.approx(raw_sigmoid, rel=1e-6)
    of_softmax = cross_entropies.mean_cross_entropies(parameters._replace(softmax=True), *pair)
    # Probabilities of a half each: softplus(log 1/2) = log 3/2.
    assert float(of_softmax.softmax) == pytest.approx(np.log(2), rel=1e-6)
    assert float(of_softmax.sigmoid) == pytest.approx(2 * np.log(1.5) + np.log(2), rel=1e-6)


@FAMILIES
@pytest.mark.parametrize("temperature", [1.0, 0.2])
@pytest.mark.usefixtures("_small_parts")
def test_means_are_those_of_float64(softmax: bool, temperature: float) -> None:
    parameters = parameters_of(1, softmax=softmax, temperature=temperature)
    targets, contexts = pairs_of(1, 50)
    expected = [table[targets, contexts].mean() for table in written_out(parameters)]
    for compute in (
        cross_entropies.mean_cross_entropies,
        tf.function(cross_entropies.mean_cross_entropies),
    ):
        found = compute(parameters, targets, contexts)
        np.testing.assert_allclose([float(x) for x in found], expected, rtol=1e-5)


@FAMILIES
@given(
    seed=st.integers(0, 1000),
    number=st.integers(1, 40),
    scale=st.sampled_from([0.0, 0.5, 5.0, 50.0]),
    temperature=st.floats(0.1, 10),
)
@settings(max_examples=8)
def test_means_are_those_of_float64_for_any_model(
    softmax: bool, seed: int, number: int, scale: float, temperature: float
) -> None:
    parameters = parameters_of(seed, softmax=softmax, temperature=temperature, scale=scale)
    targets, contexts = pairs_of(seed, number)
    found = cross_entropies.mean_cross_entropies(parameters, targets, contexts)
    # Rounding is that of the scores.
    rounding = 1e-6 * (1 + abs(raw_scores(parameters)).max())
    for mean, table in zip(found, written_out(parameters), strict=True):
        expected = table[targets, contexts].mean()
        assert float(mean) == pytest.approx(expected, rel=1e-5, abs=VOCABULARY_SIZE * rounding)


@FAMILIES
def test_sums_of_targets_are_those_of_float64(softmax: bool) -> None:
    parameters = parameters_of(2, softmax=softmax, temperature=0.5)
    raw, corrected = raw_scores(parameters), corrected_scores(parameters)
    log_partition = np.logaddexp.reduce(corrected, 1)
    sigmoid = np.logaddexp(0, corrected).sum(1)
    if softmax:
        # So that the sum less the score is the loss of the normalised model.
        normalised = corrected - log_partition[:, np.newaxis]
        sigmoid = np.logaddexp(0, normalised).sum(1) + log_partition
    targets = np.array([4, 0, 4, 9])
    found = cross_entropies.target_sums(parameters, tf.constant(targets))
    expected = [
        log_partition,
        sigmoid,
        np.logaddexp.reduce(raw, 1),
        np.logaddexp(0, raw).sum(1),
    ]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other[targets], rtol=1e-5)


@FAMILIES
@pytest.mark.usefixtures("_small_parts")
def test_without_the_raw_ones_the_others_are_the_same(softmax: bool) -> None:
    given, pairs = parameters_of(11, softmax=softmax), pairs_of(11, 30)
    for parameters in (given, given._replace(correction=None)):
        asked = cross_entropies.mean_cross_entropies(parameters, *pairs)
        alone = cross_entropies.mean_cross_entropies(parameters, *pairs, raw=False)
        np.testing.assert_allclose(asked[:2], alone[:2], rtol=1e-6)
        assert alone[2:] == (None, None)


@pytest.mark.parametrize("temperature", [1.0, 0.25])
@pytest.mark.usefixtures("_small_parts")
def test_scores_of_many_pairs_are_taken_a_part_at_a_time(temperature: float) -> None:
    parameters = parameters_of(3, softmax=False, temperature=temperature)
    for number in (0, 1, 16, 17, 50):
        targets, contexts = pairs_of(3, number)
        found = cross_entropies.scores(parameters, targets, contexts)
        expected = raw_scores(parameters)[targets, contexts]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@given(constants=st.lists(st.floats(-50, 50), min_size=VOCABULARY_SIZE, max_size=VOCABULARY_SIZE))
@settings(max_examples=8)
def test_a_softmax_is_not_charged_for_the_constants_that_it_leaves_free(
    constants: list[float],
) -> None:
    parameters = parameters_of(4, softmax=True)
    # One dimension more, 1 in every class, adds a constant to all scores of a target.
    ones = tf.ones([VOCABULARY_SIZE, 1])
    shifted = parameters._replace(
        target_table=tf.concat([parameters.target_table, tf.constant([constants])[0][:, None]], 1),
        context_weights=tf.concat([parameters.context_weights, ones], 1),
    )
    pairs = pairs_of(4, 30)
    one, other = (cross_entropies.mean_cross_entropies(p, *pairs) for p in (parameters, shifted))
    assert float(other.softmax) == pytest.approx(float(one.softmax), rel=1e-4)
    assert float(other.sigmoid) == pytest.approx(float(one.sigmoid), rel=1e-4)
    assert float(other.raw_softmax) == pytest.approx(float(one.raw_softmax), rel=1e-4)


@FAMILIES
def test_correction_is_what_tells_the_figures_from_the_raw_ones(softmax: bool) -> None:
    parameters = parameters_of(5, softmax=softmax)
    pairs = pairs_of(5, 30)
    without = parameters._replace(correction=tf.zeros([VOCABULARY_SIZE]))
    one, other = (cross_entropies.mean_cross_entropies(p, *pairs) for p in (parameters, without))
    np.testing.assert_array_equal(one.raw_softmax, other.raw_softmax)
    np.testing.assert_array_equal(one.raw_sigmoid, other.raw_sigmoid)
    assert float(other.softmax) == pytest.approx(float(other.raw_softmax), rel=1e-6)
    assert abs(float(one.softmax) - float(one.raw_softmax)) > 0.1
    if not softmax:
        assert float(other.sigmoid) == pytest.approx(float(other.raw_sigmoid), rel=1e-6)


@FAMILIES
@pytest.mark.usefixtures("_small_parts")
def test_no_correction_is_one_of_zeros(softmax: bool) -> None:
    parameters = parameters_of(10, softmax=softmax, temperature=0.5)
    none = parameters._replace(correction=None)
    zeros = parameters._replace(correction=tf.zeros([VOCABULARY_SIZE]))
    targets, contexts = pairs_of(10, 30)
    for compute in (
        cross_entropies.mean_cross_entropies,
        tf.function(cross_entropies.mean_cross_entropies),
    ):
        one, other = (compute(p, targets, contexts) for p in (none, zeros))
        np.testing.assert_allclose(one, other, rtol=1e-6)
    np.testing.assert_array_equal(none.corrected_biases, zeros.corrected_biases)
    for one, other in zip(
        cross_entropies.target_sums(none, targets),
        cross_entropies.target_sums(zeros, targets),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    sampler = unigram_sampler(replacement=True)
    sampled, of_zeros = (
        cross_entropies.sampled_loss(p, sampler, 4, targets, contexts, seed=9)
        for p in (none, zeros)
    )
    assert float(sampled) == float(of_zeros)


def test_a_model_that_knows_the_distribution_has_its_entropy() -> None:
    random = np.random.default_rng(6)
    joint = random.uniform(0.1, 1, [VOCABULARY_SIZE, VOCABULARY_SIZE])
    counts = np.round(joint * 20).astype(int) + 1
    p = counts / counts.sum(1, keepdims=True)
    entropy = -(counts * np.log(p)).sum() / counts.sum()
    targets = tf.constant(np.repeat(np.arange(VOCABULARY_SIZE), counts.sum(1)))
    contexts = tf.constant(
        np.concatenate([np.repeat(np.arange(VOCABULARY_SIZE), row) for row in counts])
    )
    parameters = Parameters(
        tf.Variable(np.log(p).astype(np.float32)),
        tf.Variable(np.eye(VOCABULARY_SIZE, dtype=np.float32)),
        tf.Variable(tf.zeros([VOCABULARY_SIZE])),
        tf.zeros([VOCABULARY_SIZE]),
        softmax=False,
        temperature=1.0,
    )
    found = cross_entropies.mean_cross_entropies(parameters, targets, contexts)
    assert float(found.softmax) == pytest.approx(entropy, rel=1e-5)
    sigmoid = entropy + (counts.sum(1) * np.log1p(p).sum(1)).sum() / counts.sum()
    assert float(found.sigmoid) == pytest.approx(sigmoid, rel=1e-5)


# --- What sampling gives beside them


def unigram_sampler(*, replacement: bool) -> Sampler:
    counts = np.arange(VOCABULARY_SIZE)[::-1] ** 2
    probabilities = distributions.unigram_probabilities(counts, 0.75)
    return Sampler(probabilities, replacement=replacement)


@FAMILIES
@pytest.mark.parametrize("replacement", [False, True], ids=["distinct", "with_replacement"])
def test_sampled_loss_is_the_mean_over_draws_written_out(softmax: bool, replacement: bool) -> None:
    parameters = parameters_of(7, softmax=softmax, temperature=0.5)
    sampler = unigram_sampler(replacement=replacement)
    targets, contexts = pairs_of(7, 30)
    scores = corrected_scores(parameters).astype(np.float32)
    found = []
    for draw in range(20):
        drawn = sampler.draw(4, tf.constant([9, draw], tf.int64))
        classes = drawn.classes.numpy()
        loss = losses.sampled_softmax if softmax else losses.nce
        found += (
            loss(
                scores[targets, contexts],
                scores[targets][:, classes],
                true_expected_count=sampler.expected_count(contexts, drawn),
                sampled_expected_count=sampler.expected_count(classes, drawn),
                accidental_hits=contexts.numpy()[:, np.newaxis] == classes,
            )
            .numpy()
            .tolist()
        )
    sampled = cross_entropies.sampled_loss(parameters, sampler, 4, targets, contexts, seed=9)
    assert float(sampled) == pytest.approx(np.mean(found), rel=1e-5)
    compiled = tf.function(cross_entropies.sampled_loss)
    again = compiled(parameters, sampler, 4, targets, contexts, seed=9)
    assert float(again) == pytest.approx(float(sampled), rel=1e-6)


@FAMILIES
def test_with_the_whole_vocabulary_as_candidates_the_sampled_loss_is_the_full_one(
    softmax: bool,
) -> None:
    parameters = parameters_of(8, softmax=softmax)
    pairs = pairs_of(8, 30)
    sampled = cross_entropies.sampled_loss(
        parameters, unigram_sampler(replacement=False), VOCABULARY_SIZE, *pairs, seed=1
    )
    full = cross_entropies.mean_cross_entropies(parameters, *pairs)
    assert float(sampled) == pytest.approx(
        float(full.softmax if softmax else full.sigmoid), rel=1e-5
    )


def test_sampled_losses_leave_out_more_candidates_than_there_are_classes() -> None:
    parameters, pairs = parameters_of(9, softmax=True), pairs_of(9, 30)
    sampler = unigram_sampler(replacement=False)
    numbers = (2, VOCABULARY_SIZE, VOCABULARY_SIZE + 1, 64)
    found = cross_entropies.sampled_losses(parameters, sampler, *pairs, numbers=numbers, seed=3)
    assert list(found) == [2, VOCABULARY_SIZE]
    for number, loss in found.items():
        one = cross_entropies.sampled_loss(parameters, sampler, number, *pairs, seed=3)
        assert loss == pytest.approx(float(one), rel=1e-5)
