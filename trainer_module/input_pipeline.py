"""Transformed examples to blocks of targets with their windows, in a fixed order."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module import features, skip_grams

_DOCUMENTS_AT_ONCE = 256  # enough that parsing is not felt, few enough that long ones fit memory


class Counts(NamedTuple):
    """What one pass over a split finds."""

    documents: int
    tokens: int  # all tokens of the documents, also those left out
    targets: int  # with one context at least
    pairs: int
    context_counts: npt.NDArray[np.int64]  # [vocab], how often each token is a context


class Chunk(NamedTuple):
    """Consecutive targets with the ids around them; documents stand one behind the other."""

    ids: tf.Tensor  # [window + targets + window] int32
    left: tf.Tensor  # [targets] int32, how many contexts stand before each; padding has none
    right: tf.Tensor  # [targets] int32, and after it


def _documents(files: Sequence[str], feature_spec: Mapping[str, Any]) -> tf.data.Dataset:
    wanted = {
        name: feature_spec[name] for name in (features.TARGET, features.WINDOW, features.NUM_TOKENS)
    }
    return (
        tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
        .batch(_DOCUMENTS_AT_ONCE)
        .map(lambda batch: tf.io.parse_example(batch, wanted), num_parallel_calls=2)
    )


def _targets(batch: Mapping[str, tf.RaggedTensor]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """ids, left and right, each `[targets]` int32, without the documents of a single target."""
    left, right = skip_grams.extents(batch[features.WINDOW])
    paired = left + right > 0
    ids = batch[features.TARGET].flat_values
    return (
        tf.cast(tf.boolean_mask(ids, paired), tf.int32),
        tf.cast(tf.boolean_mask(left, paired), tf.int32),
        tf.cast(tf.boolean_mask(right, paired), tf.int32),
    )


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


def count(files: Sequence[str], feature_spec: Mapping[str, Any], vocabulary_size: int) -> Counts:
    """Reads a split once and counts.

    Args:
      files: gzipped TFRecord files of transformed examples.
      feature_spec: of the transformed examples, as TFTransformOutput gives it.
      vocabulary_size: number of ids.
    """
    zero = tf.constant(0, tf.int64)
    state = (zero, zero, zero, zero, tf.zeros([vocabulary_size], tf.int64))

    def add(state: Any, batch: Mapping[str, Any]) -> Any:
        documents, tokens, targets, pairs, context_counts = state
        ids, left, right = _targets(batch)
        return (
            documents + batch[features.TARGET].nrows(out_type=tf.int64),
            tokens + tf.reduce_sum(batch[features.NUM_TOKENS]),
            targets + tf.size(ids, out_type=tf.int64),
            pairs + tf.reduce_sum(tf.cast(left + right, tf.int64)),
            tf.tensor_scatter_nd_add(
                context_counts,
                ids[:, tf.newaxis],
                tf.cast(times_as_context(left, right), tf.int64),
            ),
        )

    documents, tokens, targets, pairs, counts = _documents(files, feature_spec).reduce(state, add)
    return Counts(int(documents), int(tokens), int(targets), int(pairs), counts.numpy())


def chunks(
    files: Sequence[str],
    feature_spec: Mapping[str, Any],
    *,
    num_targets: int,
    window: int,
    epoch: int | tf.Tensor = 0,
    seed: int = 0,
) -> tf.data.Dataset:
    """One epoch of chunks; each target is in one of them, with all of its contexts around it.

    The order is that of the files' names and of the documents in them, which ExampleGen has
    shuffled: the same at every call, so that a restarted run can go on where it stopped.

    Args:
      files: gzipped TFRecord files of transformed examples.
      feature_spec: of the transformed examples.
      num_targets: of a chunk, at least `window`; the last one is filled up with padding.
      window: the largest there is.
      epoch: the first, 0, has the windows that Transform drew. Later ones draw their own, as
        word2vec does: with the same ones in all of 5 epochs analogies were 27 % instead of 30 %.
      seed: of the later ones' windows.

    Returns:
      A dataset of Chunk.
    """
    if num_targets < window:
        raise ValueError(f"a chunk of {num_targets} targets is shorter than a window, {window}")
    padding = tf.zeros([num_targets], tf.int32)
    empty = (padding, padding, padding)

    def pad(*parts: tf.Tensor) -> tuple[tf.Tensor, ...]:
        missing = num_targets - tf.size(parts[0])
        return tuple(tf.ensure_shape(tf.pad(part, [[0, missing]]), [num_targets]) for part in parts)

    def look_around(state: Any, after: Any) -> tuple[Any, Chunk]:
        """Puts the last ids before a chunk and the first ones behind it around its own."""
        before, (ids, left, right) = state
        around = tf.concat([before, ids, after[0][:window]], 0)
        return (ids[num_targets - window :], after), Chunk(around, left, right)

    def of_epoch(batch: Mapping[str, tf.RaggedTensor]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        targets = batch[features.TARGET]
        windows = tf.cond(
            tf.equal(epoch, 0),
            lambda: batch[features.WINDOW].flat_values,
            lambda: (
                skip_grams.redrawn_windows(
                    targets, window, seed=seed, epoch=tf.cast(epoch, tf.int64)
                ).flat_values
            ),
        )
        return _targets({**batch, features.WINDOW: targets.with_values(windows)})

    return untuned(
        _documents(files, feature_spec)
        .map(of_epoch, num_parallel_calls=1)
        .filter(lambda ids, left, right: tf.size(ids) > 0)
        .rebatch(num_targets)
        .map(pad)
        .concatenate(tf.data.Dataset.from_tensors(empty))
        .scan((padding[:window], empty), look_around)
        .skip(1)  # what came before the first chunk
        .prefetch(16)
    )


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Without tf.data's tuner: nothing is tuned, and its thread keeps an iterator's end waiting.

    Up to a minute.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def pairs_of(chunk: Chunk, window: int, rows: Sequence[int]) -> tuple[tf.Tensor, tf.Tensor]:
    """The pairs of some of a chunk's targets, written out.

    Args:
      chunk: of any number of targets.
      window: the largest there is: what stands around the targets on either side.
      rows: which targets.

    Returns:
      targets, contexts: `[pairs]` int32 ids, in the order of the targets.
    """
    rows = tf.constant(rows, tf.int32, [len(rows)])
    left, right = tf.gather(chunk.left, rows), tf.gather(chunk.right, rows)
    offsets = tf.constant([o for o in range(-window, window + 1) if o != 0])
    inside = (offsets >= -left[:, tf.newaxis]) & (offsets <= right[:, tf.newaxis])
    places = tf.where(inside)
    at = tf.gather(rows, places[:, 0]) + window
    return tf.gather(chunk.ids, at), tf.gather(chunk.ids, at + tf.gather(offsets, places[:, 1]))
