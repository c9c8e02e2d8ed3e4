"""Samplers: which classes stand in for the whole vocabulary, and how often each is expected to.

TensorFlow's candidate samplers keep their random state inside the op, so a run that is killed and
goes on would draw other candidates than an undisturbed one. Here a step's candidates are a function
of the seed alone.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

# Stands for "every class was met": any probability that float32 tells from zero at a vocabulary's
# scale is then expected exactly once. Half of int64's range, so that a sum with it is in range.
ENDLESS_TRIES = 1 << 62


class SampledCandidates(NamedTuple):
    """One set of candidates, or one set for each pair."""

    classes: tf.Tensor  # [num_sampled] or [pairs, num_sampled] int64
    num_tries: tf.Tensor  # [] int64, the draws that it took; num_sampled with replacement


class Sampler:
    """Draws classes of a fixed distribution, with replacement or distinct ones.

    Example:
      >>> from trainer_module.objectives.candidate_sampling import Sampler
      >>> from trainer_module.objectives.distributions import uniform_probabilities
      >>> sampler = Sampler(uniform_probabilities(4), replacement=True)
      >>> drawn = sampler.draw(2, seed=[1, 7])
      >>> drawn.classes.shape
      TensorShape([2])
      >>> print(sampler.expected_count([0, 3], drawn).numpy())  # two draws, each one of four
      [0.5 0.5]
      >>> distinct = Sampler(uniform_probabilities(4), replacement=False)
      >>> print(distinct.draw(4, seed=[1, 7]).classes.numpy())  # each class there is
      [0 1 2 3]
    """

    def __init__(
        self,
        probabilities: npt.NDArray[np.float64],
        *,
        replacement: bool,
        inverse: Callable[[tf.Tensor], tf.Tensor] | None = None,
    ) -> None:
        """Puts the distribution's tables where any graph can capture them.

        Args:
          probabilities: `[vocab]`, positive, of one draw; they sum to 1.
          replacement: whether a class may be drawn more than once into a set.
          inverse: `[draws]` float64 uniform numbers to `[draws]` int32 classes, where a formula
            does it faster than the table.

        Raises:
          ValueError: a probability is not positive, or they do not sum to 1.
        """
        _check_probabilities(probabilities)
        self.replacement = replacement
        self._inverse = inverse or self._inverse_by_table
        self._vocabulary_size = len(probabilities)
        self._block_sizes: dict[int, int] = {}
        cumulative = np.cumsum(probabilities, dtype=np.float64)
        with tf.init_scope():  # eager, so that a graph captures the tables instead of copying them
            # Ends in exactly 1, which no uniform number reaches: no draw is beyond the last class.
            # float64: in float32 neighbouring classes of a large vocabulary share one number.
            self._cumulative = tf.constant(cumulative / cumulative[-1], tf.float64)
            self._probabilities = tf.constant(probabilities, tf.float32)

    @property
    def vocabulary_size(self) -> int:
        """Number of classes."""
        return self._vocabulary_size

    def draw(self, num_sampled: int, seed: tf.Tensor) -> SampledCandidates:
        """Draws one set of candidates.

        Args:
          num_sampled: candidates in the set.
          seed: `[2]` int64; the same seed draws the same candidates.

        Returns:
          Classes `[num_sampled]`. Distinct ones are the first of an endless sequence of draws, and
          `num_tries` says how many draws that took.

        Raises:
          ValueError: more distinct candidates are asked for than there are classes.
        """
        if self.replacement:
            classes = tf.cast(self._draws([num_sampled], seed), tf.int64)
            return SampledCandidates(classes, tf.constant(num_sampled, tf.int64))
        if num_sampled > self._vocabulary_size:
            raise ValueError(
                f"{num_sampled} distinct candidates cannot be drawn from "
                f"{self._vocabulary_size} classes"
            )
        if num_sampled == self._vocabulary_size:
            return SampledCandidates(
                tf.range(num_sampled, dtype=tf.int64), tf.constant(ENDLESS_TRIES)
            )
        return self._draw_distinct(num_sampled, seed)

    def draw_for_each(
        self, num_pairs: tf.Tensor, num_sampled: int, seed: tf.Tensor
    ) -> SampledCandidates:
        """Draws a set of candidates of its own for each pair.

        Args:
          num_pairs: `[]` integer.
          num_sampled: candidates in each set.
          seed: `[2]` int64; the same seed draws the same candidates.

        Returns:
          Classes `[pairs, num_sampled]`; `num_tries` is that of one set.

        Raises:
          ValueError: the sampler draws distinct classes.
        """
        if not self.replacement:
            raise ValueError("Candidates for each pair are drawn with replacement only")
        classes = tf.cast(self._draws([num_pairs, num_sampled], seed), tf.int64)
        return SampledCandidates(classes, tf.constant(num_sampled, tf.int64))

    def expected_count(self, classes: tf.Tensor, drawn: SampledCandidates) -> tf.Tensor:
        """How often each class is expected in one set like `drawn`.

        `num_sampled * p`; of distinct classes `1 - (1 - p)^num_tries` unless no draw repeated
        another, as TensorFlow's samplers compute it.

        Args:
          classes: `[...]` integers in [0, vocabulary_size).
          drawn: what `draw`, `draw_for_each` or `draw_in_batch` returned.

        Returns:
          `[...]` float32.
        """
        num_sampled = drawn.classes.shape[-1]
        probability = tf.gather(self._probabilities, classes)
        direct = probability * float(num_sampled)
        if self.replacement:
            return direct
        tries = tf.cast(drawn.num_tries, tf.float32)
        distinct = -tf.math.expm1(tries * tf.math.log1p(-probability))
        return tf.where(drawn.num_tries == num_sampled, direct, distinct)

    def _draws(self, shape: list[int | tf.Tensor], seed: tf.Tensor) -> tf.Tensor:
        """`shape` int32: the inverse of the distribution function, applied to uniform numbers."""
        uniforms = tf.random.stateless_uniform(shape, seed, dtype=tf.float64)
        flat = self._inverse(tf.reshape(uniforms, [-1]))
        return tf.reshape(flat, tf.shape(uniforms)) if len(shape) > 1 else flat

    def _inverse_by_table(self, uniforms: tf.Tensor) -> tf.Tensor:
        return tf.searchsorted(self._cumulative, uniforms, side="right")

    def _draw_distinct(self, num_sampled: int, seed: tf.Tensor) -> SampledCandidates:
        """The first `num_sampled` distinct classes of an endless sequence of draws."""
        block_size = self._block_size(num_sampled)
        # `order` numbers each draw's class by first appearance.
        distinct, order = tf.unique(self._draws([block_size], seed))

        def enough() -> tuple[tf.Tensor, tf.Tensor]:
            last = tf.argmax(tf.equal(order, num_sampled - 1), output_type=tf.int64)
            return distinct[:num_sampled], last + 1

        def too_few() -> tuple[tf.Tensor, tf.Tensor]:
            winners, tries = self._race(num_sampled - tf.size(distinct), distinct, seed)
            return tf.concat([distinct, winners], 0), tries + block_size

        classes, num_tries = tf.cond(tf.size(distinct) >= num_sampled, enough, too_few)
        return SampledCandidates(
            tf.cast(tf.ensure_shape(classes, [num_sampled]), tf.int64), num_tries
        )

    def _race(
        self, num_wanted: tf.Tensor, taken: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Goes on drawing until `num_wanted` more classes are met, without the single draws.

        Exact at a cost that does not depend on how rare the classes are. Classes first appear in
        the order of exponential arrival times of rate p, and while those not yet met have a mass
        of s together, the number of draws until the next one is geometric:
        `1 + floor(log(u) / log(1 - s))`.

        Args:
          num_wanted: `[]` int32, at least 1.
          taken: `[any]` int32, the distinct classes that were met before.
          seed: `[2]` int64.

        Returns:
          `[num_wanted]` int32 and `[]` int64, the number of draws.
        """
        arrival_seed, gap_seed = tf.unstack(tf.random.split(seed, 2))
        rates = _zero_at(tf.cast(self._probabilities, tf.float64), taken)
        arrivals = _log_uniforms(tf.shape(rates), arrival_seed) / rates  # negative: soonest is top
        arrivals = tf.where(rates > 0, arrivals, -np.inf)
        winners = tf.math.top_k(arrivals, num_wanted).indices
        never_met = tf.reduce_sum(_zero_at(rates, winners))
        masses = never_met + tf.cumsum(tf.gather(rates, winners), reverse=True)
        # Float sums of float32 probabilities may be a little above 1.
        log_misses = tf.math.log1p(-tf.minimum(masses, tf.constant(1.0, tf.float64)))
        gaps = 1.0 + tf.floor(_log_uniforms(tf.shape(masses), gap_seed) / log_misses)
        tries = tf.minimum(tf.reduce_sum(gaps), float(ENDLESS_TRIES))
        return winners, tf.cast(tries, tf.int64)

    def _block_size(self, num_sampled: int) -> int:
        """Draws that hold `num_sampled` distinct classes all but surely, or about vocab draws."""
        if num_sampled not in self._block_sizes:
            self._block_sizes[num_sampled] = _find_block_size(
                self._probabilities.numpy(), num_sampled
            )
        return self._block_sizes[num_sampled]


def draw_in_batch(
    contexts: tf.Tensor, num_sampled: int, seed: tf.Tensor, *, replacement: bool
) -> SampledCandidates:
    """Draws the contexts of pairs of the batch, each pair as likely as another.

    A class is thus as likely as it is frequent among contexts: the expected count is that of a
    sampler of unigram probabilities of power 1.

    Args:
      contexts: `[pairs]` int64; without any, every candidate is class 0.
      num_sampled: candidates in the set.
      seed: `[2]` int64; the same seed draws the same pairs.
      replacement: whether a pair may be drawn more than once. If not, and there are fewer pairs
        than candidates, every pair is drawn before any is drawn again. Either way a class can be
        there more than once, as it can be the context of several pairs.

    Returns:
      Classes `[num_sampled]`.
    """
    contexts = tf.pad(contexts, [[0, tf.cast(tf.equal(tf.size(contexts), 0), tf.int32)]])
    num_pairs = tf.size(contexts)
    if replacement:
        positions = tf.random.stateless_uniform(
            [num_sampled], seed, minval=0, maxval=num_pairs, dtype=tf.int32
        )
    else:
        num_distinct = tf.minimum(num_pairs, num_sampled)
        # float64: equal numbers, which float32 has often, would favour the earlier pair.
        keys = tf.random.stateless_uniform([num_pairs], seed, dtype=tf.float64)
        order = tf.math.top_k(keys, num_distinct).indices
        positions = tf.gather(order, tf.range(num_sampled) % num_distinct)
    return SampledCandidates(tf.gather(contexts, positions), tf.constant(num_sampled, tf.int64))


def times_drawn(classes: tf.Tensor, drawn: SampledCandidates) -> tf.Tensor:
    """How often each class is among the candidates.

    Args:
      classes: any shape, integers.
      drawn: one set of candidates, or one for each pair, of which all are taken together.

    Returns:
      Of the same shape, float32.
    """
    rising = tf.sort(tf.cast(tf.reshape(drawn.classes, [-1]), tf.int32))
    flat = tf.reshape(tf.cast(classes, tf.int32), [-1])
    times = tf.searchsorted(rising, flat, side="right") - tf.searchsorted(rising, flat)
    return tf.cast(tf.reshape(times, tf.shape(classes)), tf.float32)


def _check_probabilities(probabilities: npt.NDArray[np.float64]) -> None:
    smallest, total = np.min(probabilities, initial=np.inf), np.sum(probabilities)
    if not smallest > 0:
        raise ValueError(f"Probabilities must be positive, but one is {smallest}")
    if not abs(total - 1.0) <= 1e-6:
        raise ValueError(f"Probabilities must sum to 1, but they sum to {total}")


def _find_block_size(probabilities: npt.NDArray[np.float32], num_sampled: int) -> int:
    """The smallest of a few sizes whose draws hold `num_sampled` classes but for 5 sigma."""
    block_size = num_sampled + num_sampled // 4 + 1
    while block_size < len(probabilities):
        missing = np.exp(-block_size * probabilities.astype(np.float64))
        deviation = np.sqrt(np.sum(missing * (1.0 - missing)))
        if np.sum(1.0 - missing) - 5.0 * deviation >= num_sampled:
            break
        block_size += block_size // 4 + 1
    return block_size


def _log_uniforms(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Logarithms of float64 uniform numbers in (0, 1]."""
    return tf.math.log1p(-tf.random.stateless_uniform(shape, seed, dtype=tf.float64))


def _zero_at(values: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    zeros = tf.zeros(tf.shape(positions), values.dtype)
    return tf.tensor_scatter_nd_update(values, positions[:, tf.newaxis], zeros)
