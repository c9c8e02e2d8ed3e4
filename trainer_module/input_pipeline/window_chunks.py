"""Documents that are tokens with their windows, to chunks of targets with what is around them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from trainer_module import features
from trainer_module.input_pipeline.splits import Counts, Pairs, Split, finished
from trainer_module.objectives.frames import FramedPairs, Frames
from trainer_module.text import given_pairs, skip_grams, subsampling


class WindowChunk(NamedTuple):
    """Consecutive targets with the ids around them; documents stand one behind the other."""

    ids: tf.Tensor  # [window + targets + window] int32
    left: tf.Tensor  # [targets] int32, how many contexts stand before each; padding has none
    right: tf.Tensor  # [targets] int32, and after it

    @property
    def window(self) -> int:
        """The largest there is: what stands around the targets on either side."""
        return int(self.ids.shape[0] - self.left.shape[0]) // 2

    def block(self, index: int | tf.Tensor, num_targets: int) -> FramedPairs:
        """See Chunk."""
        size, begin = num_targets, index * num_targets
        frames, around = Frames(size, self.window), size + 2 * self.window
        return frames.pairs(
            tf.ensure_shape(self.ids[begin : begin + around], [around]),
            tf.ensure_shape(self.left[begin : begin + size], [size]),
            tf.ensure_shape(self.right[begin : begin + size], [size]),
        )

    def num_pairs(self) -> tf.Tensor:
        """See Chunk."""
        return tf.reduce_sum(self.left + self.right)

    def pairs_of(self, rows: Sequence[int]) -> Pairs:
        """See Chunk; the contexts of a target in the order of the text."""
        rows = tf.constant(rows, tf.int32, [len(rows)])
        left, right = tf.gather(self.left, rows), tf.gather(self.right, rows)
        targets, offsets = skip_grams.enumerate_pairs(left, right)
        places = tf.gather(rows, targets) + self.window
        return Pairs(tf.gather(self.ids, places), tf.gather(self.ids, places + offsets))


_Batch = Mapping[str, tf.RaggedTensor]


def _windows(split: Split, batch: _Batch, epoch: int | tf.Tensor) -> tf.Tensor:
    """`[tokens]` int64: as Transform drew them, or drawn for a later epoch."""
    drawn = batch[features.WINDOW_SIZES].flat_values
    if isinstance(epoch, int) and epoch == 0:
        return drawn  # most callers, who need not pay for the trace of the rest
    return tf.cond(tf.equal(epoch, 0), lambda: drawn, lambda: _redrawn_windows(split, batch, epoch))


def _redrawn_windows(split: Split, batch: _Batch, epoch: int | tf.Tensor) -> tf.Tensor:
    """`[tokens]` int64, drawn for an epoch after the first."""
    redrawn = subsampling.redrawn_windows(
        tf.bitcast(batch[features.DOCUMENT_HASH], tf.uint64),
        batch[features.TOKEN_IDS],
        tf.constant(split.keep_probability),
        window=split.window,
        seed=split.seed,
        epoch=tf.cast(epoch, tf.int64),
    )
    if split.may_have_given_pairs:
        redrawn = given_pairs.kept_as_given(batch[features.WINDOW_SIZES], redrawn)
    return redrawn.flat_values


def _targets(
    split: Split, batch: _Batch, epoch: int | tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """ids, left and right, each `[targets]` int32, without the documents of a single target."""
    tokens = batch[features.TOKEN_IDS]
    targets, windows = skip_grams.targets_of(
        tokens, tokens.with_values(_windows(split, batch, epoch))
    )
    left, right = skip_grams.extents(windows)
    is_paired = left + right > 0
    if split.may_have_given_pairs:
        is_paired |= windows.flat_values < 0  # a context alone, of the targets beside it
    paired = tf.where(is_paired)[:, 0]
    ids, left, right = (
        tf.cast(tf.gather(values, paired), tf.int32)
        for values in (targets.flat_values, left, right)
    )
    return ids, left, right


def _num_targets(split: Split, batch: _Batch, epoch: tf.Tensor) -> tf.Tensor:
    """How many targets a later epoch has, `[]` int64: all that are kept with another one."""
    kept = tf.cast(tf.not_equal(_redrawn_windows(split, batch, epoch), 0), tf.int64)
    of_documents = tf.reduce_sum(batch[features.TOKEN_IDS].with_values(kept), axis=1)
    return tf.reduce_sum(tf.boolean_mask(of_documents, of_documents > 1))


def times_as_context(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """In how many pairs each token is the context.

    A target's window covers the tokens from `left` before it to `right` after it. Adding 1 where a
    window begins and taking it off behind its end, the running sum counts the windows that cover a
    token; one of them is its own.

    Args:
      left, right: `[tokens]` int32, skip_grams.extents.

    Returns:
      `[tokens]` int32.
    """
    size = tf.size(left)
    positions = tf.range(size)
    begins = tf.math.bincount(positions - left, minlength=size, maxlength=size)
    ends = tf.math.bincount(positions + right + 1, minlength=size + 1, maxlength=size + 1)[:size]
    return tf.cumsum(begins - ends) - 1


# Nothing here is Python's control flow on tensors: to look for it takes longer than the rest.
@tf.autograph.experimental.do_not_convert
def count(split: Split, *, epochs: int = 1) -> Counts:
    """See Form. Epochs differ in their targets, as each has its own subsampling."""

    def look_at(batch: Mapping[str, Any]) -> tuple[tf.Tensor, ...]:
        ids, left, right = _targets(split, batch, 0)
        targets = tf.size(ids, out_type=tf.int64)[tf.newaxis]
        if epochs > 1:
            later = tf.map_fn(
                lambda epoch: _num_targets(split, batch, epoch), tf.range(1, epochs, dtype=tf.int64)
            )
            targets = tf.concat([targets, later], 0)
        numbers = (
            batch[features.TOKEN_IDS].nrows(out_type=tf.int64),
            tf.reduce_sum(batch[features.NUM_TOKENS]),
            tf.reduce_sum(tf.cast(left + right, tf.int64)),
        )
        return tf.stack(numbers), targets, ids, times_as_context(left, right)

    def add(state: Any, found: Any) -> Any:
        numbers, targets, context_counts = state
        more_numbers, more_targets, ids, times = found
        context_counts = tf.tensor_scatter_nd_add(
            context_counts, ids[:, tf.newaxis], tf.cast(times, tf.int64)
        )
        return numbers + more_numbers, targets + more_targets, context_counts

    shapes = (3, epochs, len(split.keep_probability))
    numbers, targets, counts = (
        split.batches()
        .map(look_at, num_parallel_calls=2)
        .reduce(
            tuple(tf.zeros([size], tf.int64) for size in shapes),
            add,
        )
    )
    documents, tokens, pairs = numbers.numpy().tolist()
    return Counts(documents, tokens, int(tf.reduce_max(targets)), pairs, counts.numpy())


@tf.autograph.experimental.do_not_convert
def chunks(
    split: Split,
    *,
    num_targets: int,
    num_chunks: int | None = None,
    epoch: int | tf.Tensor = 0,
) -> tf.data.Dataset:
    """See Form: of WindowChunk.

    The first epoch has the pairs that Transform drew. Later ones draw subsampling and windows anew,
    as word2vec does: on 16 million words, 5 epochs of the same pairs solved 27 % of the analogies,
    with new windows 30 %, with both drawn anew 33 %.
    """
    window = split.reach
    if num_targets < window:
        raise ValueError(f"a chunk of {num_targets} targets is shorter than a window, {window}")
    padding = tf.zeros([num_targets], tf.int32)
    empty = (padding, padding, padding)

    def pad(*parts: tf.Tensor) -> tuple[tf.Tensor, ...]:
        missing = num_targets - tf.size(parts[0])
        return tuple(tf.ensure_shape(tf.pad(part, [[0, missing]]), [num_targets]) for part in parts)

    def look_around(state: Any, after: Any) -> tuple[Any, WindowChunk]:
        """Puts the last ids before a chunk and the first ones behind it around its own."""
        before, (ids, left, right) = state
        around = tf.concat([before, ids, after[0][:window]], 0)
        return (ids[num_targets - window :], after), WindowChunk(around, left, right)

    found = (
        split.batches()
        .map(lambda batch: _targets(split, batch, epoch), num_parallel_calls=1)
        .filter(lambda ids, left, right: tf.size(ids) > 0)
        .rebatch(num_targets)
        .map(pad)
        .concatenate(tf.data.Dataset.from_tensors(empty))
        .scan((padding[:window], empty), look_around)
        .skip(1)  # what came before the first chunk
    )
    nothing = WindowChunk(tf.zeros([num_targets + 2 * window], tf.int32), padding, padding)
    return finished(found, nothing, num_chunks)
