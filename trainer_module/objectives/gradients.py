"""Gradients of the objectives with respect to the rows of a block, as tensors of those rows.

`shared_candidates` is for candidates that a batch shares: everything that a candidate adds to the
loss depends on the target alone, so one matrix product scores it for all pairs of a target. The
gradients with respect to the scores are written by hand, in sigmoid_family and softmax_family below
the losses that they belong to. That gives what autodiff of `losses` gives (tests) in a fifth of the
time.
`per_pair_candidates` is that autodiff, for candidates of each pair's own.
"""

from typing import NamedTuple

import tensorflow as tf

from trainer_module.objectives import _parts, losses, sigmoid_family, softmax_family
from trainer_module.objectives.frames import pairs_of_band
from trainer_module.objectives.registry import Objective


class Block(NamedTuple):
    """The rows that a step takes, and which of them are pairs."""

    inputs: tf.Tensor  # [frames, height, dim] float32: target vectors
    contexts: tf.Tensor  # [frames, width, dim]: context weights
    context_biases: tf.Tensor  # [frames, width]
    context_expected: tf.Tensor | None  # [frames, width]; None without logQ correction
    context_hits: tf.Tensor | None  # [frames, width]: how often among the candidates; None: kept
    band: tf.Tensor  # [frames, height, width]: how often each is a pair
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

    Raises:
      ValueError: shapes that do not fit.
    """
    _check_shapes(block)
    scaled = block.inputs / objective.temperature if objective.temperature != 1 else block.inputs
    rows = tf.reshape(scaled, [-1, scaled.shape[-1]])
    true = tf.matmul(scaled, block.contexts, transpose_b=True)
    true -= _deductions(block.context_biases, block.context_expected)[:, tf.newaxis]
    sampled = tf.matmul(rows, block.candidates, transpose_b=True)
    # Taken off, not added: of a sum TensorFlow makes one op with the product before and the sigmoid
    # behind it, whose sigmoid takes five times as long as its own.
    sampled -= _deductions(block.candidate_biases, block.candidate_expected)
    hits = tf.zeros([]) if block.context_hits is None else block.context_hits[:, tf.newaxis]
    of_true, of_sampled, loss = (
        softmax_family.gradients(true, sampled, block.band, hits)
        if objective.softmax
        else sigmoid_family.gradients(
            true, sampled, block.band, hits, objective.candidate_weight, with_loss
        )
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


def _check_shapes(block: Block) -> None:
    """ValueError unless the parts of a block have the shapes that it says, where they are known."""
    classes = "num_sampled" if block.candidates.shape.rank == 2 else "pairs num_sampled"
    axes = {
        "inputs": "frames height dim",
        "contexts": "frames width dim",
        "context_biases": "frames width",
        "context_expected": "frames width",
        "context_hits": "frames width",
        "band": "frames height width",
        "candidates": f"{classes} dim",
        "candidate_biases": classes,
        "candidate_expected": classes,
    }
    parts = {name: part for name, part in block._asdict().items() if part is not None}
    _parts.check_shapes(**{name: (part, axes[name]) for name, part in parts.items()})


def _deductions(biases: tf.Tensor, expected: tf.Tensor | None) -> tf.Tensor:
    return -biases if expected is None else tf.math.log(expected) - biases


def per_pair_candidates(objective: Objective, block: Block, hits: tf.Tensor | None) -> Gradients:
    """Gradients by autodiff of `losses`, pair by pair; candidates may be each pair's own.

    Args:
      objective: which.
      block: of it `candidates` is `[pairs, num_sampled, dim]` or `[num_sampled, dim]`.
      hits: `[pairs, num_sampled]` bool, the candidates to leave out, or None.

    Raises:
      ValueError: shapes that do not fit.
    """
    _check_shapes(block)
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
