"""The losses over the whole vocabulary: what evaluation reports, and objectives without sampling.

Training by them takes the gradients of sigmoid_family and softmax_family, with every class a
candidate once.
"""

from typing import NamedTuple

import tensorflow as tf

from trainer_module.objectives import _parts

# Scores in memory at once: 2^23 float32 are 32 MiB, small beside the tables they come from.
_SCORES_AT_ONCE = 1 << 23


class VocabularySums(NamedTuple):
    """What the full cross-entropies need of a target: a number each, whatever the context."""

    log_partition: tf.Tensor  # [targets]: log sum_j exp(s_tj)
    softplus_sum: tf.Tensor  # [targets]: sum_j log(1 + exp(s_tj))


def vocabulary_sums(
    inputs: tf.Tensor, weights: tf.Tensor, biases: tf.Tensor, shift: tf.Tensor | None = None
) -> VocabularySums:
    """Sums over the whole vocabulary, a chunk of it at a time so that memory stays bounded.

    Under a gradient tape the scores of all chunks are kept for the way back, `targets * vocab`.

    Example:
      >>> from trainer_module.objectives import losses
      >>> weights, biases = [[0.0], [0.0], [0.0], [0.0]], [0.0, 0.0, 0.0, 0.0]  # four like classes
      >>> sums = losses.vocabulary_sums([[1.0]], weights, biases)
      >>> print(sums.log_partition.numpy().round(4))  # ln 4
      [1.3863]
      >>> print(sums.softplus_sum.numpy().round(4))  # 4 ln 2
      [2.7726]

    Args:
      inputs: `[targets, dim]` float32, target vectors.
      weights: `[vocab, dim]` float32, context weights.
      biases: `[vocab]` float32, context biases.
      shift: `[targets]` float32, subtracted from all scores of a target: `s_tj - shift_t` stands
        for s_tj. None for 0.

    Returns:
      Two `[targets]` float32. Exact but for rounding: running maxima keep the exponentials in
      range, and softplus does not overflow.

    Raises:
      ValueError: shapes that do not fit.
    """
    # Read and converted once; a variable would otherwise be read again for each chunk.
    inputs, weights, biases = (tf.cast(x, tf.float32) for x in (inputs, weights, biases))
    shift = tf.zeros(tf.shape(inputs)[:1]) if shift is None else tf.cast(shift, tf.float32)
    _parts.check_shapes(
        inputs=(inputs, "targets dim"),
        weights=(weights, "vocab dim"),
        biases=(biases, "vocab"),
        shift=(shift, "targets"),
    )
    num_targets, vocabulary_size = tf.shape(inputs)[0], tf.shape(weights)[0]
    chunk = tf.maximum(_SCORES_AT_ONCE // tf.maximum(num_targets, 1), 1)

    def add_chunk(
        start: tf.Tensor, log_partition: tf.Tensor, softplus_sum: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        rows = slice(start, start + chunk)
        scores = tf.matmul(inputs, weights[rows], transpose_b=True) + biases[rows]
        scores -= shift[:, tf.newaxis]
        both = tf.stack([log_partition, tf.reduce_logsumexp(scores, axis=1)])
        softplus = tf.reduce_sum(tf.nn.softplus(scores), axis=1)
        return start + chunk, tf.reduce_logsumexp(both, axis=0), softplus_sum + softplus

    _, log_partition, softplus_sum = tf.while_loop(
        lambda start, *_: start < vocabulary_size,
        add_chunk,
        (0, tf.fill([num_targets], -float("inf")), tf.zeros([num_targets])),
        parallel_iterations=1,
    )
    return VocabularySums(log_partition, softplus_sum)


def full_softmax_cross_entropy(
    inputs: tf.Tensor, contexts: tf.Tensor, weights: tf.Tensor, biases: tf.Tensor
) -> tf.Tensor:
    """`-log softmax(s_t)_c = log sum_j exp(s_tj) - s_tc`, j over the vocabulary.

    Example:
      >>> from trainer_module.objectives import losses
      >>> weights, biases = [[0.0], [0.0], [0.0], [0.0]], [0.0, 0.0, 0.0, 0.0]  # four like classes
      >>> loss = losses.full_softmax_cross_entropy([[1.0]], [2], weights, biases)
      >>> print(loss.numpy().round(4))  # ln 4
      [1.3863]

    Args:
      inputs: `[batch, dim]` float32, the target vector of each pair.
      contexts: `[batch]` ints, the context of each pair.
      weights: `[vocab, dim]` float32, context weights.
      biases: `[vocab]` float32, context biases.

    Returns:
      `[batch]` float32, in nats.

    Raises:
      ValueError: shapes that do not fit.
    """
    scores = _pair_scores(inputs, contexts, weights, biases)
    return vocabulary_sums(inputs, weights, biases).log_partition - scores


def full_sigmoid_cross_entropy(
    inputs: tf.Tensor, contexts: tf.Tensor, weights: tf.Tensor, biases: tf.Tensor
) -> tf.Tensor:
    """`-log sigmoid(s_tc) - sum_{j != c} log(1 - sigmoid(s_tj)) = sum_j softplus(s_tj) - s_tc`.

    Example:
      >>> from trainer_module.objectives import losses
      >>> weights, biases = [[0.0], [0.0], [0.0], [0.0]], [0.0, 0.0, 0.0, 0.0]  # four like classes
      >>> loss = losses.full_sigmoid_cross_entropy([[1.0]], [2], weights, biases)
      >>> print(loss.numpy().round(4))  # 4 ln 2: a coin toss a class
      [2.7726]

    Args:
      inputs: `[batch, dim]` float32, the target vector of each pair.
      contexts: `[batch]` ints, the context of each pair.
      weights: `[vocab, dim]` float32, context weights.
      biases: `[vocab]` float32, context biases.

    Returns:
      `[batch]` float32, in nats.

    Raises:
      ValueError: shapes that do not fit.
    """
    scores = _pair_scores(inputs, contexts, weights, biases)
    return vocabulary_sums(inputs, weights, biases).softplus_sum - scores


def _pair_scores(
    inputs: tf.Tensor, contexts: tf.Tensor, weights: tf.Tensor, biases: tf.Tensor
) -> tf.Tensor:
    """s(t, c) of each pair, `[batch]`; ValueError when the shapes do not fit."""
    inputs, weights, biases = (tf.cast(x, tf.float32) for x in (inputs, weights, biases))
    contexts = tf.convert_to_tensor(contexts)
    _parts.check_shapes(
        inputs=(inputs, "batch dim"),
        contexts=(contexts, "batch"),
        weights=(weights, "vocab dim"),
        biases=(biases, "vocab"),
    )
    products = tf.reduce_sum(inputs * tf.gather(weights, contexts), axis=1)
    return products + tf.gather(biases, contexts)
