"""The objectives of training and the two full cross-entropies of evaluation.

Pure functions, tensors in, one loss per pair out; averaging is the caller's. The score of context c
for target t is `s(t, c) = <target vector of t, context weights of c> + context bias of c`.
"""

from typing import NamedTuple

import tensorflow as tf

from trainer_module.candidate_sampling import Candidates
from trainer_module.hyperparameters import Objective

# Scores in memory at once: 2^23 float32 are 32 MiB, small beside the tables they come from.
_SCORES_AT_ONCE = 1 << 23


def sampled_loss(
    objective: Objective,
    *,
    inputs: tf.Tensor,
    contexts: tf.Tensor,
    weights: tf.Tensor,
    biases: tf.Tensor,
    candidates: Candidates,
) -> tf.Tensor:
    """The loss of each pair against its context and the sampled classes.

    Args:
      objective: `nce`: sigmoid cross-entropy on the true and the sampled classes, scores less the
        log of the expected counts (Gutmann and Hyvärinen 2010; Mnih and Kavukcuoglu 2013);
        `sampled_softmax`: softmax cross-entropy over the same classes and scores, candidates equal
        to the true class left out (Jean et al. 2015).
      inputs: `[batch, dim]` float32, the target vector of each pair.
      contexts: `[batch]` int64, the true class of each pair.
      weights: `[vocab, dim]` float32, context weights.
      biases: `[vocab]` float32, context biases.
      candidates: the sampled classes and the expected counts.

    Returns:
      `[batch]` float32, in nats.
    """
    loss = {"nce": tf.nn.nce_loss, "sampled_softmax": tf.nn.sampled_softmax_loss}[objective]
    return loss(
        weights=weights,
        biases=biases,
        labels=contexts[:, tf.newaxis],
        inputs=inputs,
        num_sampled=candidates.sampled.shape[0],
        num_classes=weights.shape[0],
        sampled_values=candidates,
    )


class VocabularySums(NamedTuple):
    """What the full cross-entropies need of a target: a number each, whatever the context."""

    log_partition: tf.Tensor  # [targets]: log sum_j exp(s_tj)
    softplus_sum: tf.Tensor  # [targets]: sum_j log(1 + exp(s_tj))


def vocabulary_sums(inputs: tf.Tensor, weights: tf.Tensor, biases: tf.Tensor) -> VocabularySums:
    """Sums over the whole vocabulary, a chunk of it at a time so that memory stays bounded.

    Args:
      inputs: `[targets, dim]` float32, target vectors.
      weights: `[vocab, dim]` float32.
      biases: `[vocab]` float32.

    Returns:
      Two `[targets]` float32. Exact but for rounding: running maxima keep the exponentials in
      range, and softplus is computed as `max(s, 0) + log1p(exp(-|s|))`.
    """
    num_targets, vocabulary_size = tf.shape(inputs)[0], tf.shape(weights)[0]
    chunk = tf.maximum(_SCORES_AT_ONCE // tf.maximum(num_targets, 1), 1)

    def add_chunk(
        start: tf.Tensor, log_partition: tf.Tensor, softplus_sum: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        rows = slice(start, start + chunk)
        scores = tf.matmul(inputs, weights[rows], transpose_b=True) + biases[rows]
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


def full_softmax_cross_entropy(scores: tf.Tensor, log_partition: tf.Tensor) -> tf.Tensor:
    """`-log softmax(s_t)_c = log sum_j exp(s_tj) - s_tc`.

    Args:
      scores: `[pairs]` float32, s(t, c) of each pair.
      log_partition: `[pairs]` float32, that of each pair's target (VocabularySums).

    Returns:
      `[pairs]` float32, in nats.
    """
    return log_partition - scores


def full_sigmoid_cross_entropy(scores: tf.Tensor, softplus_sum: tf.Tensor) -> tf.Tensor:
    """`-log sigmoid(s_tc) - sum_{j != c} log(1 - sigmoid(s_tj)) = sum_j softplus(s_tj) - s_tc`.

    Args:
      scores: `[pairs]` float32, s(t, c) of each pair.
      softplus_sum: `[pairs]` float32, that of each pair's target (VocabularySums).

    Returns:
      `[pairs]` float32, in nats.
    """
    return softplus_sum - scores
