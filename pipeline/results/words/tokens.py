"""Tokens and their rows: words looked up as people type them, and the rows of the largest figures.

NumPy alone, so that it is quick.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.failures import unknown_name
from trainer_module.errors import InputError
from trainer_module.text import words
from trainer_module.text.words import Tokenization


class TokenRows:
    """Which row of a table a word has.

    >>> rows = TokenRows(["sea", "don't"], Tokenization())
    >>> rows.find("Don\u2019t"), rows.find("gnu"), "Sea" in rows
    (1, None, False)
    """

    def __init__(self, tokens: Sequence[str], tokenization: Tokenization) -> None:
        """Takes the tokens, `[vocab]`, in the order of their rows."""
        self._tokens, self._tokenization = tokens, tokenization
        self._rows = {token: row for row, token in enumerate(tokens)}

    def __contains__(self, token: object) -> bool:
        return token in self._rows

    def find(self, word: str) -> int | None:
        """The row of a token, or of the one token that a word is to the model; else None."""
        if word in self._rows:
            return self._rows[word]
        found = words.tokens(word, self._tokenization)
        return self._rows.get(found[0]) if len(found) == 1 else None

    def row(self, word: str) -> int:
        """The same.

        Raises:
          InputError: there is none. It names the nearest token, which takes a while.
        """
        row = self.find(word)
        if row is None:
            raise InputError(unknown_name("token of the vocabulary", repr(word), self._tokens))
        return row


def largest(figures: npt.NDArray[Any], k: int) -> npt.NDArray[np.intp]:
    """The places of the k largest figures, falling; of equal ones the first.

    All of `[vocab]` is looked at, but only what is at least the k-th largest is sorted: a sort of
    everything takes ten times as long.

    >>> largest(np.array([1, 3, 2, 3, 0]), 3).tolist()
    [1, 3, 2]
    """
    k = min(k, len(figures))
    if k < 1:
        return np.empty(0, np.intp)
    kth = np.partition(figures, len(figures) - k)[len(figures) - k]
    candidates = np.flatnonzero(figures >= kth)
    return np.asarray(candidates[np.argsort(-figures[candidates], kind="stable")][:k])
