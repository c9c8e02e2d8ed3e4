"""Ranks beside their definition: every class held against the context, one by one."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module.evaluation import ranks as module
from trainer_module.evaluation import vocabulary_sums
from trainer_module.evaluation.ranks import RankCounter, Visitor

Array = np.ndarray[Any, Any]


def written_out(scores: Array, rows: Array, contexts: Array) -> list[float]:
    found = []
    for row, context in zip(rows, contexts, strict=True):
        own, rank = scores[row, context], 1.0
        for other, score in enumerate(scores[row]):
            if other != context:
                rank += 1.0 if score > own else 0.5 if score == own else 0.0
        found.append(rank)
    return found


def counted(scores: Array, rows: Array, contexts: Array, chunk: int) -> list[float]:
    counter = RankCounter(rows, contexts, scores[rows, contexts])
    for start in range(0, scores.shape[1], chunk):
        counter.add(scores[:, start : start + chunk], start)
    return list(counter.ranks().tolist())


def test_by_hand() -> None:
    scores = np.array([[3.0, 1.0, 3.0, 0.0, 3.0], [0.0, 0.0, 0.0, 0.0, 0.0]], np.float32)
    # Three share the ranks 1, 2 and 3; then comes 4; where all are equal their mean is 3.
    rows, contexts = np.array([0, 0, 0, 1]), np.array([0, 1, 3, 2])
    assert counted(scores, rows, contexts, 2) == [2.0, 4.0, 5.0, 3.0]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Array, Array, Array]:
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    num_rows, num_classes = draw(st.integers(1, 6)), draw(st.integers(1, 70))
    # Few different scores, so that many are equal; or all different ones.
    levels = draw(st.sampled_from([1, 3, 1000]))
    scores = random.integers(0, levels, [num_rows, num_classes]).astype(np.float32)
    numbers = sorted(random.integers(0, 30, num_rows).tolist(), reverse=True)
    rows = np.repeat(np.arange(num_rows), numbers)
    return scores, rows, random.integers(0, num_classes, len(rows))


@given(
    case=cases(),
    chunk=st.sampled_from([1, 7, 64, 1000]),
    sorted_from=st.sampled_from([0, 3, 16, 100]),
    at_once=st.sampled_from([1, 100, 1 << 17]),
)
@settings(max_examples=150)
def test_any_scores_in_any_chunks(
    case: tuple[Array, Array, Array], chunk: int, sorted_from: int, at_once: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SORTED_FROM", sorted_from)
        patch.setattr(module, "_SCORES_AT_ONCE", at_once)
        assert counted(*case, chunk) == written_out(*case)


def test_a_context_is_not_above_itself_though_its_score_was_summed_in_another_order() -> None:
    scores = np.array([[0.5, 2.0, 1.0]], np.float32)
    for own in (np.nextafter(np.float32(2), np.float32(3)), np.nextafter(np.float32(2), 0)):
        counter = RankCounter(np.array([0]), np.array([1]), np.array([own], np.float32))
        counter.add(scores, 0)
        assert counter.ranks().tolist() == [1.0]


def test_what_is_no_number_has_no_rank() -> None:
    scores = np.array([[np.nan, 1.0, np.inf]], np.float32)
    counter = RankCounter(np.zeros(3, int), np.arange(3), scores[0])
    counter.add(scores, 0)
    assert np.isnan(counter.ranks()).tolist() == [True, False, True]


def test_rows_in_another_order_are_refused() -> None:
    with pytest.raises(ValueError, match="the most first"):
        RankCounter(np.array([0, 1, 1]), np.zeros(3, int), np.zeros(3, np.float32))


def test_no_pairs() -> None:
    counter = RankCounter(np.zeros(0, int), np.zeros(0, int), np.zeros(0, np.float32))
    counter.add(np.ones([3, 4], np.float32), 0)
    assert counter.ranks().shape == (0,)


@pytest.mark.parametrize("num_pairs", [5, 100])
def test_with_the_sums_of_a_compiled_graph(num_pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary_sums, "_SCORES_AT_ONCE", 64)
    random = np.random.default_rng(1)
    # Small whole numbers, of which every order of summing gives the same.
    inputs, weights = random.integers(-2, 3, [4, 3]), random.integers(-2, 3, [50, 3])
    biases = random.integers(-2, 3, 50)
    rows = np.sort(random.integers(0, 4, num_pairs))
    rows = np.argsort(np.argsort(-np.bincount(rows, minlength=4), kind="stable"))[rows]
    rows = np.sort(rows)
    contexts = random.integers(0, 50, num_pairs)
    scores = (inputs @ weights.T + biases).astype(np.float32)
    visitor = Visitor()
    tables = tf.constant(weights, tf.float32), [tf.constant(biases, tf.float32)]
    sums = tf.function(
        lambda given: vocabulary_sums.vocabulary_sums(
            given, *tables, softplus=[True], visit=visitor
        )[0]
    )
    given_inputs = tf.constant(inputs, tf.float32)
    without = sums(given_inputs)
    for _ in range(2):  # in one trace
        visitor.counter = counter = RankCounter(rows, contexts, scores[rows, contexts])
        found = sums(given_inputs)
        assert counter.ranks().tolist() == written_out(scores, rows, contexts)
    np.testing.assert_array_equal(found.log_partition, without.log_partition)
    np.testing.assert_array_equal(found.softplus_sum, without.softplus_sum)
