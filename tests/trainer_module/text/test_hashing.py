import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer_module.text.splitmix import MASK, reference_uniform
from trainer_module.text import hashing


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, MASK), st.integers(0, 1 << 40), st.integers(0, (1 << 31) - 1), st.integers(1, 2)
)
def test_uniform_equals_splitmix(fingerprint: int, position: int, seed: int, stream: int) -> None:
    [drawn] = hashing.uniform(
        tf.constant([fingerprint], tf.uint64),
        tf.constant([position], tf.int64),
        seed=seed,
        stream=stream,
    ).numpy()
    assert drawn == reference_uniform(fingerprint, position, seed, stream)


def draws(seed: int, stream: int, size: int = 100_000) -> np.ndarray:
    fingerprints = hashing.fingerprint(tf.strings.as_string(tf.range(size) // 10))
    return hashing.uniform(fingerprints, tf.range(size) % 10, seed=seed, stream=stream).numpy()


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
    [empty, one, again] = hashing.fingerprint(tf.constant(["", "a", "a"])).numpy()
    assert int(empty) == 0x9AE16A3B2F90404F
    assert one == again != empty
