import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer_module.text.splitmix import MASK, reference_uniform, splitmix
from trainer_module.text import hashing


@settings(max_examples=50)
@given(
    st.integers(0, MASK), st.integers(0, 1 << 40), st.integers(0, (1 << 31) - 1), st.integers(1, 2)
)
def test_uniform_equals_splitmix(fingerprint: int, position: int, seed: int, stream: int) -> None:
    [drawn] = hashing.uniform(
        tf.constant([fingerprint], tf.uint64),
        [0],
        tf.constant([position], tf.int64),
        seed=seed,
        stream=stream,
    ).numpy()
    assert drawn == reference_uniform(fingerprint, position, seed, stream)


def draws(seed: int, stream: int, size: int = 100_000) -> np.ndarray:
    hashes = hashing.document_hashes(
        tf.strings.as_string(tf.range(size) // 10), tf.zeros([size], tf.int64)
    )
    return hashing.uniform(
        hashes, tf.range(size), tf.range(size) % 10, seed=seed, stream=stream
    ).numpy()


def test_uniform_is_uniform_and_streams_and_seeds_are_independent() -> None:
    one, other_stream, other_seed = draws(1, 1), draws(1, 2), draws(2, 1)
    # Standard errors of mean and correlation are 1/sqrt(12 n) = 0.0009 and 1/sqrt(n) = 0.003.
    assert abs(one.mean() - 0.5) < 0.005
    assert np.histogram(one, 10, (0, 1))[0].min() > 9_500
    assert abs(np.corrcoef(one, other_stream)[0, 1]) < 0.015
    assert abs(np.corrcoef(one, other_seed)[0, 1]) < 0.015
    assert abs(np.corrcoef(one[:-1], one[1:])[0, 1]) < 0.015


def test_a_hash_is_farmhash_of_the_document_and_differs_by_occurrence() -> None:
    # FarmHash64 of the empty string is its constant k2.
    documents, occurrences = ["", "a", "a", "", "", "a"], [0, 0, 0, 1, 2, 1]
    [empty, one, again, *others] = hashing.document_hashes(
        tf.constant(documents), tf.constant(occurrences, tf.int64)
    ).numpy()
    assert int(empty) == 0x9AE16A3B2F90404F
    assert one == again
    assert [int(other) for other in others[:2]] == [
        0x9AE16A3B2F90404F ^ splitmix(1),
        0x9AE16A3B2F90404F ^ splitmix(2),
    ]
    assert len({empty, one, *others}) == 5


def test_copies_draw_independently_of_each_other_and_of_other_epochs() -> None:
    # 20,000 copies of one document, in two epochs: standard error of a correlation is 0.007.
    hashes = hashing.document_hashes(
        tf.fill([20_000], "the same"), tf.range(20_000, dtype=tf.int64)
    )
    first, second = (
        hashing.uniform(
            hashing.nth_number(hashes, tf.constant(epoch, tf.int64)),
            tf.range(20_000),
            tf.zeros([20_000], tf.int64),
            seed=1,
            stream=1,
        ).numpy()
        for epoch in (1, 2)
    )
    assert np.histogram(first, 10, (0, 1))[0].min() > 1_800
    for shift in range(4):
        size = 20_000 - shift
        assert abs(np.corrcoef(first[shift:], first[:size])[0, 1]) < 0.035 or not shift
        assert abs(np.corrcoef(first[shift:], second[:size])[0, 1]) < 0.035
        assert abs(np.corrcoef(second[shift:], first[:size])[0, 1]) < 0.035
