"""Documents that are pairs already, to chunks of targets with their distinct contexts.

    pairs      (7 2) (7 5) (7 2) (3 5) (3 7) ...
    runs       7: 2 5 2    3: 5 7    ...                consecutive pairs of one target
    a frame    16 runs; its distinct contexts are the columns of its band:

                 2  5  7  ...
               7 2  1  0
               3 0  1  1

So a target's vector is gathered once for a run, a context's once for a frame, and a step works on
the same small matrices as on windows. All of this is done here, where tf.data has a thread for it.

Where a text has the same token twice in a row, their runs are one: the same pairs, one row less. A
run of more than twice the window is cut into several, so that rows and frames have a bound.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from trainer_module import features
from trainer_module.input_pipeline.splits import Counts, Pairs, Split, finished
from trainer_module.objectives.frames import FramedPairs, pairs_of_band
from trainer_module.sizes import FRAME_HEIGHT

# Frames and ids in one number.
_FRAME = 1 << 32


class PairChunk(NamedTuple):
    """Consecutive runs, each with how often it has which of its frame's contexts."""

    targets: tf.Tensor  # [targets] int32 ids, a run each
    contexts: tf.Tensor  # [frames, width] int32 ids, distinct in a frame but for padding, 0
    band: tf.Tensor  # [targets, width] uint8: how often; no run is longer than 200

    def block(self, index: int | tf.Tensor, num_targets: int) -> FramedPairs:
        """See Chunk."""
        begin, number = index * num_targets, num_targets // FRAME_HEIGHT
        frame = index * number
        band = tf.cast(self.band[begin : begin + num_targets], tf.float32)
        return FramedPairs(
            tf.ensure_shape(self.targets[begin : begin + num_targets], [num_targets]),
            tf.ensure_shape(self.contexts[frame : frame + number], [number, None]),
            tf.reshape(band, [number, FRAME_HEIGHT, tf.shape(band)[1]]),
        )

    def num_pairs(self) -> tf.Tensor:
        """See Chunk."""
        return tf.reduce_sum(tf.cast(self.band, tf.int32))

    def pairs_of(self, rows: Sequence[int]) -> Pairs:
        """See Chunk; the contexts of a target in the order of its frame's."""
        frames = [row // FRAME_HEIGHT for row in rows]
        chosen, frames = (tf.constant(places, tf.int32, [len(rows)]) for places in (rows, frames))
        # As if each stood in a frame of its own.
        targets, contexts = pairs_of_band(tf.gather(self.band, chosen)[:, tf.newaxis])
        return Pairs(
            tf.gather(tf.gather(self.targets, chosen), targets[:, 0]),
            tf.gather_nd(tf.gather(self.contexts, frames), contexts),
        )


def _runs(batch: Mapping[str, tf.RaggedTensor], most: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Runs of at most so many pairs.

    Returns:
      targets: `[runs]` int32 ids.
      contexts: `[runs, most]` int32 ids, -1 behind the last one.
    """
    targets, documents = batch[features.TARGET].flat_values, batch[features.TARGET].value_rowids()
    goes_on = (targets[1:] == targets[:-1]) & (documents[1:] == documents[:-1])
    begins = tf.pad(~goes_on, [[1, 0]], constant_values=True)[: tf.size(targets)]
    places = tf.range(tf.size(targets))
    # Which pair of its run each is: its place among all, less that of the run's first.
    starts = tf.gather(tf.boolean_mask(places, begins), tf.cumsum(tf.cast(begins, tf.int32)) - 1)
    begins = (places - starts) % most == 0
    contexts = tf.RaggedTensor.from_row_starts(
        tf.cast(batch[features.CONTEXT].flat_values, tf.int32),
        tf.boolean_mask(places, begins),
        validate=False,
    )
    return (
        tf.cast(tf.boolean_mask(targets, begins), tf.int32),
        contexts.to_tensor(-1, shape=[None, most]),
    )


class _Columns(NamedTuple):
    """The distinct contexts of each frame, and where the pairs stand among them."""

    contexts: tf.RaggedTensor  # [frames, (distinct)] int32 ids
    rows: tf.Tensor  # [pairs] int64, the row of each pair among all of the frames
    columns: tf.Tensor  # [pairs] int64, its column in its own frame


def _columns(contexts: tf.Tensor) -> _Columns:
    """Finds the distinct contexts of frames.

    Args:
      contexts: `[targets, most]` int32 ids of each run, -1 behind the last one; a multiple of
        FRAME_HEIGHT of them.
    """
    places = tf.where(contexts >= 0)
    rows, frames = places[:, 0], places[:, 0] // FRAME_HEIGHT
    ids = tf.cast(tf.gather_nd(contexts, places), tf.int64)
    # tf.unique lists them as they come first, so those of a frame stay together.
    distinct, nth = tf.unique(frames * _FRAME + ids, tf.int64)
    of_frames = tf.RaggedTensor.from_value_rowids(
        tf.cast(distinct % _FRAME, tf.int32),
        distinct // _FRAME,
        nrows=tf.shape(contexts, tf.int64)[0] // FRAME_HEIGHT,
        validate=False,
    )
    return _Columns(of_frames, rows, nth - tf.gather(of_frames.row_starts(), frames))


def framed(targets: tf.Tensor, contexts: tf.Tensor, width: int | None = None) -> PairChunk:
    """Puts the runs of a chunk into frames.

    Args:
      targets: `[targets]` int32 ids, a multiple of FRAME_HEIGHT.
      contexts: `[targets, most]` int32 ids of each run, -1 behind the last one.
      width: of the frames; None for as many columns as one of them needs.
    """
    num_targets, found = int(targets.shape[0]), _columns(contexts)
    of_frames = found.contexts.to_tensor(shape=[num_targets // FRAME_HEIGHT, width])
    width = tf.shape(of_frames, tf.int64)[1]
    size = tf.cast(num_targets * width, tf.int32)
    times = tf.math.bincount(
        tf.cast(found.rows * width + found.columns, tf.int32), minlength=size, maxlength=size
    )
    band = tf.reshape(tf.cast(times, tf.uint8), [num_targets, width])
    return PairChunk(targets, of_frames, band)


@tf.autograph.experimental.do_not_convert
def count(split: Split, *, epochs: int = 1) -> Counts:
    """See Form. A target is a run here, and all epochs have the same."""
    del epochs
    most, vocabulary_size = 2 * split.reach, len(split.keep_probability)

    def look_at(batch: Mapping[str, Any]) -> tuple[tf.Tensor, ...]:
        _, runs = _runs(batch, most)
        contexts = tf.cast(batch[features.CONTEXT].flat_values, tf.int32)
        numbers = (
            tf.size(batch[features.NUM_TOKENS], out_type=tf.int64),
            tf.reduce_sum(batch[features.NUM_TOKENS]),
            tf.shape(runs, tf.int64)[0],
            tf.size(contexts, out_type=tf.int64),
        )
        times = tf.math.bincount(contexts, minlength=vocabulary_size, maxlength=vocabulary_size)
        return tf.stack(numbers), tf.cast(times, tf.int64), runs

    def add(state: Any, found: Any) -> Any:
        numbers, context_counts, width, rest = state
        more_numbers, times, runs = found
        # Frames go on from batch to batch; of the last runs the next batch makes one.
        runs = tf.concat([rest, runs], 0)
        whole = tf.shape(runs)[0] // FRAME_HEIGHT * FRAME_HEIGHT
        width = tf.maximum(width, _width(runs[:whole]))
        return numbers + more_numbers, context_counts + times, width, runs[whole:]

    zero, no_runs = tf.constant(0, tf.int64), tf.zeros([0, most], tf.int32)
    zeros = (tf.fill([4], zero), tf.fill([vocabulary_size], zero), zero, no_runs)
    numbers, context_counts, width, rest = (
        split.batches().map(look_at, num_parallel_calls=2).reduce(zeros, add)
    )
    documents, tokens, targets, pairs = numbers.numpy().tolist()
    width = tf.maximum(width, _width(_padded(rest, FRAME_HEIGHT)))
    return Counts(documents, tokens, targets, pairs, context_counts.numpy(), int(width))


def _width(contexts: tf.Tensor) -> tf.Tensor:
    """How many distinct contexts the frame has that has the most, `[]` int64, 0 if there is none.

    Args:
      contexts: as _columns takes them.
    """
    return tf.reduce_max(tf.pad(_columns(contexts).contexts.row_lengths(), [[0, 1]]))


def _padded(contexts: tf.Tensor, num_targets: int) -> tf.Tensor:
    """`[targets, most]` of so many targets, those at the end without a context."""
    missing = num_targets - tf.shape(contexts)[0]
    return tf.pad(contexts, [[0, missing], [0, 0]], constant_values=-1)


@tf.autograph.experimental.do_not_convert
def chunks(
    split: Split,
    *,
    num_targets: int,
    num_chunks: int | None = None,
    epoch: int | tf.Tensor = 0,
) -> tf.data.Dataset:
    """See Form: of PairChunk, the same in each epoch.

    A chunk's frames are as wide as one of them needs, or of split.frame_width.
    """
    del epoch
    most, width = 2 * split.reach, split.frame_width

    def pad(targets: tf.Tensor, contexts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        missing = num_targets - tf.size(targets)
        return (
            tf.ensure_shape(tf.pad(targets, [[0, missing]]), [num_targets]),
            tf.ensure_shape(_padded(contexts, num_targets), [num_targets, most]),
        )

    found = (
        split.batches()
        .map(lambda batch: _runs(batch, most), num_parallel_calls=1)
        .filter(lambda targets, contexts: tf.size(targets) > 0)
        .rebatch(num_targets)
        .map(pad)
        .map(lambda targets, contexts: framed(targets, contexts, width), num_parallel_calls=1)
    )
    nothing = framed(tf.zeros([num_targets], tf.int32), tf.fill([num_targets, most], -1), width)
    return finished(found, nothing, num_chunks)
