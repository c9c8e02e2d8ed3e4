"""Transformed examples to batches of pairs, in a fixed order."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module import features

_DOCUMENTS_AT_ONCE = 256  # enough that parsing is not felt, few enough that long ones fit memory


class Counts(NamedTuple):
    """What one pass over a split finds."""

    documents: int
    tokens: int  # all tokens of the documents, also those left out
    pairs: int
    context_counts: npt.NDArray[np.int64]  # [vocab], how often each token is a context


def _documents(files: Sequence[str], feature_spec: Mapping[str, Any]) -> tf.data.Dataset:
    wanted = {
        name: feature_spec[name]
        for name in (features.TARGET, features.CONTEXT, features.NUM_TOKENS)
    }
    return (
        tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
        .batch(_DOCUMENTS_AT_ONCE)
        .map(lambda batch: tf.io.parse_example(batch, wanted), num_parallel_calls=2)
    )


def count(files: Sequence[str], feature_spec: Mapping[str, Any], vocabulary_size: int) -> Counts:
    """Reads a split once and counts.

    Args:
      files: gzipped TFRecord files of transformed examples.
      feature_spec: of the transformed examples, as TFTransformOutput gives it.
      vocabulary_size: number of ids.
    """
    zero = tf.constant(0, tf.int64)
    state = (zero, zero, zero, tf.zeros([vocabulary_size], tf.int64))

    def add(state: Any, batch: Mapping[str, Any]) -> Any:
        documents, tokens, pairs, context_counts = state
        contexts = batch[features.CONTEXT].flat_values
        return (
            documents + batch[features.CONTEXT].nrows(out_type=tf.int64),
            tokens + tf.reduce_sum(batch[features.NUM_TOKENS]),
            pairs + tf.size(contexts, out_type=tf.int64),
            context_counts
            + tf.math.bincount(
                tf.cast(contexts, tf.int32),
                minlength=vocabulary_size,
                maxlength=vocabulary_size,
                dtype=tf.int64,
            ),
        )

    documents, tokens, pairs, context_counts = _documents(files, feature_spec).reduce(state, add)
    return Counts(int(documents), int(tokens), int(pairs), context_counts.numpy())


def batches(
    files: Sequence[str], feature_spec: Mapping[str, Any], batch_size: int
) -> tf.data.Dataset:
    """One epoch of (targets, contexts), each `[batch_size]` int64, the last batch shorter.

    The order is that of the files' names and of the documents in them, which ExampleGen has
    shuffled: the same at every call, so that a restarted run can go on where it stopped.
    """
    options = tf.data.Options()
    # Nothing here is tuned, and ending an iterator waits up to a minute for the tuner's thread.
    options.autotune.enabled = False
    return (
        _documents(files, feature_spec)
        .map(lambda batch: (batch[features.TARGET].values, batch[features.CONTEXT].values))
        .filter(lambda targets, contexts: tf.size(targets) > 0)
        .rebatch(batch_size)
        .prefetch(16)
        .with_options(options)
    )
