"""The vocabulary that Transform kept."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf


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

    The single made-up token that tensorflow_transform writes where no token is left has no
    positive count: it is left out.

    >>> parse(b"6 the\n2 cat\n").tokens
    [b'the', b'cat']
    >>> parse(b"-1 made-up\n").tokens
    []
    """
    lines = [line.split(b" ", 1) for line in content.splitlines()]
    kept = [(token, int(count)) for count, token in lines if int(count) > 0]
    return Vocabulary(
        [token for token, _ in kept], np.array([count for _, count in kept], np.int64)
    )


def read(path: str) -> Vocabulary:
    """Reads a vocabulary file, on any file system that TensorFlow knows."""
    with tf.io.gfile.GFile(path, "rb") as file:
        return parse(file.read())
