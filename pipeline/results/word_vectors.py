"""Exported vectors, to be asked for neighbours and analogies. NumPy alone, so that it is quick."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from components.embedding_exporter import word2vec_format
from pipeline.config import unknown_name
from trainer_module.errors import InputError


class Neighbor(NamedTuple):
    """A token and how near it is."""

    token: str
    cosine: float


class WordVectors:
    """Tokens by falling frequency and their vectors, scaled to length 1."""

    def __init__(self, tokens: Sequence[str], vectors: word2vec_format.Vectors):
        self.tokens = tokens
        self._rows = {token: row for row, token in enumerate(tokens)}
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        self._units = vectors / np.where(norms > 0, norms, 1)

    @classmethod
    def read(cls, folder: Path) -> "WordVectors":
        """Reads vectors.bin of an output folder's `vectors`.

        Raises:
          InputError: no blessed model was exported there.
        """
        path = folder / word2vec_format.BINARY_FILE
        if not path.exists():
            raise InputError(
                f"there are no vectors in {folder}: run `skipgram run` first, with the same "
                "--output, and see that its model is blessed"
            )
        return cls(*word2vec_format.read_binary(path))

    def neighbors(self, token: str, k: int) -> list[Neighbor]:
        """The k tokens with the largest cosine to a token, itself left out.

        Raises:
          InputError: the token is not in the vocabulary.
        """
        row = self._row(token)
        return self._nearest(self._units[row], k, {row})

    def analogy(self, a: str, b: str, c: str, k: int) -> list[Neighbor]:
        """What is to c as b is to a: the tokens nearest b - a + c (3CosAdd, Mikolov et al. 2013).

        Raises:
          InputError: a token is not in the vocabulary.
        """
        rows = [self._row(token) for token in (a, b, c)]
        asked = self._units[rows[1]] - self._units[rows[0]] + self._units[rows[2]]
        return self._nearest(asked / max(float(np.linalg.norm(asked)), 1e-12), k, set(rows))

    def frequent_words(self, how_many: int) -> list[str]:
        """Frequent tokens of which neighbours say something.

        The first two hundred of any language are mostly function words, which stand beside
        everything.
        """
        skipped = min(200, len(self.tokens) // 4)
        words = (token for token in self.tokens[skipped:] if token.isalpha() and len(token) > 3)
        return [word for word, _ in zip(words, range(how_many), strict=False)]

    def _row(self, token: str) -> int:
        for form in (token, token.lower()):
            if form in self._rows:
                return self._rows[form]
        raise InputError(unknown_name("token of the vocabulary", repr(token), self.tokens))

    def _nearest(self, unit: word2vec_format.Vectors, k: int, left_out: set[int]) -> list[Neighbor]:
        cosines = self._units @ unit
        cosines[list(left_out)] = -np.inf
        k = min(k, len(self.tokens) - len(left_out))
        nearest = np.argsort(-cosines, kind="stable")[:k]
        return [Neighbor(self.tokens[row], float(cosines[row])) for row in nearest]
