from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module.objectives.frames import Frames, pairs_of_band

Array = np.ndarray[Any, Any]

SIZES = [(16, 1), (16, 5), (48, 5), (32, 16), (32, 17), (64, 40), (96, 40), (1024, 5), (512, 100)]


def random_extents(seed: int, num_targets: int, window: int) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    left, right = random.integers(0, window + 1, [2, num_targets], dtype=np.int32)
    return left, right


def written_out(left: Array, right: Array, window: int) -> list[tuple[int, int]]:
    """Each pair as the target's place in the block and the context's place in what is around it."""
    return [
        (target, window + target + offset)
        for target, (before, after) in enumerate(zip(left, right, strict=True))
        for offset in range(-before, after + 1)
        if offset != 0
    ]


def read_from(frames: Frames, band: Array) -> list[tuple[int, int]]:
    """The same of a band: which id it stands for is asked of `of`."""
    window = (frames.width - frames.height) // 2
    places = frames.of(tf.range(window + frames.number * frames.height + window)).numpy()
    return [
        (int(frame * frames.height + row), int(places[frame, column]))
        for frame, row, column in np.argwhere(band > 0)
    ]


def test_a_band_by_hand() -> None:
    frames = Frames(16, 2)
    left, right = np.zeros([2, 16], np.int32)
    left[5], right[5] = 2, 1
    right[0], left[15] = 2, 1
    expected = np.zeros([1, 16, 20], np.float32)
    expected[0, 5, [5, 6, 8]] = 1  # the target itself is in column 5 + 2
    expected[0, 0, [3, 4]] = 1
    expected[0, 15, 16] = 1
    np.testing.assert_array_equal(frames.band(left, right), expected)


def test_frames_overlap_by_a_window_on_either_side() -> None:
    frames = Frames(32, 3)
    around = np.arange(100, 100 + 38)
    np.testing.assert_array_equal(frames.of(around), [np.arange(100, 122), np.arange(116, 138)])


@pytest.mark.parametrize(
    ("num_targets", "window", "height"),
    [
        (1024, 1, 16),  # never below 16
        (1024, 5, 16),
        (1024, 16, 16),
        (1024, 17, 32),  # the window's, as a power of 2
        (1024, 100, 128),
        (16, 100, 16),  # a block's size bounds it,
        (48, 100, 16),
        (96, 100, 32),  # and what its size can be divided by
        (1 << 16, 100, 128),
    ],
)
def test_heights_are_about_the_windows(num_targets: int, window: int, height: int) -> None:
    frames = Frames(num_targets, window)
    assert frames.height == height
    assert frames.width == height + 2 * window
    assert frames.number * height == num_targets


@pytest.mark.parametrize("num_targets", [1, 15, 24, 1000])
def test_a_block_of_no_multiple_of_16_targets_is_refused(num_targets: int) -> None:
    with pytest.raises(ValueError, match=f"multiple of 16 targets, not {num_targets}"):
        Frames(num_targets, 5)


@pytest.mark.parametrize(("num_targets", "window"), SIZES)
def test_the_band_holds_the_pairs_written_out(num_targets: int, window: int) -> None:
    frames = Frames(num_targets, window)
    left, right = random_extents(num_targets, num_targets, window)
    band = frames.band(left, right).numpy()
    assert band.shape == (frames.number, frames.height, frames.width)
    assert set(np.unique(band)) <= {0, 1}
    assert read_from(frames, band) == written_out(left, right, window)


@given(
    blocks=st.integers(1, 6),
    window=st.integers(1, 100),
    seed=st.integers(0, 1000),
    most=st.integers(0, 100),
)
@settings(max_examples=40)
def test_the_band_holds_the_pairs_of_any_block(
    blocks: int, window: int, seed: int, most: int
) -> None:
    frames = Frames(16 * blocks, window)
    left, right = random_extents(seed, 16 * blocks, min(window, most))
    band = frames.band(left, right).numpy()
    assert read_from(frames, band) == written_out(left, right, window)


def test_pairs_of_a_band_by_hand() -> None:
    band = np.zeros([2, 2, 4], np.float32)
    band[0, 1, [0, 3]] = 1
    band[1, 0, 2] = 1
    targets, contexts = pairs_of_band(tf.constant(band))
    assert targets.numpy().tolist() == [[0, 1], [0, 1], [1, 0]]
    assert contexts.numpy().tolist() == [[0, 0], [0, 3], [1, 2]]


def test_a_pair_of_a_band_is_there_as_often_as_the_band_says() -> None:
    band = np.zeros([2, 2, 4], np.float32)
    band[0, 1, [0, 3]] = 2, 1
    band[1, 0, 2] = 3
    targets, contexts = pairs_of_band(tf.constant(band))
    assert targets.numpy().tolist() == [*([[0, 1]] * 3), *([[1, 0]] * 3)]
    assert contexts.numpy().tolist() == [[0, 0], [0, 0], [0, 3], *([[1, 2]] * 3)]


def test_a_band_without_pairs_has_none() -> None:
    for shape in ([2, 16, 4], [2, 16, 0]):
        targets, contexts = pairs_of_band(tf.zeros(shape))
        assert targets.shape == contexts.shape == (0, 2)


@pytest.mark.parametrize(("num_targets", "window"), SIZES)
def test_pairs_of_a_band_say_where_their_rows_stand(num_targets: int, window: int) -> None:
    frames = Frames(num_targets, window)
    left, right = random_extents(num_targets, num_targets, window)
    target_places, context_places = pairs_of_band(frames.band(left, right))
    targets = target_places[:, 0] * frames.height + target_places[:, 1]
    contexts = tf.gather_nd(frames.of(tf.range(window + num_targets + window)), context_places)
    found = zip(targets.numpy().tolist(), contexts.numpy().tolist(), strict=True)
    assert list(found) == written_out(left, right, window)


def test_rows_are_the_targets_of_each_frame_in_order() -> None:
    extents = np.ones(32, np.int32)
    pairs = Frames(32, 2).pairs(np.arange(36), extents, extents)
    np.testing.assert_array_equal(pairs.targets, np.arange(2, 34))
    values = np.arange(96).reshape(32, 3)
    np.testing.assert_array_equal(pairs.rows(values), [values[:16], values[16:]])
    np.testing.assert_array_equal(pairs.rows(values[:, 0])[1], values[16:, 0])


def test_compiled_frames_are_those_of_eager_ones() -> None:
    frames = Frames(64, 20)
    left, right = random_extents(3, 64, 20)
    around = np.random.default_rng(3).integers(0, 9, 104).astype(np.int32)

    def all_of_it(around: tf.Tensor, left: tf.Tensor, right: tf.Tensor) -> list[tf.Tensor]:
        pairs = frames.pairs(around, left, right)
        return [*pairs, pairs.rows(left)]

    eager = all_of_it(tf.constant(around), tf.constant(left), tf.constant(right))
    for one, other in zip(eager, tf.function(all_of_it)(around, left, right), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.shape == other.shape
