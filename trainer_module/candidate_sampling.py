"""Samplers: which classes stand in for the whole vocabulary, and how often each is expected to.

`tf.random.log_uniform_candidate_sampler` keeps its random state inside the op, so a run that is
killed and goes on would draw other candidates than an undisturbed one. Here a step's candidates are
a function of the seed and the step.
"""

from typing import NamedTuple

import tensorflow as tf


class Candidates(NamedTuple):
    """What `tf.nn.nce_loss` and `tf.nn.sampled_softmax_loss` take as `sampled_values`."""

    sampled: tf.Tensor  # [num_sampled] int64, distinct classes
    true_expected_count: tf.Tensor  # [batch, 1] float32
    sampled_expected_count: tf.Tensor  # [num_sampled] float32


def log_uniform_probability(classes: tf.Tensor, vocabulary_size: int) -> tf.Tensor:
    """`P(c) = log((c + 2) / (c + 1)) / log(vocab + 1)`: Zipf's law on ids by falling frequency.

    Args:
      classes: `[...]` integers in [0, vocabulary_size).
      vocabulary_size: number of classes.

    Returns:
      `[...]` float32.
    """
    rank = tf.cast(classes, tf.float32)
    return tf.math.log1p(1.0 / (rank + 1.0)) / tf.math.log1p(float(vocabulary_size))


def expected_count(probability: tf.Tensor, num_tries: tf.Tensor, num_sampled: int) -> tf.Tensor:
    """How often a class is among `num_sampled` distinct ones that took `num_tries` draws.

    `1 - (1 - p)^num_tries`; `num_sampled * p` if no draw repeated another. As TensorFlow's samplers
    compute it.

    Args:
      probability: `[...]` float32, of one draw.
      num_tries: `[]` int64, at least num_sampled.
      num_sampled: distinct classes drawn.

    Returns:
      `[...]` float32.
    """
    tries = tf.cast(num_tries, tf.float32)
    distinct = -tf.math.expm1(tries * tf.math.log1p(-probability))
    return tf.where(num_tries == num_sampled, probability * num_sampled, distinct)


def log_uniform(
    true_classes: tf.Tensor, *, num_sampled: int, vocabulary_size: int, seed: tf.Tensor
) -> Candidates:
    """Draws distinct candidates, log-uniform, and the expected counts for logQ correction.

    Args:
      true_classes: `[batch, 1]` int64, each pair's context.
      num_sampled: distinct candidates; at most vocabulary_size.
      vocabulary_size: number of classes, ids by falling frequency.
      seed: `[2]` int64; the same seed draws the same candidates.

    Raises:
      ValueError: more candidates are asked for than there are classes.
    """
    if num_sampled > vocabulary_size:
        raise ValueError(
            f"{num_sampled} distinct candidates cannot be drawn from {vocabulary_size} classes"
        )
    sampled, num_tries = _distinct_log_uniform(num_sampled, vocabulary_size, seed)

    def count(classes: tf.Tensor) -> tf.Tensor:
        probability = log_uniform_probability(classes, vocabulary_size)
        return expected_count(probability, num_tries, num_sampled)

    return Candidates(sampled, count(true_classes), count(sampled))


def _log_uniform_draws(num_draws: int, vocabulary_size: int, seed: tf.Tensor) -> tf.Tensor:
    """`[num_draws]` int64: the inverse of the distribution function, applied to uniform numbers."""
    # float64: in float32 neighbouring classes of a large vocabulary share one number.
    uniforms = tf.random.stateless_uniform([num_draws], seed, dtype=tf.float64)
    log_range = tf.math.log1p(tf.constant(vocabulary_size, tf.float64))
    drawn = tf.cast(tf.exp(uniforms * log_range), tf.int64) - 1
    return tf.minimum(drawn, vocabulary_size - 1)  # exp may round up at the end of the range


def _distinct_log_uniform(
    num_sampled: int, vocabulary_size: int, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The first `num_sampled` distinct classes of an endless sequence of draws.

    Returns:
      `[num_sampled]` int64 and `[]` int64, the number of draws that it took.
    """
    block = 4 * num_sampled  # nearly always enough: num_sampled is small beside the vocabulary

    def draw(draws: tf.Tensor, blocks: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        more = _log_uniform_draws(block, vocabulary_size, seed + tf.stack([blocks * (1 << 40), 0]))
        return tf.concat([draws, more], 0), blocks + 1

    def too_few(draws: tf.Tensor, blocks: tf.Tensor) -> tf.Tensor:
        del blocks
        return tf.size(tf.unique(draws)[0]) < num_sampled

    draws, _ = tf.while_loop(
        too_few,
        draw,
        draw(tf.zeros([0], tf.int64), tf.constant(0, tf.int64)),
        shape_invariants=(tf.TensorShape([None]), tf.TensorShape([])),
    )
    distinct, order = tf.unique(draws)
    # `order` numbers each draw's class by first appearance: its first num_sampled - 1 ends the set.
    last = tf.argmax(tf.equal(order, num_sampled - 1), output_type=tf.int64)
    return tf.ensure_shape(distinct[:num_sampled], [num_sampled]), last + 1
