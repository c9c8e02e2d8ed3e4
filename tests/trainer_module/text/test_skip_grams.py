from collections.abc import Sequence

import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer_module.transformed import Document, pairs_by_target, ragged
from trainer_module.text import skip_grams


def documents_of(least_window: int) -> st.SearchStrategy[list[Document]]:
    """Documents of a few tokens, with windows up to 6; -1 is that of a context alone."""
    token = st.tuples(st.integers(0, 9), st.integers(least_window, 6))
    return st.lists(st.lists(token, max_size=8), max_size=6)


def as_tensors(documents: Sequence[Document]) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    return (
        ragged([[target for target, _ in document] for document in documents]),
        ragged([[window for _, window in document] for document in documents]),
    )


def pairs_of(documents: Sequence[Document]) -> list[list[tuple[int, int]]]:
    targets, contexts = skip_grams.pairs(*as_tensors(documents))
    assert targets.dtype == contexts.dtype == tf.int64
    rows = zip(targets.to_list(), contexts.to_list(), strict=True)
    return [list(zip(*row, strict=True)) for row in rows]


def test_window_of_one_pairs_neighbours_both_ways() -> None:
    assert pairs_of([[(7, 1), (8, 1), (9, 1)]]) == [[(7, 8), (8, 7), (8, 9), (9, 8)]]


def test_each_target_has_its_own_window() -> None:
    assert pairs_of([[(1, 3), (2, 1), (3, 1), (4, 2)]]) == [
        [(1, 2), (1, 3), (1, 4), (2, 1), (2, 3), (3, 2), (3, 4), (4, 2), (4, 3)]
    ]


def test_no_pair_crosses_a_document() -> None:
    assert pairs_of([[(1, 5), (2, 5)], [], [(3, 5), (4, 5)]]) == [
        [(1, 2), (2, 1)],
        [],
        [(3, 4), (4, 3)],
    ]


def test_the_same_token_twice_is_a_pair() -> None:
    assert pairs_of([[(5, 1), (5, 1)]]) == [[(5, 5), (5, 5)]]


def test_no_documents_no_tokens_and_one_token_give_no_pair() -> None:
    assert pairs_of([]) == []
    assert pairs_of([[], [(3, 5)], []]) == [[], [], []]


def test_a_token_that_is_left_out_stands_between_no_others() -> None:
    # 8 is no target and no context, and 9 comes next to 7.
    assert pairs_of([[(7, 1), (8, 0), (9, 1)], [(1, 0), (2, 3)], [(3, 0)]]) == [
        [(7, 9), (9, 7)],
        [],
        [],
    ]


def test_pairs_of_the_example_in_features() -> None:
    the, cat, sat, on, mat = 0, 7, 9, 3, 8
    assert pairs_of([[(the, 0), (cat, 2), (sat, 1), (on, 1), (the, 0), (mat, 2)]]) == [
        [(cat, sat), (cat, on), (sat, cat), (sat, on), (on, sat), (on, mat), (mat, sat), (mat, on)]
    ]


def test_a_context_alone_has_no_contexts_but_is_one() -> None:
    assert pairs_of([[(7, 1), (8, -1)], [(7, 2), (8, -1), (9, 2)], [(3, -1)]]) == [
        [(7, 8)],
        [(7, 8), (7, 9), (9, 7), (9, 8)],
        [],
    ]


@settings(max_examples=100)
@given(documents_of(least_window=-1))
def test_pairs_equal_brute_force(documents: list[Document]) -> None:
    assert pairs_of(documents) == [
        [pair for pairs in pairs_by_target(document) for pair in pairs] for document in documents
    ]


def kept_of(documents: Sequence[Document]) -> list[Document]:
    targets, windows = skip_grams.targets_of(*as_tensors(documents))
    assert targets.dtype == windows.dtype == tf.int64
    rows = zip(targets.to_list(), windows.to_list(), strict=True)
    return [list(zip(*row, strict=True)) for row in rows]


def test_targets_of_by_hand() -> None:
    assert kept_of([[(7, 1), (8, 0), (9, 2)], [], [(3, 0)], [(0, 4)]]) == [
        [(7, 1), (9, 2)],
        [],
        [],
        [(0, 4)],
    ]
    assert kept_of([]) == []


@settings(max_examples=50)
@given(documents_of(least_window=-1))
def test_targets_of_equals_brute_force(documents: list[Document]) -> None:
    assert kept_of(documents) == [
        [(token, window) for token, window in document if window != 0] for document in documents
    ]


def test_pairs_compiled_for_any_documents_equal_eager() -> None:
    spec = tf.RaggedTensorSpec([None, None], tf.int64)
    compiled = tf.function(skip_grams.pairs, input_signature=[spec, spec])
    for documents in ([[(4, 2), (5, 0), (6, 2)], [(7, 1), (4, 3)]], [[(1, 1), (2, 2)]], [[]]):
        arguments = as_tensors(documents)
        for one, other in zip(compiled(*arguments), skip_grams.pairs(*arguments), strict=True):
            assert one.to_list() == other.to_list()


def extents_of(rows: list[list[int]]) -> list[list[int]]:
    return [side.numpy().tolist() for side in skip_grams.extents(ragged(rows))]


def test_extents_by_hand() -> None:
    # Cut at the start and at the end of the document alone, not of the batch.
    assert extents_of([[3, 1, 2, 2], [], [9], [1, 5, 5]]) == [
        [0, 1, 2, 2, 0, 0, 1, 2],
        [3, 1, 1, 0, 0, 1, 1, 0],
    ]
    assert extents_of([[2, -1, 1, -1]]) == [[0, 0, 1, 0], [2, 0, 1, 0]]


def test_extents_of_nothing() -> None:
    assert extents_of([]) == extents_of([[], []]) == [[], []]


def test_extents_have_the_type_of_the_windows() -> None:
    for dtype in (tf.int32, tf.int64):
        left, right = skip_grams.extents(tf.ragged.constant([[1, 1]], dtype))
        assert left.dtype == right.dtype == dtype


@settings(max_examples=100)
@given(documents_of(least_window=1))
def test_extents_count_the_contexts_before_and_after(documents: list[Document]) -> None:
    _, windows = as_tensors(documents)
    before_and_after = [
        (
            sum(j < i and i - j <= window for j in range(len(document))),
            sum(j > i and j - i <= window for j in range(len(document))),
        )
        for document in documents
        for i, (_, window) in enumerate(document)
    ]
    left, right = (side.numpy().tolist() for side in skip_grams.extents(windows))
    assert list(zip(left, right, strict=True)) == before_and_after


@given(lengths=st.lists(st.integers(0, 4), max_size=8))
@settings(max_examples=50)
def test_documents_of_are_the_row_ids(lengths: list[int]) -> None:
    tokens = ragged([[7] * length for length in lengths])
    expected = [row for row, length in enumerate(lengths) for _ in range(length)]
    assert skip_grams.documents_of(tokens).numpy().tolist() == expected


def test_positions_start_anew_with_each_document() -> None:
    rows = [[5, 6, 7], [], [8], [9, 9]]
    assert skip_grams.positions_in_documents(ragged(rows)).numpy().tolist() == [0, 1, 2, 0, 0, 1]
    assert skip_grams.positions_in_documents(ragged([])).numpy().tolist() == []
    as_int32 = ragged(rows).with_row_splits_dtype(tf.int32)
    assert skip_grams.positions_in_documents(as_int32).dtype == tf.int64


def enumerated(left: Sequence[int], right: Sequence[int], dtype: tf.DType) -> list[tuple[int, int]]:
    found = skip_grams.enumerate_pairs(tf.constant(left, dtype), tf.constant(right, dtype))
    assert [side.dtype for side in found] == [dtype, dtype]
    return list(zip(*(side.numpy().tolist() for side in found), strict=True))


def test_pairs_enumerated_by_hand() -> None:
    # The second target has no context, the third one before it and two behind it.
    for dtype in (tf.int32, tf.int64):
        assert enumerated([0, 0, 1], [1, 0, 2], dtype) == [(0, 1), (2, -1), (2, 1), (2, 2)]
        assert enumerated([], [], dtype) == []
        assert enumerated([0, 0], [0, 0], dtype) == []


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_enumerated_pairs_equal_brute_force(sides: list[tuple[int, int]]) -> None:
    left, right = [side[0] for side in sides], [side[1] for side in sides]
    assert enumerated(left, right, tf.int32) == [
        (target, offset)
        for target, (before, behind) in enumerate(sides)
        for offset in range(-before, behind + 1)
        if offset != 0
    ]
