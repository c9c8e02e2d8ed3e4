"""Transformed examples as Transform writes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

Document = Sequence[tuple[int, int]]  # of each target: id, window

TOKENS_A_DOCUMENT = 9

SPEC: dict[str, Any] = {
    "target": tf.io.RaggedFeature(tf.int64, "target$ragged_values", row_splits_dtype=tf.int64),
    "window": tf.io.RaggedFeature(tf.int64, "window$ragged_values", row_splits_dtype=tf.int64),
    "num_tokens": tf.io.FixedLenFeature([], tf.int64),
}


def write(path: Path, documents: Sequence[Document]) -> str:
    def int64s(values: Sequence[int]) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for document in documents:
            feature = {
                "target$ragged_values": int64s([target for target, _ in document]),
                "window$ragged_values": int64s([window for _, window in document]),
                "num_tokens": int64s([TOKENS_A_DOCUMENT]),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    return str(path)


def pairs_by_target(document: Document) -> list[list[tuple[int, int]]]:
    """Brute force: the pairs of each target of a document."""
    return [
        [
            (target, context)
            for j, (context, _) in enumerate(document)
            if i != j and abs(i - j) <= window
        ]
        for i, (target, window) in enumerate(document)
    ]
