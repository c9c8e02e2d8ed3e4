"""Scores of all items by vectors: by cosine, or by the other table and its biases.

An item without a vector has one of zeros, and no score of its own: it is the last of all.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.sessions.next_item import HeldOut, Ids, Scorer, Scores

Vectors = npt.NDArray[np.floating[Any]]
# Of some sessions a vector each.
Query = Callable[[Vectors, Sequence[Sequence[int]]], Vectors]


def last(vectors: Vectors, sessions: Sequence[Sequence[int]]) -> Vectors:
    """Of the session's last item, `[sessions, dim]`."""
    return vectors[[session[-1] for session in sessions]]


def mean(vectors: Vectors, sessions: Sequence[Sequence[int]]) -> Vectors:
    """The mean of its items' vectors, `[sessions, dim]`."""
    return np.stack([vectors[list(session)].mean(0) for session in sessions])


def by_neighbors(vectors: Vectors, query: Query) -> Scorer:
    """Cosines; of the mean, the mean of unit vectors is taken."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = (vectors / np.where(norms > 0, norms, 1)).astype(np.float32)
    unknown = np.where(norms[:, 0] > 0, 0, -np.inf).astype(np.float32)

    def scores(sessions: Sequence[Sequence[int]]) -> Scores:
        return np.asarray(query(units, sessions) @ units.T + unknown, np.float32)

    return scores


def by_scores(vectors: Vectors, outputs: Vectors, biases: Vectors, query: Query) -> Scorer:
    """Inner products with the other table, and its biases: -inf for an item without a vector."""
    vectors, outputs, biases = (table.astype(np.float32) for table in (vectors, outputs, biases))

    def scores(sessions: Sequence[Sequence[int]]) -> Scores:
        return np.asarray(query(vectors, sessions) @ outputs.T + biases, np.float32)

    return scores


class Ours:
    """A model of `skipgram.train` with all its tables, by id of the benchmark's items."""

    def __init__(self, held: HeldOut, *, seed: int = 1, **settings: Any):
        """Trains on the sessions.

        Args:
          held: what to train on.
          seed: of the training.
          settings: of `preprocessing` and `trainer`.
        """
        from skipgram.training import train_model

        found = train_model(
            held.documents, seed=seed, eval_fraction=0.001, evaluations_per_epoch=0, **settings
        )
        parameters = found.fitted.parameters
        rows = {token.decode(): row for row, token in enumerate(found.vocabulary.tokens)}
        places = np.array([rows.get(item, -1) for item in held.items])
        self.known = places >= 0
        known = self.known[:, np.newaxis]
        target_table = parameters.target_table.numpy() / parameters.temperature
        self.vectors = np.where(known, target_table[places], 0).astype(np.float32)
        self.outputs = np.where(known, parameters.context_weights.numpy()[places], 0)
        biases = parameters.corrected_biases.numpy()[places]
        self.biases = np.where(self.known, biases, -np.inf).astype(np.float32)
        self._unigram = np.where(self.known, found.fitted.unigram[places], -np.inf)

    @property
    def scorers(self) -> dict[str, Scorer]:
        """By how the next item is asked for."""
        return {
            "neighbours of the last item": by_neighbors(self.vectors, last),
            "neighbours of the mean": by_neighbors(self.vectors, mean),
            "contexts of the last item": by_scores(self.vectors, self.outputs, self.biases, last),
            "contexts of the mean": by_scores(self.vectors, self.outputs, self.biases, mean),
        }

    def gain_over_unigram(self, held: HeldOut) -> float:
        """What the gate asks for: nats by which the next item is likelier than by its share."""
        targets = np.array([session[-1] for session in held.asked])
        both = self.known[targets] & self.known[held.answers]
        targets, answers = targets[both], held.answers[both]
        return mean_gain(self.vectors[targets], self.outputs, self.biases, answers, self._unigram)


def mean_gain(
    vectors: Vectors, outputs: Vectors, biases: Vectors, answers: Ids, unigram: Vectors
) -> float:
    """Nats by which answers are likelier, by the softmax over all items, than by their shares.

    Args:
      vectors: `[asked, dim]`
      outputs: `[items, dim]`
      biases: `[items]`
      answers: `[asked]`, items.
      unigram: `[items]`, the logarithms of their shares.
    """
    gains = []
    for begin in range(0, len(answers), 1024):
        of = answers[begin : begin + 1024]
        scores = (vectors[begin : begin + 1024] @ outputs.T + biases).astype(np.float64)
        log_partition = np.logaddexp.reduce(scores, 1)
        gains.append(scores[np.arange(len(of)), of] - log_partition - unigram[of])
    return float(np.concatenate(gains).mean())
