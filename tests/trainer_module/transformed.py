"""Transformed examples as Transform writes them."""

import hashlib
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
    "document_hash": tf.io.FixedLenFeature([], tf.int64),
}


def hash_of(document: Document) -> int:
    """Some number of 64 bits that stands for a document."""
    digest = hashlib.sha256(repr([token for token, _ in document]).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


PAIRS_SPEC: dict[str, Any] = {
    "target": _ragged_feature("target"),
    "context": _ragged_feature("context"),
    "num_tokens": tf.io.FixedLenFeature([], tf.int64),
}


def write(path: Path, documents: Sequence[Document]) -> str:
    return _write(
        path,
        [
            {
                "token_ids$ragged_values": [token for token, _ in document],
                "window_sizes$ragged_values": [window for _, window in document],
                "document_hash": [hash_of(document)],
            }
            for document in documents
        ],
    )


def write_pairs(path: Path, documents: Sequence[Sequence[tuple[int, int]]]) -> str:
    return _write(
        path,
        [
            {
                "target$ragged_values": [target for target, _ in document],
                "context$ragged_values": [context for _, context in document],
            }
            for document in documents
        ],
    )


def _write(path: Path, rows: Sequence[dict[str, list[int]]]) -> str:
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for row in rows:
            feature = {
                name: tf.train.Feature(int64_list=tf.train.Int64List(value=values))
                for name, values in {**row, "num_tokens": [TOKENS_A_DOCUMENT]}.items()
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    return str(path)


def split_of(
    files: Sequence[str],
    *,
    vocabulary_size: int = 20,
    window: int = 3,
    keep: float = 1.0,
    may_have_given_pairs: bool = False,
) -> Split:
    """Of which later epochs keep a token with the probability `keep`, whatever it is."""
    return Split(
        TransformedFiles(files, SPEC),
        np.full(vocabulary_size, keep),
        window,
        seed=1,
        may_have_given_pairs=may_have_given_pairs,
    )


def split_of_pairs(files: Sequence[str], *, vocabulary_size: int = 20, window: int = 3) -> Split:
    return Split(TransformedFiles(files, PAIRS_SPEC), np.ones(vocabulary_size), window, seed=1)


def of_epoch(split: Split, documents: Sequence[Document], epoch: int) -> list[Document]:
    """The documents of a split with the windows of an epoch."""
    if epoch == 0:
        return list(documents)
    ids = [[token for token, _ in document] for document in documents]
    hashes = tf.constant([hash_of(document) for document in documents], tf.int64)
    windows = subsampling.redrawn_windows(
        tf.bitcast(hashes, tf.uint64),
        ragged(ids),
        tf.constant(split.keep_probability),
        window=split.window,
        seed=split.seed,
        epoch=tf.constant(epoch, tf.int64),
    )
    redrawn = [list(zip(*rows, strict=True)) for rows in zip(ids, windows.to_list(), strict=True)]
    return [
        document if any(window == -1 for _, window in document) else anew
        for document, anew in zip(documents, redrawn, strict=True)
    ]


def ragged(rows: Sequence[Sequence[int]]) -> tf.RaggedTensor:
    return tf.ragged.constant(rows, tf.int64, ragged_rank=1, row_splits_dtype=tf.int64)


def pairs_of(document: Document) -> list[tuple[int, int]]:
    """What Transform writes of it with emit = pairs."""
    return [pair for pairs in pairs_by_target(document) for pair in pairs]


def pairs_by_target(document: Document) -> list[list[tuple[int, int]]]:
    """Brute force: the pairs of each target of a document; a context alone has none."""
    kept = [(token, window) for token, window in document if window != 0]
    return [
        [(target, context) for j, (context, _) in enumerate(kept) if i != j and abs(i - j) <= size]
        for i, (target, size) in enumerate(kept)
    ]
