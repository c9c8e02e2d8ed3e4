import hashlib
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer_module.text.splitmix import GAMMA, MASK, reference_uniform, splitmix
from tests.trainer_module.transformed import ragged
from trainer_module.text import hashing, subsampling


def test_keep_probability_by_hand() -> None:
    kept = subsampling.keep_probability(tf.constant([1e-4, 4e-4, 1e-2, 1e-5], tf.float64), 1e-4)
    # sqrt(1/4) + 1/4; sqrt(1/100) + 1/100; at and below the threshold all are kept.
    np.testing.assert_allclose(kept, [1.0, 0.75, 0.11, 1.0], rtol=1e-12)


def test_threshold_of_zero_keeps_all() -> None:
    frequencies = tf.constant([0.9, 1e-9], tf.float64)
    np.testing.assert_array_equal(subsampling.keep_probability(frequencies, 0.0), [1.0, 1.0])


def test_window_sizes_by_hand() -> None:
    uniforms = tf.constant([0.0, 0.19, 0.2, 0.999999], tf.float64)
    assert subsampling.window_sizes(uniforms, 5).numpy().tolist() == [1, 1, 2, 5]
    largest = tf.constant([math.nextafter(1.0, 0.0)], tf.float64)
    assert subsampling.window_sizes(largest, 100).numpy().tolist() == [100]


def test_of_all_no_window_is_drawn() -> None:
    uniforms = tf.constant([0.0, 0.5, 0.999999], tf.float64)
    assert subsampling.window_sizes(uniforms, "all").numpy().tolist() == [100, 100, 100]


def test_near_contexts_are_more_frequent() -> None:
    positions = tf.range(100_000)
    hashes = hashing.document_hashes(
        tf.strings.as_string(positions // 10), tf.zeros_like(positions, tf.int64)
    )
    numbers = hashing.uniform(
        hashes, positions, positions % 10, seed=3, stream=subsampling.WINDOW_STREAM
    )
    sizes = subsampling.window_sizes(numbers, 4).numpy()
    counts = Counter(sizes.tolist())
    # A context at distance 3 needs a window of 3 or 4: half of all.
    assert abs((counts[3] + counts[4]) / len(sizes) - 0.5) < 0.01


Draws = list[tuple[int, int, float]]  # of each token: fingerprint, position, probability


def drawn_of(tokens: Draws, window: int, seed: int) -> list[int]:
    fingerprints, positions, probabilities = list(zip(*tokens, strict=True)) or ([], [], [])
    found = subsampling.drawn_windows(
        tf.constant(fingerprints, tf.uint64),
        tf.range(len(tokens)),
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


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, MASK), st.integers(0, 1000), st.floats(0, 1)), max_size=20),
    st.integers(1, 10),
    st.integers(0, (1 << 31) - 1),
)
def test_drawn_windows_equal_brute_force(tokens: Draws, window: int, seed: int) -> None:
    assert drawn_of(tokens, window, seed) == drawn_written_out(tokens, window, seed)


def hashes_of(documents: Sequence[str]) -> tf.Tensor:
    return hashing.document_hashes(
        tf.constant(documents, tf.string), tf.zeros([len(documents)], tf.int64)
    )


def windowed_of(
    documents: Sequence[str], ids: Sequence[Sequence[int]], keep: Sequence[float], window: int
) -> tuple[list[list[int]], list[list[int]]]:
    found = subsampling.windowed(
        hashes_of(documents),
        ragged(ids),
        tf.constant(keep, tf.float64),
        window=window,
        seed=1,
    )
    assert found.token_ids.dtype == found.window_sizes.dtype == tf.int64
    return found.token_ids.to_list(), found.window_sizes.to_list()


def numbers_of(document: str, num_tokens: int, stream: int) -> list[float]:
    hashes, rows = hashes_of([document]), tf.zeros([num_tokens], tf.int64)
    uniforms = hashing.uniform(hashes, rows, tf.range(num_tokens), seed=1, stream=stream)
    numbers: list[float] = uniforms.numpy().tolist()
    return numbers


def test_unknown_tokens_are_dropped_before_positions_are_counted() -> None:
    ids, windows = windowed_of(["a ? b", "?", "", "b"], [[0, -1, 1], [-1], [], [1]], [1.0] * 5, 50)
    assert ids == [[0, 1], [], [], [1]]
    sizes = subsampling.WINDOW_STREAM
    assert windows == [
        [1 + int(50 * number) for number in numbers_of("a ? b", 2, sizes)],
        [],
        [],
        [1 + int(50 * number) for number in numbers_of("b", 1, sizes)],
    ]


def test_a_token_is_left_out_by_its_own_probability() -> None:
    first, second = numbers_of("a ? b", 2, subsampling.SUBSAMPLING_STREAM)
    # A number below the probability keeps a token; of the unknown one it may be anything.
    probabilities = [first, float("nan"), second + 1e-9]
    assert windowed_of(["a ? b"], [[0, -1, 1]], probabilities, 1) == ([[0, 1]], [[0, 1]])


def test_no_documents_and_no_known_token() -> None:
    assert windowed_of([], [], [], 5) == ([], [])
    assert windowed_of(["?", ""], [[-1], []], [0.0], 5) == ([[], []], [[], []])


def hash_of(document: Sequence[int]) -> int:
    digest = hashlib.sha256(repr(list(document)).encode()).digest()
    return int.from_bytes(digest[:8], "big")


def redrawn(
    documents: Sequence[Sequence[int]],
    epoch: int,
    *,
    seed: int = 1,
    window: int = 5,
    keep: Sequence[float] = (0.5,) * 10,
) -> list[list[int]]:
    windows = subsampling.redrawn_windows(
        tf.constant([hash_of(document) for document in documents], tf.uint64),
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
    number = splitmix((hash_of(document) + (epoch + 1) * GAMMA) & MASK)
    tokens = [(number, at, keep[token]) for at, token in enumerate(document)]
    return drawn_written_out(tokens, window, seed)


ID_LISTS = st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=6)


@settings(max_examples=50)
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


@settings(max_examples=25)
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
        lambda hashes, tokens, epoch: subsampling.redrawn_windows(
            hashes, tokens, keep, window=5, seed=1, epoch=epoch
        ),
        input_signature=[
            tf.TensorSpec([None], tf.uint64),
            spec,
            tf.TensorSpec([], tf.int64),
        ],
    )
    for documents in ([[3, 1, 4, 1], [], [5, 9]], [[]], [[2]]):
        hashes = tf.constant([hash_of(document) for document in documents], tf.uint64)
        found = compiled(hashes, ragged(documents), tf.constant(2, tf.int64)).to_list()
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
