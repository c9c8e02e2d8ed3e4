from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module import candidate_sampling
from trainer_module.candidate_sampling import Candidates


def draw(num_sampled: int, vocabulary_size: int, seed: int) -> candidate_sampling.Candidates:
    return candidate_sampling.log_uniform(
        tf.constant([[0], [vocabulary_size - 1]], tf.int64),
        num_sampled=num_sampled,
        vocabulary_size=vocabulary_size,
        seed=tf.constant([seed, 7], tf.int64),
    )


def test_probability_by_hand() -> None:
    # Three classes: log(2/1), log(3/2), log(4/3) over log(4); they sum to 1.
    probability = candidate_sampling.log_uniform_probability(tf.constant([0, 1, 2]), 3).numpy()
    np.testing.assert_allclose(probability, [0.5, 0.29248125, 0.20751875], rtol=1e-6)


def test_probability_of_the_last_of_ten_million_classes_keeps_its_digits() -> None:
    # 1 / (V ln V) to first order: 1e-7 / 16.118096.
    [last] = candidate_sampling.log_uniform_probability(tf.constant([9_999_999]), 10_000_000)
    np.testing.assert_allclose(last, 6.2042e-9, rtol=1e-4)


def test_expected_count_by_hand() -> None:
    probability = tf.constant([0.5, 0.1])
    # Four draws gave three distinct ones: 1 - 0.5^4 and 1 - 0.9^4.
    repeated = candidate_sampling.expected_count(probability, tf.constant(4, tf.int64), 3)
    np.testing.assert_allclose(repeated, [0.9375, 0.3439], rtol=1e-6)
    # No draw repeated another: 3 p, as TensorFlow's samplers have it.
    direct = candidate_sampling.expected_count(probability, tf.constant(3, tf.int64), 3)
    np.testing.assert_allclose(direct, [1.5, 0.3], rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_candidates_are_distinct_and_in_range(data: st.DataObject) -> None:
    vocabulary_size = data.draw(st.integers(1, 300))
    num_sampled = data.draw(st.integers(1, vocabulary_size))
    candidates = draw(num_sampled, vocabulary_size, data.draw(st.integers(0, 1 << 30)))
    sampled = candidates.sampled.numpy()
    assert sampled.shape == (num_sampled,)
    assert len(set(sampled.tolist())) == num_sampled
    assert sampled.min() >= 0
    assert sampled.max() < vocabulary_size
    assert (candidates.sampled_expected_count.numpy() > 0).all()


def test_seed_decides() -> None:
    one, again, other = draw(8, 1000, 5), draw(8, 1000, 5), draw(8, 1000, 6)
    np.testing.assert_array_equal(one.sampled, again.sampled)
    assert one.sampled.numpy().tolist() != other.sampled.numpy().tolist()


def test_compiled_equals_eager() -> None:
    compiled = tf.function(lambda: draw(20, 50, 3))()
    for one, other in zip(compiled, draw(20, 50, 3), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_more_candidates_than_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="11 distinct candidates cannot be drawn from 10 classes"):
        draw(11, 10, 0)


def test_draws_and_expected_counts_are_those_of_tensorflows_sampler() -> None:
    vocabulary_size, num_sampled, repeats = 50, 10, 2000
    all_classes = tf.range(vocabulary_size, dtype=tf.int64)[:, tf.newaxis]

    @tf.function
    def ours(seed: tf.Tensor) -> candidate_sampling.Candidates:
        return candidate_sampling.log_uniform(
            all_classes,
            num_sampled=num_sampled,
            vocabulary_size=vocabulary_size,
            seed=tf.stack([tf.constant(1, tf.int64), seed]),
        )

    def theirs(seed: tf.Tensor) -> candidate_sampling.Candidates:
        return tf.random.log_uniform_candidate_sampler(
            all_classes, 1, num_sampled, True, vocabulary_size, seed=int(seed)
        )

    def means(sampler: Callable[[tf.Tensor], Candidates]) -> tuple[np.ndarray, np.ndarray]:
        drawn, expected = np.zeros(vocabulary_size), np.zeros(vocabulary_size)
        for seed in range(repeats):
            sampled, true_counts, _ = sampler(tf.constant(seed, tf.int64))
            drawn[sampled.numpy()] += 1 / repeats
            expected += true_counts.numpy()[:, 0] / repeats
        return drawn, expected

    (drawn, expected), (their_drawn, their_expected) = means(ours), means(theirs)
    # The standard error of a share of 2,000 draws is at most 0.011.
    np.testing.assert_allclose(drawn, their_drawn, atol=0.05)
    np.testing.assert_allclose(expected, their_expected, atol=0.05)
    # An expected count takes the number of tries as given, so it is near the share, not equal.
    np.testing.assert_allclose(drawn, expected, atol=0.15)
