"""Gradients of the objectives with respect to the rows of a block, as tensors of those rows.

`shared_candidates` writes them by hand for candidates that a batch shares: everything that a
candidate adds to the loss depends on the target alone, so one matrix product scores it for all
pairs of a target. It gives what autodiff of `losses` gives (tests) in a fifth of the time.
`per_pair_candidates` is that autodiff, for candidates of each pair's own.
"""

from typing import NamedTuple

import tensorflow as tf

from trainer_module.objectives import losses
from trainer_module.objectives.frames import pairs_of_band
from trainer_module.objectives.registry import Objective


class Block(NamedTuple):
    """The rows that a step takes, and which of them are pairs."""

    inputs: tf.Tensor  # [frames, height, dim] float32: target vectors
    contexts: tf.Tensor  # [frames, width, dim]: context weights
    context_biases: tf.Tensor  # [frames, width]
    context_expected: tf.Tensor | None  # [frames, width]; None without logQ correction
    context_hits: tf.Tensor | None  # [frames, width]: how often among the candidates; None: kept
    band: tf.Tensor  # [frames, height, width]: 1 where there is a pair
    candidates: tf.Tensor  # [num_sampled, dim] or, of per-pair ones, [pairs, num_sampled, dim]
    candidate_biases: tf.Tensor  # [num_sampled] or [pairs, num_sampled]
    candidate_expected: tf.Tensor | None  # of the same shape


class Gradients(NamedTuple):
    """Of the sum of the pairs' losses; each of the shape of the rows that it is of."""

    inputs: tf.Tensor
    contexts: tf.Tensor
    context_biases: tf.Tensor
    candidates: tf.Tensor
    candidate_biases: tf.Tensor
    loss: tf.Tensor  # [], nats, the sum; 0 if not asked for


def shared_candidates(objective: Objective, block: Block, *, with_loss: bool) -> Gradients:
    """Gradients for candidates shared by the batch.

    Args:
      objective: which.
      block: of it `candidates` is `[num_sampled, dim]`.
      with_loss: the gradients of the sigmoid family do not need the loss, and it costs a sixth.
    """
    scaled = block.inputs / objective.temperature if objective.temperature != 1 else block.inputs
    rows = tf.reshape(scaled, [-1, scaled.shape[-1]])
    true = tf.matmul(scaled, block.contexts, transpose_b=True)
    true += _offsets(block.context_biases, block.context_expected)[:, tf.newaxis]
    sampled = tf.matmul(rows, block.candidates, transpose_b=True)
    sampled += _offsets(block.candidate_biases, block.candidate_expected)
    hits = tf.zeros([]) if block.context_hits is None else block.context_hits[:, tf.newaxis]
    of_true, of_sampled, loss = (
        _softmax(true, sampled, block.band, hits)
        if objective.softmax
        else _sigmoid(true, sampled, block.band, hits, objective.candidate_weight, with_loss)
    )
    of_inputs = tf.matmul(of_true, block.contexts) + tf.reshape(
        tf.matmul(of_sampled, block.candidates), tf.shape(scaled)
    )
    return Gradients(
        of_inputs / objective.temperature if objective.temperature != 1 else of_inputs,
        tf.matmul(of_true, scaled, transpose_a=True),
        tf.reduce_sum(of_true, 1),
        tf.matmul(of_sampled, rows, transpose_a=True),
        tf.reduce_sum(of_sampled, 0),
        loss,
    )


def _offsets(biases: tf.Tensor, expected: tf.Tensor | None) -> tf.Tensor:
    return biases if expected is None else biases - tf.math.log(expected)


Scores = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


def _sigmoid(
    true: tf.Tensor,
    sampled: tf.Tensor,
    band: tf.Tensor,
    hits: tf.Tensor,
    weight: float,
    with_loss: bool,
) -> Scores:
    """Of a pair: `softplus(-s) + w sum_j softplus(s_j)`, less `w softplus(s)` for each hit.

    A hit's score is the pair's own, so that it can be taken off on the pair's side; the sum over
    the candidates then is one number a target, whatever its pairs.

    Args:
      true: `[frames, height, width]` scores.
      sampled: `[targets, num_sampled]` scores.
      band, hits: see Block.
      weight: w, the objective's candidate_weight.
      with_loss: see shared_candidates.

    Returns:
      gradients with respect to `true` and `sampled`, and the loss.
    """
    pairs = tf.reshape(tf.reduce_sum(band, 2), [-1, 1]) * weight
    of_true = band * (tf.sigmoid(true) * (1.0 - weight * hits) - 1.0)
    of_sampled = pairs * tf.sigmoid(sampled)
    if not with_loss:
        return of_true, of_sampled, tf.zeros([])
    loss = tf.reduce_sum(band * (tf.nn.softplus(-true) - weight * hits * tf.nn.softplus(true)))
    return of_true, of_sampled, loss + tf.reduce_sum(pairs * tf.nn.softplus(sampled))


def _softmax(true: tf.Tensor, sampled: tf.Tensor, band: tf.Tensor, hits: tf.Tensor) -> Scores:
    """Of a pair: `log(exp(s) + sum_j exp(s_j) - hits exp(s)) - s`.

    With z the logsumexp of the candidates, one number a target, the sum is
    `exp(z) + (1 - hits) exp(s)`. As exp(z) holds a hit's exp(s) as often as it is there, the
    difference is at least `exp(z) / hits`: nothing cancels. See _sigmoid for the arguments.
    """
    largest = tf.reduce_max(sampled, axis=1, keepdims=True)
    powers = tf.exp(sampled - largest)
    sums = tf.reduce_sum(powers, axis=1, keepdims=True)
    log_sums = tf.reshape(largest + tf.math.log(sums), [*true.shape[:2], 1])
    top = tf.maximum(log_sums, true)
    from_candidates, from_true = tf.exp(log_sums - top), tf.exp(true - top)
    # Rounding of two products of the same rows must not make it 0.
    total = tf.maximum(from_candidates + (1.0 - hits) * from_true, 1e-6)
    of_true = band * ((1.0 - hits) * from_true / total - 1.0)
    share = tf.reshape(tf.reduce_sum(band * from_candidates / total, 2), [-1, 1])
    loss = tf.reduce_sum(band * (top + tf.math.log(total) - true))
    return of_true, powers * (share / sums), loss


def per_pair_candidates(objective: Objective, block: Block, hits: tf.Tensor | None) -> Gradients:
    """Gradients by autodiff of `losses`, pair by pair; candidates may be each pair's own.

    Args:
      objective: which.
      block: of it `candidates` is `[pairs, num_sampled, dim]` or `[num_sampled, dim]`.
      hits: `[pairs, num_sampled]` bool, the candidates to leave out, or None.
    """
    rows = (
        block.inputs,
        block.contexts,
        block.context_biases,
        block.candidates,
        block.candidate_biases,
    )
    with tf.GradientTape() as tape:
        tape.watch(rows)
        loss = tf.reduce_sum(_pair_losses(objective, block, hits))
    gradients = tape.gradient(loss, rows, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    inputs, contexts, context_biases, candidates, candidate_biases = gradients
    return Gradients(inputs, contexts, context_biases, candidates, candidate_biases, loss)


def _pair_losses(objective: Objective, block: Block, hits: tf.Tensor | None) -> tf.Tensor:
    """`[pairs]`, in the order of the band."""
    target_places, context_places = pairs_of_band(block.band)
    inputs = tf.gather_nd(block.inputs, target_places) / objective.temperature
    contexts = tf.gather_nd(block.contexts, context_places)
    true = tf.reduce_sum(inputs * contexts, 1) + tf.gather_nd(block.context_biases, context_places)
    product = "pd,kd->pk" if block.candidates.shape.rank == 2 else "pd,pkd->pk"
    sampled = tf.einsum(product, inputs, block.candidates) + block.candidate_biases
    expected = {}
    if block.context_expected is not None:
        expected = {
            "true_expected_count": tf.gather_nd(block.context_expected, context_places),
            "sampled_expected_count": block.candidate_expected,
        }
    if objective.spec.pair_loss == "negative_sampling":
        return losses.negative_sampling(
            true,
            sampled,
            num_negatives=objective.candidate_weight * objective.num_sampled,
            accidental_hits=hits,
        )
    loss = {"nce": losses.nce, "sampled_softmax": losses.sampled_softmax}[objective.spec.pair_loss]
    return loss(true, sampled, accidental_hits=hits, **expected)
