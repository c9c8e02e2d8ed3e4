"""Windows as bands of small matrices: a block of targets cut into frames.

A frame is some consecutive targets together with every token that a window of theirs can reach.
All scores of a frame are one small matrix product `[height, width]`, of which the pairs are a band
along the diagonal. A token's vectors are so gathered about twice a block, not once for each of its
pairs, and the products run at the speed of matrix multiplication.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from trainer_module.sizes import FRAME_HEIGHT


class FramedPairs(NamedTuple):
    """The pairs of a block of targets, cut into frames."""

    targets: tf.Tensor  # [frames * height] int32 ids
    contexts: tf.Tensor  # [frames, width] int32 ids: of each frame, all that its targets need
    band: tf.Tensor  # [frames, height, width] float32: how often they are a pair

    def rows(self, values: tf.Tensor) -> tf.Tensor:
        """`[targets, ...]` as `[frames, height, ...]`."""
        return tf.reshape(values, [*self.band.shape[:2], *values.shape[1:]])


class Frames:
    """How a block of a given size is cut."""

    def __init__(self, num_targets: int, window: int):
        """Chooses the frames' height: about the window's, so that half of a frame is in the band.

        Args:
          num_targets: of a block, a multiple of FRAME_HEIGHT.
          window: the largest there is.
        """
        self.height = FRAME_HEIGHT
        while self.height < window and num_targets % (2 * self.height) == 0:
            self.height *= 2
        if num_targets % self.height:
            raise ValueError(f"a block has a multiple of {FRAME_HEIGHT} targets, not {num_targets}")
        self.width = self.height + 2 * window
        self.number = num_targets // self.height
        starts = np.arange(self.number)[:, np.newaxis] * self.height
        self._positions = (starts + np.arange(self.width)).astype(np.int32)
        # Of row r and column c of a frame: how far the context stands behind the target.
        offsets = np.arange(self.width) - window - np.arange(self.height)[:, np.newaxis]
        extent = np.arange(window + 1)[:, np.newaxis]
        before = (offsets[:, np.newaxis] < 0) & (-offsets[:, np.newaxis] <= extent)
        behind = (offsets[:, np.newaxis] > 0) & (offsets[:, np.newaxis] <= extent)
        self._before = before.astype(np.float32).reshape(-1, self.width)
        self._behind = behind.astype(np.float32).reshape(-1, self.width)
        row_in_frame = np.arange(num_targets) % self.height
        self._first_mask = (row_in_frame * (window + 1)).astype(np.int32)

    def of(self, around: tf.Tensor) -> tf.Tensor:
        """The ids that each frame reaches.

        Args:
          around: `[window + targets + window]`, the block with what stands around it.

        Returns:
          `[frames, width]`.
        """
        return tf.gather(around, self._positions)

    def band(self, left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
        """Which places of the frames are pairs: 1 where they are, else 0.

        Args:
          left, right: `[targets]` int32, how many contexts each target has on either side.

        Returns:
          `[frames, height, width]` float32.
        """
        # Rows looked up in tables of all extents: a third of the time of comparing offsets.
        before = tf.gather(self._before, self._first_mask + left)
        behind = tf.gather(self._behind, self._first_mask + right)
        return tf.reshape(before + behind, [self.number, self.height, self.width])

    def pairs(self, around: tf.Tensor, left: tf.Tensor, right: tf.Tensor) -> FramedPairs:
        """The block's targets with what `of` and `band` say of them."""
        window = (self.width - self.height) // 2
        targets = around[window : window + self.number * self.height]
        return FramedPairs(targets, self.of(around), self.band(left, right))


def pairs_of_band(band: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Where the rows of each pair stand, in the order of the targets and, for one, of the columns.

    Args:
      band: `[frames, height, width]`, how often they are a pair: so often a pair is there.

    Returns:
      targets: `[pairs, 2]` int64, frame and row: indices into what is `[frames, height, ...]`.
      contexts: `[pairs, 2]` int64, frame and column: indices into what is `[frames, width, ...]`.
    """
    places = tf.where(band > 0)
    times = tf.cast(tf.gather_nd(band, places), tf.int32)
    places = tf.repeat(places, times, axis=0)
    return places[:, :2], tf.stack([places[:, 0], places[:, 2]], 1)
