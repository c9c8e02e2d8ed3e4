"""At which rank each held-out context stands among all classes, by the scores of its target.

The rank of a context c is 1, and 1 more for each class with a higher score, and 1/2 more for each
other class with the same one: the mean of the ranks that those which are equal share. It is exact,
over all classes. Ranks among a sample of the classes are other figures, which can put two models in
the wrong order (Krichene and Rendle, "On sampled metrics for item recommendation", 2022).
"""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Ids = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]
Ranks = npt.NDArray[np.float64]

# Contexts of a target from which on it is cheaper to sort its scores than to hold all of them
# against each context.
_SORTED_FROM = 16
# Scores that are held against contexts at once: 512 KiB, so that they stay in a core's cache.
_SCORES_AT_ONCE = 1 << 17


class RankCounter:
    """Counts the classes above contexts and equal to them, some classes at a time."""

    def __init__(self, rows: Ids, contexts: Ids, scores: Scores):
        """Takes the contexts, of which nothing is counted yet.

        Args:
          rows: `[pairs]`, rising: which row of the scores each pair's target has. A row has no
            fewer contexts than the next one.
          contexts: `[pairs]` ids of classes.
          scores: `[pairs]`, of the pairs themselves.
        """
        self._rows, self._contexts, self._scores = rows, contexts, scores
        self._above, self._equal = np.zeros([2, len(rows)], np.int64)
        numbers = np.bincount(rows)
        if (np.diff(numbers) > 0).any():
            raise ValueError("rows must come by their number of contexts, the most first")
        self._starts = np.concatenate([[0], np.cumsum(numbers)])
        self._num_sorted = int((numbers >= _SORTED_FROM).sum())
        few = numbers[self._num_sorted :]
        # Of those with few: how many of them have a first context, a second one, and so on.
        self._with_nth = [int((few > nth).sum()) for nth in range(few.max(initial=0))]

    def add(self, scores: Scores, start: int) -> None:
        """Counts among some classes: `scores` is `[rows, classes]` of those from `start` on."""
        self._add_sorted(scores[: self._num_sorted])
        self._add_compared(scores[self._num_sorted :])
        # A context is not above itself. Its score here may differ in the last digit from the one
        # that it is held against, which another sum has given.
        here = (self._contexts >= start) & (self._contexts < start + scores.shape[1])
        itself = scores[self._rows[here], self._contexts[here] - start]
        self._above[here] -= itself > self._scores[here]
        self._equal[here] -= itself == self._scores[here]

    def _add_sorted(self, scores: Scores) -> None:
        for row, ordered in enumerate(np.sort(scores, axis=1)):
            pairs = slice(self._starts[row], self._starts[row + 1])
            below, up_to = (
                np.searchsorted(ordered, self._scores[pairs], side) for side in ("left", "right")
            )
            self._above[pairs] += len(ordered) - up_to
            self._equal[pairs] += up_to - below

    def _add_compared(self, scores: Scores) -> None:
        at_once = max(_SCORES_AT_ONCE // max(scores.shape[1], 1), 1)
        for first in range(0, len(scores), at_once):
            some = scores[first : first + at_once]
            flags = np.empty(some.shape, np.bool_)
            for nth, with_nth in enumerate(self._with_nth):
                number = min(with_nth - first, at_once)
                if number <= 0:
                    break
                pairs = self._starts[self._num_sorted + first :][:number] + nth
                own = self._scores[pairs, np.newaxis]
                self._above[pairs] += _count(np.greater(some[:number], own, out=flags[:number]))
                self._equal[pairs] += _count(np.equal(some[:number], own, out=flags[:number]))

    def ranks(self) -> Ranks:
        """`[pairs]`; no number where the score is none."""
        found = 1 + self._above + self._equal / 2
        return np.where(np.isfinite(self._scores), found, np.nan)


def _count(flags: npt.NDArray[np.bool_]) -> Ids:
    """How many of each row are set. As bits, which is eight times as fast as a sum."""
    counted: Ids = np.bitwise_count(np.packbits(flags, axis=1)).sum(axis=1, dtype=np.int64)
    return counted


class Visitor:
    """An op that shows scores to whoever counts, in a graph that is traced once."""

    def __init__(self) -> None:
        """Nobody counts yet."""
        self.counter: RankCounter | None = None

    def __call__(self, scores: tf.Tensor, start: tf.Tensor) -> tf.Operation:
        """See vocabulary_sums."""
        return tf.numpy_function(self._show, [scores, start], [])

    def _show(self, scores: Scores, start: int) -> None:
        if self.counter is not None:
            self.counter.add(scores, int(start))
