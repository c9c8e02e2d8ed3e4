"""Which targets are summed over the vocabulary where all are too many, and what stands for others.

A pair's cross-entropy is a number z of its target, a sum over the whole vocabulary, less its score.
The scores are cheap and taken of all pairs. With more targets than can be summed, each is drawn
with a probability of its own, by a hash of its token, so that every worker decides alone and alike,
and two models sum the same targets. What stands for z is then

    typical + (z - typical) / probability   of a target that was drawn,
    typical                                 of one that was not,

which is z on average over the draws, whatever `typical` is (the difference estimator; Särndal,
Swensson and Wretman, "Model assisted survey sampling", 1992, chapter 6). So every mean over pairs
stays unbiased, and the nearer z is to `typical` the smaller its error.

The error needs the pairs of each target over all documents. A sketch gives it in few numbers that
add up over documents: a target's part goes into one of some buckets, with a sign, both by its hash.
On average over signs the squares of the buckets sum to the variance, as all products of two targets
cancel (Alon, Matias and Szegedy 1996; Charikar, Chen and Farach-Colton 2002).
"""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module.evaluation import cross_entropies
from trainer_module.evaluation.saved_model import ModelSettings
from trainer_module.text import hashing, subsampling
from trainer_module.vocabulary import Vocabulary

Numbers = npt.NDArray[np.float64]
Compute = Callable[[tf.Tensor], tf.Tensor]

# Of a sketch: the error that it gives is itself off by a sixteenth, sqrt(2 / 256) / 2, at most.
BUCKETS = 256
# Drawn targets of which the typical sums are the mean.
_PILOTS = 256
# Which of a token's random numbers is drawn.
_DRAW_STREAM = 1
_PLACE_STREAM = 2


def expected_occurrences(vocabulary: Vocabulary, settings: ModelSettings) -> Numbers:
    """`[vocab]`, how often each token is expected to be a target among the held-out documents.

    Of text a share of the documents is held out, and so of the tokens. Of other kinds pairs are,
    each with a target of its own: a session has one of them however long it is, and walks pass an
    edge many times.
    """
    frequencies = tf.constant(vocabulary.frequencies, tf.float64)
    keep = subsampling.keep_probability(frequencies, settings.subsample).numpy()
    kept: Numbers = vocabulary.counts * keep
    if settings.kind == "text":
        return np.asarray(kept * settings.eval_fraction, np.float64)
    return np.asarray(kept * (settings.held_out_pairs / kept.sum()), np.float64)


def probabilities(expected: Numbers, max_targets: int) -> Numbers:
    """With which each target is drawn; all 1 where no more are expected than may be summed.

    They are in proportion to `1 + expected`, and 1 where that is more. A target that occurs at all
    occurs about so often, and the error of a mean over pairs is least where targets are drawn in
    proportion to their pairs.

    Args:
      expected: `[vocab]`, expected_occurrences.
      max_targets: how many may be summed.

    Returns:
      `[vocab]`. Of the targets that occur, `max_targets` are expected to be drawn.

    >>> probabilities(np.array([1000.0, 99.0, 99.0, 99.0, 99.0]), 2).round(4).tolist()
    [1.0, 0.25, 0.25, 0.25, 0.25]
    """
    occurring = -np.expm1(-expected)  # of a Poisson distribution
    if occurring.sum() <= max_targets:
        return np.ones(len(expected))
    sizes = 1 + expected
    order = np.argsort(-sizes, kind="stable")
    # If all before the n-th are certain, the others share what is left in proportion to their size.
    certain = np.cumsum(occurring[order]) - occurring[order]
    others = np.cumsum((occurring * sizes)[order][::-1])[::-1]
    rates = (max_targets - certain) / others
    first_uncertain = int(np.argmax(rates * sizes[order] < 1))
    return np.asarray(np.minimum(1, rates[first_uncertain] * sizes), np.float64)


def draws(tokens: Sequence[bytes], seed: int) -> Numbers:
    """`[vocab]`, uniform in [0, 1): a target is drawn where it is below its probability."""
    return _numbers(tokens, seed, _DRAW_STREAM)


def _numbers(tokens: Sequence[bytes], seed: int, stream: int) -> Numbers:
    each, zeros = tf.range(len(tokens)), tf.zeros(len(tokens), tf.int64)
    hashes = hashing.document_hashes(tf.constant(tokens), zeros)
    return np.asarray(hashing.uniform(hashes, each, zeros, seed=seed, stream=stream))


class DrawnTargets(tf.Module):
    """A model's targets, each summed when it is first met; all, until `draw` says otherwise."""

    def __init__(
        self,
        sums: tf.Variable,
        probabilities: tf.Variable,
        typical: tf.Variable,
        places: tf.Variable,
        compute: Compute,
    ):
        """Takes variables as they are.

        Args:
          sums: `[vocab, sums]`, what stands for the sums of each target; NaN: it was not met yet.
          probabilities: `[vocab]`, with which each was drawn.
          typical: `[sums]`, what stands for the sums of those that were not drawn.
          places: `[vocab]` int32, 2 * bucket of the sketch, and 1 more for a minus.
          compute: gives the sums of some targets, `[targets]` ids to `[targets, sums]`.
        """
        super().__init__()
        self.sums, self.probabilities = sums, probabilities
        self.typical, self.places = typical, places
        self._compute = compute

    @classmethod
    def all_of(cls, vocabulary_size: int, num_sums: int, compute: Compute) -> Self:
        """All targets of a model, none of them met yet."""
        sums, probabilities, typical, places = (
            tf.Variable(start, trainable=False)
            for start in (
                tf.fill([vocabulary_size, num_sums], float("nan")),
                tf.ones([vocabulary_size]),
                tf.zeros([num_sums]),
                tf.zeros([vocabulary_size], tf.int32),
            )
        )
        return cls(sums, probabilities, typical, places, compute)

    @classmethod
    def of_loaded(cls, loaded: Any, compute: Compute) -> Self:
        """Those of a model that tf.saved_model.load gave, which looks at the same variables."""
        return cls(loaded.sums, loaded.probabilities, loaded.typical, loaded.places, compute)

    def __call__(self, targets: tf.Tensor) -> tf.Tensor:
        """What stands for the sums of the pairs' targets: `[pairs]` ids to `[pairs, sums]`."""
        return cross_entropies.remembered(self.sums, targets, self.standing)

    def standing(self, targets: tf.Tensor) -> tf.Tensor:
        """The same of drawn targets, each of which is summed: `[targets]` to `[targets, sums]`."""
        drawn_with = tf.gather(self.probabilities, targets)[:, tf.newaxis]
        return self.typical + (self._compute(targets) - self.typical) / drawn_with

    def remember(self, targets: tf.Tensor, standing: tf.Tensor) -> None:
        """Takes what stands for the sums of targets, which somebody else has computed."""
        self.sums.scatter_update(tf.IndexedSlices(standing, targets))

    def sketch(
        self,
        standing: tf.Tensor,
        targets: tf.Tensor,
        documents: tf.Tensor,
        num_documents: tf.Tensor,
    ) -> tf.Tensor:
        """The sketches of documents' sums over pairs, all 0 where every target is drawn.

        Args:
          standing: `[pairs, sums]`, what stands for the sums of the pairs' targets.
          targets: `[pairs]` ids.
          documents: `[pairs]`, which one each pair is of.
          num_documents: `[]`.

        Returns:
          `[num_documents, BUCKETS, sums]`.
        """
        # Of a drawn target the variance of what stands for z is estimated by (1 - p) times the
        # square of its distance from typical; of the others that distance is 0.
        share = tf.sqrt(1 - tf.gather(self.probabilities, targets))
        places = tf.gather(self.places, targets)
        signed = share * tf.cast(1 - 2 * (places % 2), tf.float32)
        num_documents = tf.cast(num_documents, tf.int32)
        found = tf.math.unsorted_segment_sum(
            signed[:, tf.newaxis] * (standing - self.typical),
            tf.cast(documents, tf.int32) * BUCKETS + places // 2,
            num_documents * BUCKETS,
        )
        return tf.reshape(found, [num_documents, BUCKETS, tf.shape(standing)[1]])

    def draw(self, tokens: Sequence[bytes], drawn_with: Numbers, *, seed: int) -> None:
        """Draws targets, before the first is met.

        Args:
          tokens: `[vocab]`.
          drawn_with: `[vocab]`, probabilities.
          seed: of the draws.
        """
        if (drawn_with >= 1).all():
            return
        drawn, places = draws(tokens, seed), _numbers(tokens, seed, _PLACE_STREAM)
        is_drawn = drawn < drawn_with
        # Of those that stand for others, spread over frequent and rare ones.
        uncertain = np.flatnonzero(is_drawn & (drawn_with < 1))
        pilots = uncertain[:: max(len(uncertain) // _PILOTS, 1)][:_PILOTS]
        if len(pilots):
            self.typical.assign(tf.reduce_mean(self._compute(tf.constant(pilots, tf.int32)), 0))
        self.probabilities.assign(drawn_with.astype(np.float32))
        self.places.assign((places * 2 * BUCKETS).astype(np.int32))
        met = np.where(is_drawn[:, np.newaxis], np.float32("nan"), self.typical.numpy())
        self.sums.assign(met)
