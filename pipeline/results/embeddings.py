"""Embeddings: to be looked at, asked for neighbours and analogies, saved and loaded.

NumPy alone, so that it is quick.
"""

import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from pipeline.atomic import aside
from pipeline.results.words.tokens import TokenRows, largest
from trainer_module.errors import InputError
from trainer_module.evaluation import word2vec_format
from trainer_module.text.words import TOKENIZATION_FILE, Tokenization

if TYPE_CHECKING:
    from trainer_module.training.record import TrainingRecord

_USUAL = Tokenization()


class Neighbor(NamedTuple):
    """A token and how near it is."""

    token: str
    cosine: float


class Embeddings:
    """Tokens by falling frequency and their vectors.

    >>> plane = Embeddings(["east", "north", "up"], [[1, 0], [3, 4], [0, 2]], [9, 5, 4])
    >>> plane.vector("north").tolist()
    [3.0, 4.0]
    >>> [(token, round(cosine, 3)) for token, cosine in plane.neighbors("north", k=2)]
    [('up', 0.8), ('east', 0.6)]
    >>> plane.counts.tolist()
    [9, 5, 4]
    """

    def __init__(
        self,
        tokens: Sequence[str],
        vectors: npt.ArrayLike,
        counts: Sequence[int] | None = None,
        training: "TrainingRecord | None" = None,
        tokenization: Tokenization = _USUAL,
    ) -> None:
        """Takes tokens and vectors as they are.

        Args:
          tokens: `[vocab]`, distinct, by falling frequency.
          vectors: `[vocab, dim]`.
          counts: `[vocab]`, occurrences in the corpus, if known.
          training: what training gave, if these were just trained: losses, evaluations, speed.
          tokenization: how text became tokens, so that words are found as they are typed: `Don't`
            is the token `don't` of `unicode_words`. `whitespace` takes them as they are.
        """
        self.tokens = list(tokens)
        self.vectors = np.asarray(vectors, np.float32)
        self.counts = None if counts is None else np.asarray(counts, np.int64)
        self.training = training
        self.tokenization = tokenization
        self._rows = TokenRows(self.tokens, tokenization)
        norms = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        self._units = self.vectors / np.where(norms > 0, norms, 1)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads embeddings.

        Args:
          path: a file in word2vec's formats, the text one if it ends in .txt; or a folder with
            vectors.bin, vocabulary.tsv and tokenization.json, as a run leaves it in `vectors/`.
            Where the last is not there, words are looked up as by the tokenizer `unicode_words`.

        Raises:
          InputError: there is no such file, or no vectors in the folder.
        """
        path = Path(path)
        if path.is_dir() or not path.suffix:
            return cls._load_folder(path)
        if not path.exists():
            raise InputError(f"there is no file {path}: name one in word2vec's formats")
        is_text = path.suffix == ".txt"
        read = word2vec_format.read_text if is_text else word2vec_format.read_binary
        return cls(*read(path))

    @classmethod
    def _load_folder(cls, folder: Path) -> Self:
        path = folder / word2vec_format.BINARY_FILE
        if not path.exists():
            raise InputError(
                f"there are no vectors in {folder}: run `skipgram run` first, with the same "
                "--output, and see that its model is blessed"
            )
        vocabulary = folder / word2vec_format.VOCABULARY_FILE
        counts = word2vec_format.read_counts(vocabulary) if vocabulary.exists() else None
        written = folder / TOKENIZATION_FILE
        tokenization = Tokenization.from_json(written.read_bytes()) if written.exists() else _USUAL
        return cls(*word2vec_format.read_binary(path), counts, tokenization=tokenization)

    def save_word2vec(self, path: str | os.PathLike[str]) -> None:
        """Writes word2vec's binary format, or its text format if the name ends in .txt.

        gensim's `KeyedVectors.load_word2vec_format` and `load` read both. A file that is there is
        replaced when the new one is whole.
        """
        path = Path(path)
        with aside(path) as unfinished, unfinished.open("wb") as file:
            file.writelines(self._records(is_text=path.suffix == ".txt"))

    def _records(self, *, is_text: bool) -> Iterable[bytes]:
        if not is_text:
            return word2vec_format.binary_records(self.tokens, self.vectors)
        return (line.encode() for line in word2vec_format.text_lines(self.tokens, self.vectors))

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._rows

    def knows(self, word: str) -> bool:
        """Whether a word is a token of the vocabulary, as the tokenizer makes it one."""
        return self._rows.find(word) is not None

    def vector(self, token: str) -> word2vec_format.Vectors:
        """The vector of a token, `[dim]` float32.

        Raises:
          InputError: the token is not in the vocabulary.
        """
        vector: word2vec_format.Vectors = self.vectors[self._rows.row(token)]
        return vector

    def neighbors(self, token: str, k: int = 10) -> list[Neighbor]:
        """The k tokens with the largest cosine to a token, itself left out.

        Raises:
          InputError: the token is not in the vocabulary.
        """
        row = self._rows.row(token)
        return self._nearest(self._units[row], k, {row})

    def analogy(self, a: str, b: str, c: str, k: int = 10) -> list[Neighbor]:
        """What is to c as b is to a: the tokens nearest b - a + c (3CosAdd, Mikolov et al. 2013).

        Raises:
          InputError: a token is not in the vocabulary.
        """
        rows = [self._rows.row(token) for token in (a, b, c)]
        asked = self._units[rows[1]] - self._units[rows[0]] + self._units[rows[2]]
        return self._nearest(asked / max(float(np.linalg.norm(asked)), 1e-12), k, set(rows))

    def frequent_words(self, how_many: int) -> list[str]:
        """Frequent tokens of which neighbours say something.

        The first two hundred of any language are mostly function words, which stand beside
        everything; short ones and numbers are no better. Where there are too few others, as of
        items' ids or of a language with short words, any will do.
        """
        left = self.tokens[min(200, len(self.tokens) // 4) :]
        words = (token for token in left if token.isalpha() and len(token) > 3)
        found = list(itertools.islice(words, how_many))
        return found if len(found) == how_many else left[:how_many]

    def _nearest(self, unit: word2vec_format.Vectors, k: int, left_out: set[int]) -> list[Neighbor]:
        cosines = self._units @ unit
        cosines[list(left_out)] = -np.inf
        k = min(k, len(self.tokens) - len(left_out))
        return [Neighbor(self.tokens[row], float(cosines[row])) for row in largest(cosines, k)]
