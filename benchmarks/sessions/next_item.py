"""The next item of sessions: what is held out, and at which rank a method puts it.

The last item of each session with at least two is held out. A method sees the items before it and
scores all items there are; the rank of the held-out one is exact, and equal scores share the mean
of their ranks, as in the Evaluator. All items stay candidates, but for those that the session holds
already: nobody buys a game twice here, and any shop leaves out what is in the basket.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.corpus import SHARED

SESSIONS = SHARED / "items" / "video-games.sessions.txt"
Ids = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]
Ranks = npt.NDArray[np.float64]
# Of some sessions the scores of all items, `[sessions, items]`.
Scorer = Callable[[Sequence[Sequence[int]]], Scores]
_AT_ONCE = 512


class HeldOut(NamedTuple):
    """Sessions as ids of items, and what came next in them."""

    items: list[str]  # by id
    train: list[list[int]]  # what methods learn from
    asked: list[list[int]]  # sessions of which the next item is asked
    answers: Ids  # `[asked]`, that item

    @classmethod
    def read(cls, path: Path, *, last: int = 1) -> "HeldOut":
        """Holds out an item of each session.

        Args:
          path: of a file, a session a line, items between blanks.
          last: which item from the end, 1 for the last one. Those after it are not seen at all.
        """
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        ids = {
            item: nth for nth, item in enumerate(sorted({item for line in lines for item in line}))
        }
        sessions = [[ids[item] for item in line] for line in lines if line]
        train = [one[:-last] if len(one) > last else one[:1] for one in sessions]
        long = [one for one in sessions if len(one) > last]
        answers = np.array([one[-last] for one in long], np.int64)
        return cls(list(ids), train, [one[:-last] for one in long], answers)

    def sample(self, size: int, seed: int = 1) -> "HeldOut":
        """The same, asked of so many sessions at most."""
        order = np.random.default_rng(seed).permutation(len(self.asked))[:size]
        return self._replace(asked=[self.asked[row] for row in order], answers=self.answers[order])

    @property
    def documents(self) -> list[list[str]]:
        """The train sessions, as `skipgram.train` takes them."""
        return [[self.items[item] for item in session] for session in self.train]


class Figures(NamedTuple):
    """Means over the sessions."""

    hit_rate: float  # HR@10, the Evaluator's recall_at_10
    ndcg: float  # NDCG@10
    reciprocal_rank: float  # MRR

    @classmethod
    def of(cls, scorer: Scorer, held: HeldOut) -> "Figures":
        """Of a method."""
        return cls.of_ranks(np.concatenate([*_ranks(scorer, held)]))

    @classmethod
    def of_ranks(cls, ranks: Ranks) -> "Figures":
        """Of the rank of each answer, `[asked]`."""
        hits = ranks <= 10
        gains = np.where(hits, 1 / np.log2(1 + ranks), 0)
        return cls(*(float(values.mean()) for values in (hits, gains, 1 / ranks)))


def _ranks(scorer: Scorer, held: HeldOut) -> Iterator[Ranks]:
    for begin in range(0, len(held.asked), _AT_ONCE):
        sessions = held.asked[begin : begin + _AT_ONCE]
        scores = without(scorer(sessions), sessions)
        yield ranks_among(scores, held.answers[begin : begin + _AT_ONCE])


def without(scores: Scores, left_out: Sequence[Sequence[int]]) -> Scores:
    """Scores in which some items of each row, at least one of all rows, are below all others."""
    scores = scores.astype(np.float32, copy=True)
    rows = np.repeat(np.arange(len(left_out)), [len(one) for one in left_out])
    scores[rows, np.concatenate([np.array(one, np.int64) for one in left_out])] = -np.inf
    return scores


def ranks_among(scores: Scores, answers: Ids) -> Ranks:
    """The rank of each answer, from 1; equal scores share the mean of their ranks.

    Args:
      scores: `[asked, items]`
      answers: `[asked]`

    Returns:
      `[asked]`
    """
    own = scores[np.arange(len(scores)), answers, np.newaxis]
    above, equal = (scores > own).sum(1), (scores == own).sum(1) - 1
    ranks: Ranks = 1 + above + equal / 2
    return ranks
