from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer_module.objectives.gradient_cases import (
    CORRECTED,
    DIM,
    DISTINCT,
    FULL,
    REPEATED,
    SAMPLED,
    VOCABULARY_SIZE,
    Case,
    OfTables,
    assert_close,
    assert_equals_each,
    block_of,
    case_of,
    described,
    full,
    hits_of,
    of_tables,
    pair_losses_written_out,
    variants,
)
from trainer_module.objectives import gradients, losses
from trainer_module.objectives.gradients import Block
from trainer_module.objectives.registry import Objective

# --- Values worked out by hand


def one_pair(**parts: Any) -> Block:
    """Target vector (1, 2), context weights (3, -1): product 1; bias 0.5. Candidate: -1, bias 0."""
    return Block(
        inputs=tf.constant([[[1.0, 2.0]]]),
        contexts=tf.constant([[[3.0, -1.0]]]),
        context_biases=tf.constant([[0.5]]),
        context_expected=None,
        context_hits=None,
        band=tf.ones([1, 1, 1]),
        candidates=tf.constant([[1.0, -1.0]]),
        candidate_biases=tf.constant([0.0]),
        candidate_expected=None,
    )._replace(**parts)


def sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def test_the_sigmoid_family_by_hand() -> None:
    found = gradients.shared_candidates(
        described("negative_sampling", 1), one_pair(), with_loss=True
    )
    true, sampled = sigmoid(1.5) - 1, 5 * sigmoid(-1)  # five negatives a pair
    assert float(found.loss) == pytest.approx(np.log1p(np.exp(-1.5)) + 5 * np.log1p(np.exp(-1)))
    np.testing.assert_allclose(found.context_biases, [[true]], rtol=1e-5)
    np.testing.assert_allclose(found.candidate_biases, [sampled], rtol=1e-5)
    np.testing.assert_allclose(found.contexts, [[[true, 2 * true]]], rtol=1e-5)
    np.testing.assert_allclose(found.candidates, [[sampled, 2 * sampled]], rtol=1e-5)
    np.testing.assert_allclose(found.inputs, [[[3 * true + sampled, -true - sampled]]], rtol=1e-5)


def test_the_softmax_family_by_hand() -> None:
    found = gradients.shared_candidates(described("sampled_softmax", 1), one_pair(), with_loss=True)
    other = sigmoid(-1 - 1.5)  # of exp(-1) against exp(1.5)
    assert float(found.loss) == pytest.approx(np.log1p(np.exp(-2.5)), rel=1e-5)
    np.testing.assert_allclose(found.context_biases, [[-other]], rtol=1e-5)
    np.testing.assert_allclose(found.candidate_biases, [other], rtol=1e-5)
    np.testing.assert_allclose(found.inputs, [[[-2 * other, 0]]], rtol=1e-5, atol=1e-7)


def test_temperature_divides_products_and_not_biases() -> None:
    objective = described("softmax_cross_entropy", 1, temperature=0.5)
    found = gradients.shared_candidates(objective, one_pair(), with_loss=True)
    other = sigmoid(-2 - 2.5)  # the products 1 and -1 are doubled, the bias stays 0.5
    assert float(found.loss) == pytest.approx(np.log1p(np.exp(-4.5)), rel=1e-4)
    np.testing.assert_allclose(found.contexts, [[[-2 * other, -4 * other]]], rtol=1e-4)
    np.testing.assert_allclose(found.inputs, [[[-4 * other, 0]]], rtol=1e-4, atol=1e-7)


def test_a_pair_of_a_hit_alone_is_left_with_its_own_part() -> None:
    same = {"candidates": tf.constant([[3.0, -1.0]]), "candidate_biases": tf.constant([0.5])}
    block = one_pair(context_hits=tf.ones([1, 1]), **same)
    softmax, nce = (
        gradients.shared_candidates(
            described(name, 1, remove_accidental_hits=True), block, with_loss=True
        )
        for name in ("sampled_softmax", "nce")
    )
    assert float(softmax.loss) == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(softmax.inputs, np.zeros([1, 1, 2]), atol=1e-6)
    assert float(nce.loss) == pytest.approx(np.log1p(np.exp(-1.5)), rel=1e-5)
    of_class = float(nce.context_biases[0, 0] + nce.candidate_biases[0])
    assert of_class == pytest.approx(sigmoid(1.5) - 1, rel=1e-5)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"inputs": tf.zeros([1, 2])}, r"inputs must have shape \[frames, height, dim\]"),
        ({"contexts": tf.zeros([1, 1, 3])}, "dim must be the same in inputs and contexts"),
        ({"band": tf.ones([1, 1, 2])}, "width must be the same in contexts and band"),
        ({"context_hits": tf.ones([2, 1])}, "frames must be the same in inputs and context_hits"),
        ({"candidates": tf.zeros([4, 2])}, "num_sampled must be the same in candidates and"),
        ({"candidates": tf.zeros([1, 1, 2])}, r"candidate_biases must have shape \[pairs, num_"),
    ],
)
def test_blocks_whose_parts_do_not_fit_are_refused(parts: dict[str, Any], said: str) -> None:
    objective, block = described("nce", 1), one_pair(**parts)
    with pytest.raises(ValueError, match=said):
        gradients.shared_candidates(objective, block, with_loss=True)
    with pytest.raises(ValueError, match=said):
        gradients.per_pair_candidates(objective, block, None)


# --- Against autodiff


@pytest.mark.parametrize("candidates", [DISTINCT, REPEATED], ids=["distinct", "repeated"])
@pytest.mark.parametrize(("name", "logq", "hits"), variants())
def test_shared_gradients_are_those_of_autodiff(
    name: str, logq: bool, hits: bool, candidates: tuple[int, ...]
) -> None:
    objective = described(
        name,
        len(candidates),
        logq_correction=logq,
        remove_accidental_hits=hits,
        temperature=0.3 if name == "softmax_cross_entropy" else 1.0,
    )
    case = case_of(1, candidates)
    found = gradients.shared_candidates(objective, block_of(objective, case), with_loss=True)
    assert_equals_each(objective, case, found)


@pytest.mark.parametrize("candidates", [DISTINCT, REPEATED], ids=["distinct", "repeated"])
@pytest.mark.parametrize(("name", "logq", "hits"), variants())
def test_pairs_that_stand_together_weigh_as_much_as_apart(
    name: str, logq: bool, hits: bool, candidates: tuple[int, ...]
) -> None:
    objective = described(name, len(candidates), logq_correction=logq, remove_accidental_hits=hits)
    assert_counts_weigh(objective, case_of(6, candidates))


@pytest.mark.parametrize("name", FULL)
def test_of_full_objectives_too(name: str) -> None:
    assert_counts_weigh(full(name), case_of(6, tuple(range(VOCABULARY_SIZE))))


def assert_counts_weigh(objective: Objective, apart: Case) -> None:
    """A pair that is there n times is a column n times, or once with n in the band."""
    together = apart._replace(distinct=True)
    assert np.max(apart.framed.band) == 1
    assert np.max(together.framed.band) >= 3
    found, expected = (
        gradients.shared_candidates(objective, block_of(objective, case), with_loss=True)
        for case in (together, apart)
    )
    assert_close(of_tables(together, found), of_tables(apart, expected))
    written_out = sum(pair_losses_written_out(objective, apart))
    assert float(found.loss) == pytest.approx(written_out, rel=1e-4)
    assert_equals_each(objective, together, found)


@pytest.mark.parametrize("name", FULL)
def test_full_gradients_are_those_of_autodiff(name: str) -> None:
    case = case_of(2, tuple(range(VOCABULARY_SIZE)))
    found = gradients.shared_candidates(full(name), block_of(full(name), case), with_loss=True)
    assert_equals_each(full(name), case, found)


@given(
    name=st.sampled_from([*SAMPLED, *FULL]),
    candidates=st.lists(st.integers(0, VOCABULARY_SIZE - 1), min_size=1, max_size=20),
    window=st.integers(1, 20),
    corrected=st.booleans(),
    hits=st.booleans(),
    temperature=st.floats(0.2, 5),
    seed=st.integers(0, 1000),
)
@settings(max_examples=30)
def test_shared_gradients_are_those_of_autodiff_in_any_case(
    name: str,
    candidates: list[int],
    window: int,
    corrected: bool,
    hits: bool,
    temperature: float,
    seed: int,
) -> None:
    if name in FULL:
        candidates, objective = list(range(VOCABULARY_SIZE)), full(name)
    else:
        objective = described(
            name,
            len(candidates),
            logq_correction=corrected and name in CORRECTED,
            remove_accidental_hits=hits,
            temperature=temperature if name == "softmax_cross_entropy" else 1.0,
        )
    case = case_of(seed, tuple(candidates), window=window)
    found = gradients.shared_candidates(objective, block_of(objective, case), with_loss=True)
    assert_equals_each(objective, case, found)


@pytest.mark.parametrize("name", [*SAMPLED, *FULL])
def test_compiled_gradients_are_those_of_autodiff(name: str) -> None:
    if name in FULL:
        case, objective = case_of(3, tuple(range(VOCABULARY_SIZE))), full(name)
    else:
        case = case_of(3, REPEATED)
        objective = described(
            name, len(REPEATED), logq_correction=name in CORRECTED, remove_accidental_hits=True
        )
    compiled = tf.function(
        lambda block: gradients.shared_candidates(objective, block, with_loss=True)
    )
    assert_equals_each(objective, case, compiled(block_of(objective, case)))


@pytest.mark.parametrize("name", [*SAMPLED, *FULL])
def test_gradients_do_not_depend_on_whether_the_loss_is_asked_for(name: str) -> None:
    objective = described(name, len(DISTINCT))
    block = block_of(objective, case_of(4, DISTINCT))
    without, with_loss = (
        gradients.shared_candidates(objective, block, with_loss=asked) for asked in (False, True)
    )
    for one, other in zip(without[:-1], with_loss[:-1], strict=True):
        np.testing.assert_array_equal(one, other)
    assert objective.softmax or float(without.loss) == 0


def test_places_outside_the_band_get_nothing() -> None:
    objective = described("nce", len(DISTINCT))
    nothing = case_of(5, DISTINCT)
    nothing.left[:], nothing.right[:] = 0, 0
    found = gradients.shared_candidates(objective, block_of(objective, nothing), with_loss=True)
    assert not any(np.any(part) for part in found)


# --- Against TensorFlow's own losses and the full ones of `losses`

PairLosses = Callable[[Case, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


def autodiff_of(case: Case, pair_losses: PairLosses) -> OfTables:
    """Of a loss of inputs, contexts, weights and biases."""
    places = np.array([place for place, _ in case.pairs])
    contexts = tf.constant([context for _, context in case.pairs], tf.int64)
    inputs = tf.constant(case.target_table[case.targets])
    weights, biases = tf.constant(case.weights), tf.constant(case.biases)
    with tf.GradientTape() as tape:
        tape.watch((inputs, weights, biases))
        of_pairs = pair_losses(case, tf.gather(inputs, places), contexts, weights, biases)
        loss = tf.reduce_sum(of_pairs)
    found = tape.gradient(loss, (inputs, weights, biases))
    return OfTables(loss.numpy(), *(tf.convert_to_tensor(part).numpy() for part in found))


def of_tensorflow(loss: Callable[..., tf.Tensor], *, logq: bool, hits: bool) -> PairLosses:
    def of_pairs(
        case: Case, inputs: tf.Tensor, contexts: tf.Tensor, weights: tf.Tensor, biases: tf.Tensor
    ) -> tf.Tensor:
        # It always corrects: expected counts of 1 leave the scores as they are.
        expected = case.expected if logq else np.ones_like(case.expected)
        return loss(
            weights,
            biases,
            contexts[:, tf.newaxis],
            inputs,
            num_sampled=len(case.candidates),
            num_classes=VOCABULARY_SIZE,
            sampled_values=(
                tf.constant(case.candidates),
                tf.gather(expected, contexts)[:, tf.newaxis],
                tf.gather(expected, case.candidates),
            ),
            remove_accidental_hits=hits,
        )

    return of_pairs


@pytest.mark.parametrize("hits", [False, True], ids=["with_hits", "without_hits"])
@pytest.mark.parametrize("logq", [False, True], ids=["raw", "logq"])
@pytest.mark.parametrize(
    ("name", "loss"),
    [("nce", tf.nn.nce_loss), ("sampled_softmax", tf.nn.sampled_softmax_loss)],
    ids=["nce", "sampled_softmax"],
)
def test_shared_gradients_are_those_of_tensorflows_loss(
    name: str, loss: Callable[..., tf.Tensor], logq: bool, hits: bool
) -> None:
    case = case_of(6, DISTINCT)
    objective = described(name, len(DISTINCT), logq_correction=logq, remove_accidental_hits=hits)
    found = gradients.shared_candidates(objective, block_of(objective, case), with_loss=True)
    reference = autodiff_of(case, of_tensorflow(loss, logq=logq, hits=hits))
    assert_close(of_tables(case, found), reference)


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("full_softmax", losses.full_softmax_cross_entropy),
        ("full_sigmoid", losses.full_sigmoid_cross_entropy),
    ],
    ids=list(FULL),
)
def test_full_gradients_are_those_of_the_full_cross_entropies(
    name: str, loss: Callable[..., tf.Tensor]
) -> None:
    case = case_of(7, tuple(range(VOCABULARY_SIZE)))
    found = gradients.shared_candidates(full(name), block_of(full(name), case), with_loss=True)
    reference = autodiff_of(case, lambda _, *arguments: loss(*arguments))
    assert_close(of_tables(case, found), reference)


# --- Scores far from 0


@pytest.mark.parametrize("temperature", [1.0, 0.01])
@pytest.mark.parametrize("hits", [False, True], ids=["with_hits", "without_hits"])
@pytest.mark.parametrize("name", [*SAMPLED, *FULL])
def test_gradients_of_large_scores_are_finite(name: str, hits: bool, temperature: float) -> None:
    # Products of vectors of norm 70 or so: up to 1e4; at the low temperature up to 1e6.
    case = case_of(8, tuple(range(VOCABULARY_SIZE)) if name in FULL else REPEATED, scale=50)
    scores = case.target_table @ case.weights.T
    assert scores.max() > 1e4
    assert scores.min() < -1e4
    objective = described(
        name,
        len(case.candidates),
        remove_accidental_hits=hits or name in FULL,
        temperature=temperature,
    )
    block = block_of(objective, case)
    found = gradients.shared_candidates(objective, block, with_loss=True)
    assert all(np.isfinite(part).all() for part in found)
    reference = sum(pair_losses_written_out(objective, case))
    assert float(found.loss) == pytest.approx(reference, rel=1e-3)
    again = tf.function(
        lambda block: gradients.shared_candidates(objective, block, with_loss=True)
    )(block)
    assert all(np.isfinite(part).all() for part in again)


# --- Candidates of each pair's own


@pytest.mark.parametrize(("name", "logq", "hits"), variants())
def test_the_loss_of_each_pair_is_docs_formula(name: str, logq: bool, hits: bool) -> None:
    case = case_of(9, REPEATED)
    objective = described(
        name, len(REPEATED), logq_correction=logq, remove_accidental_hits=hits, temperature=0.7
    )
    found = gradients.per_pair_candidates(
        objective, block_of(objective, case), hits_of(objective, case)
    )
    expected = sum(pair_losses_written_out(objective, case))
    assert float(found.loss) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("name", "logq", "hits"), variants())
def test_the_same_candidates_for_each_pair_give_what_shared_ones_give(
    name: str, logq: bool, hits: bool
) -> None:
    case = case_of(10, REPEATED)
    objective = described(name, len(REPEATED), logq_correction=logq, remove_accidental_hits=hits)
    block = block_of(objective, case)

    def repeated(values: tf.Tensor | None) -> tf.Tensor | None:
        return None if values is None else tf.stack([values] * len(case.pairs))

    own = block._replace(
        candidates=repeated(block.candidates),
        candidate_biases=repeated(block.candidate_biases),
        candidate_expected=repeated(block.candidate_expected),
    )
    found = gradients.per_pair_candidates(objective, own, hits_of(objective, case))
    assert found.candidates.shape == [len(case.pairs), len(REPEATED), DIM]
    shared = gradients.shared_candidates(objective, block, with_loss=True)
    assert_close(of_tables(case, found), of_tables(case, shared))


def test_a_pairs_own_candidates_reach_no_other_pair() -> None:
    objective = described("nce", 1)
    block = one_pair(
        contexts=tf.constant([[[3.0, -1.0], [0.0, 0.0]]]),
        context_biases=tf.constant([[0.5, 0.0]]),
        band=tf.ones([1, 1, 2]),
        candidates=tf.constant([[[1.0, -1.0]], [[0.0, 2.0]]]),
        candidate_biases=tf.zeros([2, 1]),
    )
    found = gradients.per_pair_candidates(objective, block, None)
    np.testing.assert_allclose(found.candidate_biases, [[sigmoid(-1)], [sigmoid(4)]], rtol=1e-5)
    np.testing.assert_allclose(found.context_biases, [[sigmoid(1.5) - 1, -0.5]], rtol=1e-5)
