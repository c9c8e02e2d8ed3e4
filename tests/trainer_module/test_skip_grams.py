import math
from collections import Counter

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module import skip_grams

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


def reference_pairs(
    ids: list[int], documents: list[int], sizes: list[int]
) -> list[tuple[int, int, int]]:
    return [
        (ids[i], ids[j], documents[i])
        for i in range(len(ids))
        for j in range(len(ids))
        if i != j and abs(i - j) <= sizes[i] and documents[i] == documents[j]
    ]


def pairs_of(
    ids: list[int], documents: list[int], sizes: list[int], window: int
) -> list[tuple[int, int, int]]:
    as_tensors = [tf.constant(values, tf.int64) for values in (ids, documents, sizes)]
    found = (x.numpy().tolist() for x in skip_grams.pairs(*as_tensors, window))
    return list(zip(*found, strict=True))


def test_window_of_one_pairs_neighbours_both_ways() -> None:
    assert pairs_of([7, 8, 9], [0, 0, 0], [1, 1, 1], 1) == [
        (7, 8, 0),
        (8, 7, 0),
        (8, 9, 0),
        (9, 8, 0),
    ]


def test_each_target_has_its_own_window() -> None:
    assert pairs_of([1, 2, 3, 4], [0] * 4, [3, 1, 1, 2], 3) == [
        (1, 2, 0),
        (1, 3, 0),
        (1, 4, 0),
        (2, 1, 0),
        (2, 3, 0),
        (3, 2, 0),
        (3, 4, 0),
        (4, 2, 0),
        (4, 3, 0),
    ]


def test_no_pair_crosses_a_document() -> None:
    assert pairs_of([1, 2, 3, 4], [0, 0, 2, 2], [5] * 4, 5) == [
        (1, 2, 0),
        (2, 1, 0),
        (3, 4, 2),
        (4, 3, 2),
    ]


def test_the_same_token_twice_is_a_pair() -> None:
    assert pairs_of([5, 5], [0, 0], [1, 1], 1) == [(5, 5, 0), (5, 5, 0)]


def test_no_tokens_and_one_token_give_no_pair() -> None:
    assert pairs_of([], [], [], 5) == []
    assert pairs_of([3], [0], [5], 5) == []


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_pairs_equal_brute_force(data: st.DataObject) -> None:
    window = data.draw(st.integers(1, 6))
    lengths = data.draw(st.lists(st.integers(0, 8), min_size=1, max_size=5))
    documents = [row for row, length in enumerate(lengths) for _ in range(length)]
    size = len(documents)
    ids = data.draw(st.lists(st.integers(0, 9), min_size=size, max_size=size))
    sizes = data.draw(st.lists(st.integers(1, window), min_size=size, max_size=size))
    assert pairs_of(ids, documents, sizes, window) == reference_pairs(ids, documents, sizes)


def test_pairs_compiled_equal_eager() -> None:
    arguments = [tf.constant(x, tf.int64) for x in ([4, 5, 6], [0, 0, 0], [2, 1, 2])]
    compiled = tf.function(lambda a, b, c: skip_grams.pairs(a, b, c, 2))(*arguments)
    for one, other in zip(compiled, skip_grams.pairs(*arguments, 2), strict=True):
        np.testing.assert_array_equal(one, other)


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
