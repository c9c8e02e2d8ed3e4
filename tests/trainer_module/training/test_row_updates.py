from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module.training import row_updates


def test_summed_rows_by_hand() -> None:
    rows, vectors, numbers = row_updates.summed_rows(
        tf.constant([5, 1, 5, 0, 1, 5]),
        tf.constant([[1.0, 0], [2, 0], [4, 1], [8, 0], [16, 2], [32, 3]]),
        tf.constant([1.0, 2, 4, 8, 16, 32]),
    )
    assert rows.numpy().tolist() == [0, 1, 5]
    assert vectors.numpy().tolist() == [[8, 0], [18, 2], [37, 4]]
    assert numbers.numpy().tolist() == [8, 18, 37]


@given(rows=st.lists(st.integers(0, 9), min_size=1, max_size=50), seed=st.integers(0, 100))
@settings(max_examples=30)
def test_summed_rows_are_those_added_one_by_one(rows: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=[len(rows), 3]).astype(np.float32)
    expected = np.zeros([10, 3])
    np.add.at(expected, rows, values)
    distinct, sums, first = row_updates.summed_rows(tf.constant(rows), values, values[:, 0])
    assert distinct.numpy().tolist() == sorted(set(rows))
    np.testing.assert_allclose(sums, expected[distinct], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(first, expected[distinct, 0], rtol=1e-5, atol=1e-5)


def test_row_step_bounds_the_norm_of_a_row_and_leaves_the_others() -> None:
    table = tf.Variable(tf.ones([4, 2]))
    gradient = tf.constant([[6.0, 8.0], [0.3, 0.4], [0.0, 0.0]])
    row_updates.bounded_row_step(table, tf.constant([3, 0, 1]), gradient, tf.constant(1.0), 5.0)
    # Row 3's norm of 10 is halved, row 0's of 0.5 is within the bound.
    np.testing.assert_allclose(table, [[0.7, 0.6], [1, 1], [1, 1], [-2, -3]], rtol=1e-6)


@given(seed=st.integers(0, 100), dim=st.sampled_from([(), (1,), (7,)]))
@settings(max_examples=20)
def test_row_step_of_shared_rows_is_the_same(seed: int, dim: tuple[int, ...]) -> None:
    random = np.random.default_rng(seed)
    table = random.normal(size=[9, *dim]).astype(np.float32)
    rows, gradient = (
        tf.constant([7, 0, 3, 8]),
        tf.constant(random.normal(size=[4, *dim]), tf.float32),
    )
    own, shared = (tf.Variable(table) for _ in range(2))
    for variable, is_shared in ((own, False), (shared, True)):
        row_updates.bounded_row_step(
            variable, rows, gradient, tf.constant(0.7), 1.0, shared=is_shared
        )
    np.testing.assert_array_equal(shared, own)


def test_row_steps_at_the_same_time_are_added_up() -> None:
    # 8 threads, 200 steps of 1 on each row: what one overwrote of another's would be missing.
    table = tf.Variable(tf.zeros([2, 100]))
    gradient = tf.ones([2, 100])

    @tf.function
    def steps() -> None:
        for _ in tf.range(200):
            row_updates.bounded_row_step(
                table, tf.constant([0, 1]), gradient, tf.constant(1.0), 100.0, shared=True
            )

    steps()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: steps(), range(8)))
    # Without a lock two threads that meet in a number lose one of their steps, now and then.
    assert -table.numpy().mean() == pytest.approx(9 * 200, rel=0.1)


def test_row_step_bounds_the_step_and_not_the_gradient() -> None:
    table = tf.Variable(tf.zeros([1, 2]))
    gradient = tf.constant([[6.0, 8.0]])
    row_updates.bounded_row_step(table, tf.constant([0]), gradient, tf.constant(0.25), 5.0)
    np.testing.assert_allclose(table, [[-1.5, -2]], rtol=1e-6)  # 0.25 * 10 is within 5


def test_row_step_bounds_biases_by_their_size() -> None:
    biases = tf.Variable([1.0, 1.0, 1.0, 1.0])
    gradient = tf.constant([8.0, -2.0, 0.0, -8.0])
    row_updates.bounded_row_step(biases, tf.constant([0, 1, 2, 3]), gradient, tf.constant(0.5), 1.5)
    np.testing.assert_allclose(biases, [-0.5, 2.0, 1.0, 2.5], rtol=1e-6)


def test_row_step_of_huge_and_tiny_gradients_stays_finite_and_bounded() -> None:
    table = tf.Variable(tf.zeros([3, 2]))
    gradient = tf.constant([[1e30, -1e30], [1e-30, 1e-30], [1e15, 0]])
    row_updates.bounded_row_step(table, tf.constant([0, 1, 2]), gradient, tf.constant(1.0), 1.0)
    assert np.isfinite(table).all()
    assert np.linalg.norm(table, axis=1).max() <= 1 + 1e-6
