"""The vocabulary that Transform kept."""

import json
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module.errors import InputError

Ids = npt.NDArray[np.int64]


class Vocabulary(NamedTuple):
    """Tokens by falling frequency: a token's id is its place."""

    tokens: list[bytes]  # UTF-8
    counts: npt.NDArray[np.int64]  # [vocab], occurrences in the corpus

    @property
    def frequencies(self) -> npt.NDArray[np.float64]:
        """`[vocab]`, each token's share of all occurrences."""
        return np.asarray(self.counts / self.counts.sum(), np.float64)


def parse(content: bytes) -> Vocabulary:
    r"""Reads the content of a vocabulary file: `count token` lines.

    >>> parse(b"6 the\n2 cat\n").tokens
    [b'the', b'cat']
    """
    lines = [line.split(b" ", 1) for line in content.splitlines()]
    return Vocabulary(
        [token for _, token in lines], np.array([int(count) for count, _ in lines], np.int64)
    )


def common(one: Vocabulary, other: Vocabulary) -> tuple[Ids, Ids]:
    r"""The tokens that two vocabularies hold, the most frequent ones first.

    A token is as frequent as the smaller of its two shares: neither vector of it was learnt from
    less. Ties stand in the order of the first vocabulary.

    Returns:
      The tokens' ids in the one and in the other, `[common]` each.

    >>> one, other = parse(b"6 the\n2 cat\n1 sat\n"), parse(b"9 cat\n3 dog\n2 the\n")
    >>> [ids.tolist() for ids in common(one, other)]
    [[1, 0], [0, 2]]
    """
    id_of = {token: id_ for id_, token in enumerate(other.tokens)}
    pairs = [(i, id_of[token]) for i, token in enumerate(one.tokens) if token in id_of]
    ids, other_ids = np.array(pairs, np.int64).reshape(-1, 2).T
    shares = np.minimum(one.frequencies[ids], other.frequencies[other_ids])
    order = np.argsort(-shares, kind="stable")
    return ids[order], other_ids[order]


def nothing_to_keep(
    most_frequent: tuple[int, bytes] | None, *, distinct: int, occurrences: int, min_count: int
) -> InputError:
    """Says why a vocabulary is empty.

    Args:
      most_frequent: a token of the corpus before its count; None if there is none.
      distinct: different tokens of the corpus.
      occurrences: tokens in all.
      min_count: what a token had to come to.
    """
    if most_frequent is None:
        return InputError(
            "no document holds a token: give text, or try preprocessing.tokenizer=whitespace, "
            "which takes signs too"
        )
    count, token = most_frequent
    return InputError(
        f"no token occurs {min_count} times among the corpus's {occurrences:,} ({distinct:,} "
        f"different); the most frequent, {token.decode()!r}, occurs {count} times: lower "
        "preprocessing.min_count or add text"
    )


def read_distinct_tokens(totals_path: str) -> int:
    """How many different tokens the corpus holds, by the file features.VOCABULARY_TOTALS."""
    return _read_total(totals_path, "distinct")


def read_occurrences(totals_path: str) -> int:
    """How many tokens the corpus holds, by the file features.VOCABULARY_TOTALS."""
    return _read_total(totals_path, "occurrences")


def _read_total(path: str, name: str) -> int:
    with tf.io.gfile.GFile(path, "rb") as file:
        return int(json.loads(file.read())[name])


def read(path: str) -> Vocabulary:
    """Reads a vocabulary file, on any file system that TensorFlow knows."""
    with tf.io.gfile.GFile(path, "rb") as file:
        return parse(file.read())
