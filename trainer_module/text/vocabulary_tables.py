"""Lookup tables that read the vocabulary file: see features.VOCABULARY."""

import tensorflow as tf

_ID = tf.lookup.TextFileIndex.LINE_NUMBER
_COUNT, _TOKEN = 0, 1  # columns


def ids_of_tokens(path: str | tf.Tensor) -> tf.lookup.StaticHashTable:
    """Strings to int64; -1 for a token outside the vocabulary."""
    return _table(path, tf.string, _TOKEN, tf.int64, _ID, default=-1)


def tokens_of_ids(path: str | tf.Tensor) -> tf.lookup.StaticHashTable:
    """int64 to strings; empty for what is no id."""
    return _table(path, tf.int64, _ID, tf.string, _TOKEN, default="")


def counts_of_ids(path: str | tf.Tensor) -> tf.lookup.StaticHashTable:
    """int64 to int64; 0 for what is no id."""
    return _table(path, tf.int64, _ID, tf.int64, _COUNT, default=0)


def _table(
    path: str | tf.Tensor,
    key_dtype: tf.DType,
    key_index: int,
    value_dtype: tf.DType,
    value_index: int,
    *,
    default: int | str,
) -> tf.lookup.StaticHashTable:
    initializer = tf.lookup.TextFileInitializer(
        path, key_dtype, key_index, value_dtype, value_index, delimiter=" "
    )
    return tf.lookup.StaticHashTable(initializer, default)
