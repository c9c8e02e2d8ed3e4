"""What stands near words: the most probable contexts of a served model."""

from typing import NamedTuple, Self

import numpy as np

from pipeline.results.words.tokens import TokenRows, largest
from trainer_module.evaluation import saved_model
from trainer_module.evaluation.saved_model import SavedModel


class Context(NamedTuple):
    """A token and how probable it is as a context."""

    token: str
    probability: float


class ContextModel:
    """A SavedModel's tables in NumPy. They give what its signature `contexts` does, and sooner."""

    def __init__(self, model: SavedModel) -> None:
        """Takes a model as saved_model.read gives it."""
        targets = [token.decode() for token in model.vocabulary.tokens]
        self._rows = TokenRows(targets, model.settings.tokenization)
        self._contexts = [token.decode() for token in model.contexts.tokens]
        self._model, self._biases = model, model.corrected_biases

    @classmethod
    def load(cls, folder: str) -> Self:
        """Reads a SavedModel; see saved_model.read."""
        return cls(saved_model.read(folder))

    def knows(self, word: str) -> bool:
        """Whether a word is a token of the vocabulary, as the tokenizer makes it one."""
        return self._rows.find(word) is not None

    def contexts(self, word: str, k: int = 10) -> list[Context]:
        """The k most probable contexts of a word; see word_signatures.WordModel.contexts.

        Raises:
          InputError: the word is not in the vocabulary.
        """
        target = self._model.target_table[self._rows.row(word)]
        scores = self._model.context_weights @ (target / self._model.settings.temperature)
        scores = (scores + self._biases).astype(np.float64)
        exponentials = np.exp(scores - scores.max())
        probabilities = exponentials / exponentials.sum()
        return [
            Context(self._contexts[row], float(probabilities[row]))
            for row in largest(probabilities, k)
        ]
