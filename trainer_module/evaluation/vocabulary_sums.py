"""Sums over the whole vocabulary, near the speed of the matrix product that they begin with.

`losses.vocabulary_sums` defines them, keeps running maxima, and can be differentiated. Evaluation
needs the numbers alone, of millions of classes, and mostly of scores whose exponentials float32
holds. So here a score costs its product, one exponential and one log1p, whatever is asked for. What
float32 does not hold is seen afterwards, and summed by the definition.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf

from trainer_module.objectives import losses
from trainer_module.objectives.losses import VocabularySums

# Scores in memory at once: 2^20 float32 are 4 MiB, which stay in a processor's cache.
_SCORES_AT_ONCE = 1 << 20
# Classes whose exponentials float32 adds up one by one: more of them would cost digits.
_CLASSES_AT_ONCE = 1 << 12
# Exponentials below 1e-38 are taken for 0. Beside such a sum even a billion of them are nothing.
_LEAST_PARTITION = 1e-22

# Makes an op that is shown scores by the first bias, `[targets, classes]`, and the first one's id.
Visit = Callable[[tf.Tensor, tf.Tensor], tf.Operation]


def vocabulary_sums(
    inputs: tf.Tensor,
    weights: tf.Tensor,
    biases: Sequence[tf.Tensor],
    *,
    softplus: Sequence[bool],
    shift: tf.Tensor | None = None,
    visit: Visit | None = None,
) -> list[VocabularySums]:
    """As losses.vocabulary_sums, for several biases of the same products at once.

    Args:
      inputs: `[targets, dim]` float32, target vectors.
      weights: `[vocab, dim]` float32, context weights.
      biases: `[vocab]` float32 each.
      softplus: of which of them the sum of softplus is wanted; that of the others is 0.
      shift: `[targets]` float32, subtracted from all scores of a target; None for 0.
      visit: is shown all scores, some classes at a time; None: nobody looks.

    Returns:
      One for each of `biases`, `[targets]` float32 each.
    """
    biases = [tf.convert_to_tensor(bias) for bias in biases]
    partitions, softplus_sums = _sums(inputs, weights, biases, softplus, shift, visit)
    in_range = tf.reduce_all(
        tf.math.is_finite(partitions)
        & (partitions > _LEAST_PARTITION)
        & tf.math.is_finite(softplus_sums)
    )

    def defined() -> tuple[tf.Tensor, tf.Tensor]:
        found = [losses.vocabulary_sums(inputs, weights, bias, shift) for bias in biases]
        wanted = [
            one.softplus_sum * tf.cast(flag, tf.float32)
            for one, flag in zip(found, softplus, strict=True)
        ]
        return tf.stack([one.log_partition for one in found]), tf.stack(wanted)

    def computed() -> tuple[tf.Tensor, tf.Tensor]:
        logs = tf.math.log(partitions)
        return tf.cast(logs, tf.float32), tf.cast(softplus_sums, tf.float32)

    log_partitions, sums = tf.cond(in_range, computed, defined)
    return [VocabularySums(log_partitions[n], sums[n]) for n in range(len(biases))]


def _sums(
    inputs: tf.Tensor,
    weights: tf.Tensor,
    biases: Sequence[tf.Tensor],
    softplus: Sequence[bool],
    shift: tf.Tensor | None,
    visit: Visit | None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Sums of `exp(s)` and of `log1p(exp(s))`, `[biases, targets]` float64 each.

    The first bias and the shift are two more columns of the product, and the other biases factors
    of the exponentials: `exp(s + b') = exp(s + b) exp(b' - b)`.
    """
    num_targets, vocabulary_size = tf.shape(inputs)[0], tf.shape(weights)[0]
    ones = tf.ones([num_targets, 1])
    level = tf.zeros([num_targets, 1]) if shift is None else -shift[:, tf.newaxis]
    inputs = tf.concat([inputs, ones, level], 1)
    factors = tf.exp(tf.stack([bias - biases[0] for bias in biases], 1))  # [vocab, biases]
    chunk = tf.clip_by_value(_SCORES_AT_ONCE // tf.maximum(num_targets, 1), 1, _CLASSES_AT_ONCE)

    def add_chunk(
        start: tf.Tensor, partitions: tf.Tensor, softplus_sums: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        some = slice(start, start + chunk)
        bias, factor = biases[0][some, tf.newaxis], factors[some]
        classes = tf.concat([weights[some], bias, tf.ones_like(bias)], 1)
        scores = tf.matmul(inputs, classes, transpose_b=True)
        with tf.control_dependencies([visit(scores, start)] if visit else []):
            exponentials = tf.exp(scores)
        # Sums as products with a vector are the fastest that TensorFlow has.
        found = []
        for nth, wanted in enumerate(softplus):
            if not wanted:
                found.append(tf.zeros([num_targets]))
                continue
            scaled = exponentials * factor[:, nth] if nth else exponentials
            found.append(tf.matmul(tf.math.log1p(scaled), tf.ones_like(bias))[:, 0])
        return (
            start + chunk,
            partitions + tf.cast(tf.matmul(exponentials, factor), tf.float64),
            softplus_sums + tf.cast(tf.stack(found, 1), tf.float64),
        )

    zeros = tf.zeros([num_targets, len(biases)], tf.float64)
    _, partitions, softplus_sums = tf.while_loop(
        lambda start, *_: start < vocabulary_size,
        add_chunk,
        (0, zeros, zeros),
        parallel_iterations=1,
    )
    return tf.transpose(partitions), tf.transpose(softplus_sums)
