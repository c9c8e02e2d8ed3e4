"""Parts that several losses are made of."""

from typing import NamedTuple

import tensorflow as tf

# Stands in for the logit of a candidate left out: its exponential, softplus and sigmoid are exactly
# 0. Finite, unlike -inf, so that differences and gradients of such logits are no NaN.
_LEFT_OUT = -1e30


class ScoreGradients(NamedTuple):
    """Of the sum of a block's losses, with respect to its scores."""

    true: tf.Tensor  # [frames, height, width]
    sampled: tf.Tensor  # [targets, num_sampled]
    loss: tf.Tensor  # [], nats, the sum; 0 if not asked for


def logits(
    true_logits: tf.Tensor, sampled_logits: tf.Tensor, accidental_hits: tf.Tensor | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Both logits in float32; ValueError when the three shapes do not fit."""
    true, sampled = tf.cast(true_logits, tf.float32), tf.cast(sampled_logits, tf.float32)
    check_shapes(true_logits=(true, "batch"), sampled_logits=(sampled, "batch num_sampled"))
    if accidental_hits is not None:
        check_shapes(
            sampled_logits=(sampled, "batch num_sampled"),
            accidental_hits=(tf.convert_to_tensor(accidental_hits), "batch num_sampled"),
        )
    return true, sampled


def logq_corrected(
    true: tf.Tensor,
    sampled: tf.Tensor,
    true_expected_count: tf.Tensor | None,
    sampled_expected_count: tf.Tensor | None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Logits less the log of the expected counts; as they are when both counts are None."""
    if (true_expected_count is None) != (sampled_expected_count is None):
        given = "sampled" if true_expected_count is None else "true"
        raise ValueError(
            "true_expected_count and sampled_expected_count go together, got "
            f"{given}_expected_count alone; pass both, or neither for no logQ correction"
        )
    if true_expected_count is None:
        return true, sampled
    # Like tf.nn: the counts are the sampler's, no gradient reaches it.
    of_true, of_sampled = (
        tf.stop_gradient(tf.cast(count, tf.float32))
        for count in (true_expected_count, sampled_expected_count)
    )
    check_shapes(
        true_logits=(true, "batch"),
        sampled_logits=(sampled, "batch num_sampled"),
        true_expected_count=(of_true, "batch"),
        sampled_expected_count=(
            of_sampled,
            "num_sampled" if of_sampled.shape.rank == 1 else "batch num_sampled",
        ),
    )
    return true - tf.math.log(of_true), sampled - tf.math.log(of_sampled)


def without_hits(sampled: tf.Tensor, accidental_hits: tf.Tensor | None) -> tf.Tensor:
    """The logits of candidates, those of hits so low that they count for nothing."""
    return sampled if accidental_hits is None else tf.where(accidental_hits, _LEFT_OUT, sampled)


def mean(losses: tf.Tensor) -> tf.Tensor:
    """The mean, 0 of nothing."""
    return tf.math.divide_no_nan(tf.reduce_sum(losses), tf.cast(tf.size(losses), tf.float32))


def check_shapes(**tensors: tuple[tf.Tensor, str]) -> None:
    """ValueError unless each tensor has its axes and axes of one name have one size.

    Sizes that are unknown before the graph runs fit everything.
    """
    seen: dict[str, tuple[str, int]] = {}  # axis: the tensor that it was first seen in, its size
    for name, (tensor, axes) in tensors.items():
        if tensor.shape.rank is None:
            continue
        if tensor.shape.rank != len(axes.split()):
            raise ValueError(
                f"{name} must have shape [{axes.replace(' ', ', ')}], got {tensor.shape}; "
                "tf.reshape or tf.squeeze it"
            )
        for axis, size in zip(axes.split(), tensor.shape.as_list(), strict=True):
            first, known = (name, size) if size is None else seen.setdefault(axis, (name, size))
            if size != known:
                raise ValueError(
                    f"{axis} must be the same in {first} and {name}, got {known} and {size}; "
                    "pass tensors of the same pairs, classes and model"
                )
