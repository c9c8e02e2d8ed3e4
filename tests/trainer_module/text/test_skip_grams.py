import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer_module.transformed import Document, pairs_by_target, ragged
from trainer_module.text import skip_grams

MASK = (1 << 64) - 1


def splitmix(x: int) -> int:
    """The finaliser of SplitMix64, written down again."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def reference_uniform(fingerprint: int, position: int, seed: int, stream: int) -> float:
    golden = 0x9E3779B97F4A7C15
    key = splitmix(fingerprint ^ splitmix((seed + stream * golden) & MASK))
    return (splitmix((key + (position + 1) * golden) & MASK) >> 11) / 2**53


def documents_of(least_window: int) -> st.SearchStrategy[list[Document]]:
    """Documents of a few tokens, with windows up to 6."""
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


@settings(max_examples=100, deadline=None)
@given(documents_of(least_window=0))
def test_pairs_equal_brute_force(documents: list[Document]) -> None:
    assert pairs_of(documents) == [
        [pair for pairs in pairs_by_target(document) for pair in pairs] for document in documents
    ]


def subsampled_of(documents: Sequence[Document]) -> list[Document]:
    targets, windows = skip_grams.subsampled(*as_tensors(documents))
    assert targets.dtype == windows.dtype == tf.int64
    rows = zip(targets.to_list(), windows.to_list(), strict=True)
    return [list(zip(*row, strict=True)) for row in rows]


def test_subsampled_by_hand() -> None:
    assert subsampled_of([[(7, 1), (8, 0), (9, 2)], [], [(3, 0)], [(0, 4)]]) == [
        [(7, 1), (9, 2)],
        [],
        [],
        [(0, 4)],
    ]
    assert subsampled_of([]) == []


@settings(max_examples=50, deadline=None)
@given(documents_of(least_window=0))
def test_subsampled_equals_brute_force(documents: list[Document]) -> None:
    assert subsampled_of(documents) == [
        [(token, window) for token, window in document if window > 0] for document in documents
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


def test_extents_of_nothing() -> None:
    assert extents_of([]) == extents_of([[], []]) == [[], []]


def test_extents_have_the_type_of_the_windows() -> None:
    for dtype in (tf.int32, tf.int64):
        left, right = skip_grams.extents(tf.ragged.constant([[1, 1]], dtype))
        assert left.dtype == right.dtype == dtype


@settings(max_examples=100, deadline=None)
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


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, MASK), st.integers(0, 1 << 40), st.integers(0, (1 << 31) - 1), st.integers(1, 2)
)
def test_uniform_equals_splitmix(fingerprint: int, position: int, seed: int, stream: int) -> None:
    [drawn] = skip_grams.uniform(
        tf.constant([fingerprint], tf.uint64),
        tf.constant([position], tf.int64),
        seed=seed,
        stream=stream,
    ).numpy()
    assert drawn == reference_uniform(fingerprint, position, seed, stream)


def draws(seed: int, stream: int, size: int = 100_000) -> np.ndarray:
    fingerprints = skip_grams.fingerprint(tf.strings.as_string(tf.range(size) // 10))
    return skip_grams.uniform(fingerprints, tf.range(size) % 10, seed=seed, stream=stream).numpy()


def test_uniform_is_uniform_and_streams_and_seeds_are_independent() -> None:
    one, other_stream, other_seed = draws(1, 1), draws(1, 2), draws(2, 1)
    # Standard errors of mean and correlation are 1/sqrt(12 n) = 0.0009 and 1/sqrt(n) = 0.003.
    assert abs(one.mean() - 0.5) < 0.005
    assert np.histogram(one, 10, (0, 1))[0].min() > 9_500
    assert abs(np.corrcoef(one, other_stream)[0, 1]) < 0.015
    assert abs(np.corrcoef(one, other_seed)[0, 1]) < 0.015
    assert abs(np.corrcoef(one[:-1], one[1:])[0, 1]) < 0.015


def test_fingerprint_is_farmhash_of_each_document() -> None:
    # FarmHash64 of the empty string is its constant k2.
    [empty, one, again] = skip_grams.fingerprint(tf.constant(["", "a", "a"])).numpy()
    assert int(empty) == 0x9AE16A3B2F90404F
    assert one == again != empty


def test_keep_probability_by_hand() -> None:
    kept = skip_grams.keep_probability(tf.constant([1e-4, 4e-4, 1e-2, 1e-5], tf.float64), 1e-4)
    # sqrt(1/4) + 1/4; sqrt(1/100) + 1/100; at and below the threshold all are kept.
    np.testing.assert_allclose(kept, [1.0, 0.75, 0.11, 1.0], rtol=1e-12)


def test_threshold_of_zero_keeps_all() -> None:
    frequencies = tf.constant([0.9, 1e-9], tf.float64)
    np.testing.assert_array_equal(skip_grams.keep_probability(frequencies, 0.0), [1.0, 1.0])


def test_window_sizes_by_hand() -> None:
    uniforms = tf.constant([0.0, 0.19, 0.2, 0.999999], tf.float64)
    assert skip_grams.window_sizes(uniforms, 5).numpy().tolist() == [1, 1, 2, 5]
    largest = tf.constant([math.nextafter(1.0, 0.0)], tf.float64)
    assert skip_grams.window_sizes(largest, 100).numpy().tolist() == [100]


def test_near_contexts_are_more_frequent() -> None:
    sizes = skip_grams.window_sizes(tf.constant(draws(3, skip_grams.WINDOW_STREAM)), 4).numpy()
    counts = Counter(sizes.tolist())
    # A context at distance 3 needs a window of 3 or 4: half of all.
    assert abs((counts[3] + counts[4]) / len(sizes) - 0.5) < 0.01


Draws = list[tuple[int, int, float]]  # of each token: fingerprint, position, probability


def drawn_of(tokens: Draws, window: int, seed: int) -> list[int]:
    fingerprints, positions, probabilities = list(zip(*tokens, strict=True)) or ([], [], [])
    found = skip_grams.drawn_windows(
        tf.constant(fingerprints, tf.uint64),
        tf.constant(positions, tf.int64),
        tf.constant(probabilities, tf.float64),
        window=window,
        seed=seed,
    )
    assert found.dtype == tf.int64
    windows: list[int] = found.numpy().tolist()
    return windows


def drawn_written_out(tokens: Draws, window: int, seed: int) -> list[int]:
    return [
        1 + int(window * reference_uniform(fingerprint, position, seed, stream=2))
        if reference_uniform(fingerprint, position, seed, stream=1) < probability
        else 0
        for fingerprint, position, probability in tokens
    ]


def test_drawn_windows_by_hand() -> None:
    # The subsampling numbers of the first two tokens of document 7 are 0.798 and 0.510.
    first, second = (reference_uniform(7, position, 1, stream=1) for position in (0, 1))
    tokens = [(7, 0, first), (7, 0, math.nextafter(first, 1)), (7, 1, second / 2), (7, 1, 1.0)]
    left_out, kept, also_left_out, also_kept = drawn_of(tokens, 1, seed=1)
    assert (left_out, kept, also_left_out, also_kept) == (0, 1, 0, 1)
    assert drawn_of([], 5, seed=1) == []


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, MASK), st.integers(0, 1000), st.floats(0, 1)), max_size=20),
    st.integers(1, 10),
    st.integers(0, (1 << 31) - 1),
)
def test_drawn_windows_equal_brute_force(tokens: Draws, window: int, seed: int) -> None:
    assert drawn_of(tokens, window, seed) == drawn_written_out(tokens, window, seed)


def redrawn(
    documents: Sequence[Sequence[int]],
    epoch: int,
    *,
    seed: int = 1,
    window: int = 5,
    keep: Sequence[float] = (0.5,) * 10,
) -> list[list[int]]:
    windows = skip_grams.redrawn_windows(
        ragged(documents),
        tf.constant(keep, tf.float64),
        window=window,
        seed=seed,
        epoch=tf.constant(epoch, tf.int64),
    )
    found: list[list[int]] = windows.to_list()
    return found


def redrawn_written_out(
    document: Sequence[int], epoch: int, seed: int, window: int, keep: Sequence[float]
) -> list[int]:
    golden = 0x9E3779B97F4A7C15
    hashes = [splitmix((token + (at + 1) * golden) & MASK) for at, token in enumerate(document)]
    number = (sum(hashes) & MASK) ^ splitmix(epoch)
    tokens = [(number, at, keep[token]) for at, token in enumerate(document)]
    return drawn_written_out(tokens, window, seed)


ID_LISTS = st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=6)


@settings(max_examples=50, deadline=None)
@given(
    ID_LISTS,
    st.lists(st.floats(0, 1), min_size=10, max_size=10),
    st.integers(1, 1 << 40),
    st.integers(0, (1 << 31) - 1),
    st.integers(1, 10),
)
def test_redrawn_windows_equal_brute_force(
    documents: list[list[int]], keep: list[float], epoch: int, seed: int, window: int
) -> None:
    found = redrawn(documents, epoch, seed=seed, window=window, keep=keep)
    assert found == [redrawn_written_out(row, epoch, seed, window, keep) for row in documents]


@settings(max_examples=25, deadline=None)
@given(ID_LISTS, st.integers(1, 1000))
def test_redrawn_windows_follow_the_document_alone(documents: list[list[int]], epoch: int) -> None:
    together = redrawn(documents, epoch)
    assert together == redrawn(documents, epoch)
    assert together == [redrawn([document], epoch)[0] for document in documents]
    assert together[::-1] == redrawn(documents[::-1], epoch)


def test_redrawn_windows_differ_by_epoch_seed_and_order_of_the_tokens() -> None:
    document = [[i % 7 for i in range(40)]]
    assert redrawn(document, 1) != redrawn(document, 2)
    assert redrawn(document, 1) != redrawn(document, 1, seed=2)
    assert redrawn(document, 1) != redrawn([document[0][::-1]], 1)


def test_redrawn_windows_compiled_for_any_epoch_equal_eager() -> None:
    spec = tf.RaggedTensorSpec([None, None], tf.int64)
    keep = tf.constant([0.5] * 10, tf.float64)
    compiled = tf.function(
        lambda tokens, epoch: skip_grams.redrawn_windows(
            tokens, keep, window=5, seed=1, epoch=epoch
        ),
        input_signature=[spec, tf.TensorSpec([], tf.int64)],
    )
    for documents in ([[3, 1, 4, 1], [], [5, 9]], [[]], [[2]]):
        found = compiled(ragged(documents), tf.constant(2, tf.int64)).to_list()
        assert found == redrawn(documents, 2)


def test_redrawn_windows_are_uniform_and_tokens_kept_by_their_probability() -> None:
    # Tokens 0, 1 and 2 by turns, 20,000 of each, in documents that all differ: 3 goes on.
    random = np.random.default_rng(1)
    documents = [[*[0, 1, 2] * 20, *random.integers(3, 10, 8).tolist()] for _ in range(1000)]
    keep = [1.0, 0.5, 0.1, *[1.0] * 7]
    first, second = (np.array(redrawn(documents, epoch, keep=keep))[:, :60] for epoch in (1, 2))
    # The standard deviation of a number kept is at most sqrt(20,000 / 4) = 71.
    kept = [(first[:, token::3] > 0).sum() for token in range(3)]
    np.testing.assert_allclose(kept, [20_000, 10_000, 2_000], atol=350)
    # 4,000 of each window for token 0: sqrt(20,000 * 0.16) = 57.
    counts = Counter(first[:, ::3].ravel().tolist())
    assert sorted(counts) == [1, 2, 3, 4, 5]
    assert all(abs(count - 4_000) < 285 for count in counts.values())
    # Whether token 1 is kept in one epoch says nothing of the next: 1/sqrt(20,000) = 0.007.
    halves = first[:, 1::3].ravel() > 0, second[:, 1::3].ravel() > 0
    assert abs(np.corrcoef(*halves)[0, 1]) < 0.035
