"""The losses by kind, and what tests of them share."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from trainer_module.objectives import losses

Array = np.ndarray[Any, Any]
Loss = Callable[..., tf.Tensor]

SEEDS = st.integers(0, 10_000)


def k_of_two(true_logits: tf.Tensor, sampled_logits: tf.Tensor, **hits: tf.Tensor) -> tf.Tensor:
    return losses.negative_sampling(true_logits, sampled_logits, num_negatives=2, **hits)


PER_PAIR: list[Any] = [
    pytest.param(losses.nce, id="nce"),
    pytest.param(losses.sampled_softmax, id="sampled_softmax"),
    pytest.param(k_of_two, id="negative_sampling"),
]
CORRECTED: list[Any] = PER_PAIR[:2]
FULL: list[Any] = [losses.full_softmax_cross_entropy, losses.full_sigmoid_cross_entropy]

COUNTS: dict[str, Any] = {  # logs: -ln 2; -ln 4, ln 2
    "true_expected_count": tf.constant([0.5]),
    "sampled_expected_count": tf.constant([0.25, 2.0]),
}


def softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def value_and_gradients(loss: Loss, *arguments: Any, **rest: Any) -> list[Array]:
    """The loss, and the gradient of its sum with respect to each of the arguments."""
    variables = [tf.constant(argument, tf.float32) for argument in arguments]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        value = loss(*variables, **rest)
        total = tf.reduce_sum(value)
    gradients = tape.gradient(total, variables)
    return [value.numpy(), *(tf.convert_to_tensor(gradient).numpy() for gradient in gradients)]


def normal(seed: int, *shape: int, scale: float = 1.0) -> Array:
    return np.random.default_rng(seed).normal(scale=scale, size=shape).astype(np.float32)


def softmax(logits: Array) -> Array:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
