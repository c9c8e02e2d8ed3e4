"""How much probability a model gives to classes, by how probable it takes them to be.

Of a calibrated model, a share p of what it gives the probability p comes true. Probabilities over a
vocabulary are small and differ by powers of ten, so the bins do too.
"""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module.evaluation.cross_entropies import Parameters

# Each is about three times the one before: 1e-5, 3.2e-5, 1e-4 and so on up to 0.1.
EDGES = tuple(float(edge) for edge in 10.0 ** np.arange(-5, -0.9, 0.5))
NUM_BINS = len(EDGES) + 1

# Probabilities in memory at once: 2^20 float32 are 4 MiB, which stay in a processor's cache.
_AT_ONCE = 1 << 20
# Classes whose numbers float32 adds up one by one: more of them would cost digits.
_CLASSES_AT_ONCE = 1 << 12


def bin_of(probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The bin of each; an edge belongs to the bin above it."""
    return np.searchsorted(np.array(EDGES), probabilities, side="right")


def binned(
    parameters: Parameters,
    targets: tf.Tensor,
    log_partitions: tf.Tensor,
    first: tf.Tensor,
    end: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Classes of targets by their probability, `softmax(corrected scores)` in either family.

    Args:
      parameters: the model.
      targets: `[targets]` ids.
      log_partitions: `[targets]`, of the corrected scores.
      first, end: of the classes that are asked for.

    Returns:
      The sum of the probabilities in each bin, and how many classes are in it: `[targets, bins]`
      float64 each.
    """
    inputs = tf.gather(parameters.target_table, targets) / parameters.temperature
    weights, biases = tf.convert_to_tensor(parameters.context_weights), parameters.corrected_biases
    chunk = tf.clip_by_value(_AT_ONCE // tf.maximum(tf.size(targets), 1), 1, _CLASSES_AT_ONCE)

    def add_chunk(start: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        some = slice(start, tf.minimum(start + chunk, end))
        scores = tf.matmul(inputs, weights[some], transpose_b=True) + biases[some]
        probabilities = tf.exp(scores - log_partitions[:, tf.newaxis])
        return start + chunk, found + tf.cast(_by_bin(probabilities), tf.float64)

    zeros = tf.zeros([2, tf.size(targets), NUM_BINS], tf.float64)
    _, found = tf.while_loop(
        lambda start, _: start < end, add_chunk, (first, zeros), parallel_iterations=1
    )
    mass, classes = tf.unstack(found)
    return mass, classes


def _by_bin(probabilities: tf.Tensor) -> tf.Tensor:
    """The sum and the number of those in each bin: `[targets, classes]` to `[2, targets, bins]`."""
    ones = tf.ones([tf.shape(probabilities)[1], 1])
    at_least = tf.ones_like(probabilities)
    sums, numbers = [], []
    for edge in (*EDGES, float("inf")):
        at_next = tf.cast(probabilities >= edge, tf.float32)
        in_bin = at_least - at_next
        # Sums as products with a vector are the fastest that TensorFlow has.
        sums.append(tf.matmul(probabilities * in_bin, ones))
        numbers.append(tf.matmul(in_bin, ones))
        at_least = at_next
    return tf.stack([tf.concat(sums, 1), tf.concat(numbers, 1)])
