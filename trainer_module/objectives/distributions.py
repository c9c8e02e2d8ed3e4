"""The distributions that samplers draw from: the probability of each class in one draw."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf


def log_uniform_probabilities(vocabulary_size: int) -> npt.NDArray[np.float64]:
    """`P(c) = log((c + 2) / (c + 1)) / log(vocab + 1)`: Zipf's law on ids by falling frequency.

    Example:
      >>> from trainer_module.objectives.distributions import log_uniform_probabilities
      >>> print(log_uniform_probabilities(3).round(4))  # ln 2, ln 3/2 and ln 4/3 of ln 4
      [0.5    0.2925 0.2075]

    Args:
      vocabulary_size: number of classes.

    Returns:
      `[vocab]`.
    """
    ranks = np.arange(1, vocabulary_size + 1, dtype=np.float64)
    return np.asarray(np.log1p(1.0 / ranks) / np.log1p(float(vocabulary_size)), np.float64)


def log_uniform_classes(uniforms: tf.Tensor, vocabulary_size: int) -> tf.Tensor:
    """The class that each uniform number draws from log_uniform_probabilities.

    The first c classes have `log(c + 1) / log(vocab + 1)` together, so a number u draws the class
    `floor((vocab + 1)^u) - 1`. A fifth of the time of a search in the table of 42,058 classes.

    Example:
      >>> from trainer_module.objectives.distributions import log_uniform_classes
      >>> print(log_uniform_classes([0.0, 0.49, 0.51, 0.8], 3).numpy())  # 4^u = 1, 1.97, 2.03, 3.03
      [0 0 1 2]

    Args:
      uniforms: `[draws]` float64 in [0, 1).
      vocabulary_size: number of classes.

    Returns:
      `[draws]` int32.
    """
    powers = tf.exp(tf.cast(uniforms, tf.float64) * np.log(vocabulary_size + 1.0))
    # Just below 1 the power may be rounded up to vocab + 1.
    return tf.minimum(tf.cast(powers, tf.int32), vocabulary_size) - 1


def unigram_probabilities(counts: npt.ArrayLike, power: float) -> npt.NDArray[np.float64]:
    """`P(c) ~ (count(c) + 1)^power`: 0.75 is word2vec's, 1 the corpus's own, 0 uniform.

    Below 0 the rare classes are the likely ones: of listening and shopping sessions exponents about
    -0.5 gave the best next items (Caselles-Dupré, Lesaint and Royo-Letelier, "Word2vec applied to
    recommendation: hyperparameters matter", 2018).

    Example:
      >>> from trainer_module.objectives.distributions import unigram_probabilities
      >>> print(unigram_probabilities([80, 15, 0], power=0.75).round(4))  # 27, 8 and 1 of 36
      [0.75   0.2222 0.0278]
      >>> print(unigram_probabilities([5, 2, 0], power=-1.0).round(4))  # 1/6, 1/3 and 1 of 3/2
      [0.1111 0.2222 0.6667]

    Args:
      counts: `[vocab]`, how often each class occurs. One is added, as a class that is never seen
        must still have a probability.
      power: in [-1, 1]; flattens the distribution below 1, and turns it round below 0.

    Returns:
      `[vocab]`.
    """
    weights = (np.asarray(counts, np.float64) + 1.0) ** power
    return np.asarray(weights / weights.sum(), np.float64)


def uniform_probabilities(vocabulary_size: int) -> npt.NDArray[np.float64]:
    """`P(c) = 1 / vocab`.

    Example:
      >>> from trainer_module.objectives.distributions import uniform_probabilities
      >>> print(uniform_probabilities(4))
      [0.25 0.25 0.25 0.25]

    Args:
      vocabulary_size: number of classes.

    Returns:
      `[vocab]`.
    """
    return np.full(vocabulary_size, 1.0 / vocabulary_size)
