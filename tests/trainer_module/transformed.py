"""Transformed examples as Transform writes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from trainer_module.input_pipeline.documents import TransformedFiles
from trainer_module.input_pipeline.splits import Split
from trainer_module.text import subsampling

Document = Sequence[tuple[int, int]]  # of each token: id, window; 0 where it is left out

TOKENS_A_DOCUMENT = 9


def _ragged_feature(name: str) -> tf.io.RaggedFeature:
    return tf.io.RaggedFeature(tf.int64, f"{name}$ragged_values", row_splits_dtype=tf.int64)


SPEC: dict[str, Any] = {
    "token_ids": _ragged_feature("token_ids"),
    "window_sizes": _ragged_feature("window_sizes"),
    "num_tokens": tf.io.FixedLenFeature([], tf.int64),
}


def write(path: Path, documents: Sequence[Document]) -> str:
    def int64s(values: Sequence[int]) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for document in documents:
            feature = {
                "token_ids$ragged_values": int64s([token for token, _ in document]),
                "window_sizes$ragged_values": int64s([window for _, window in document]),
                "num_tokens": int64s([TOKENS_A_DOCUMENT]),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    return str(path)


def split_of(
    files: Sequence[str], *, vocabulary_size: int = 20, window: int = 3, keep: float = 1.0
) -> Split:
    """Of which later epochs keep a token with the probability `keep`, whatever it is."""
    return Split(TransformedFiles(files, SPEC), np.full(vocabulary_size, keep), window, seed=1)


def of_epoch(split: Split, documents: Sequence[Document], epoch: int) -> list[Document]:
    """The documents of a split with the windows of an epoch."""
    if epoch == 0:
        return list(documents)
    ids = [[token for token, _ in document] for document in documents]
    windows = subsampling.redrawn_windows(
        ragged(ids),
        tf.constant(split.keep_probability),
        window=split.window,
        seed=split.seed,
        epoch=tf.constant(epoch, tf.int64),
    )
    return [list(zip(*rows, strict=True)) for rows in zip(ids, windows.to_list(), strict=True)]


def ragged(rows: Sequence[Sequence[int]]) -> tf.RaggedTensor:
    return tf.ragged.constant(rows, tf.int64, ragged_rank=1, row_splits_dtype=tf.int64)


def pairs_by_target(document: Document) -> list[list[tuple[int, int]]]:
    """Brute force: the pairs of each target of a document."""
    kept = [(token, window) for token, window in document if window > 0]
    return [
        [(target, context) for j, (context, _) in enumerate(kept) if i != j and abs(i - j) <= size]
        for i, (target, size) in enumerate(kept)
    ]
