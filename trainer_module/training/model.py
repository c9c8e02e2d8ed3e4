"""The model: two tables and a bias."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module.hyperparameters import BiasInitializer


def unigram_log_probabilities(context_counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """The log of each token's share of the contexts: the best model that ignores the target.

    Args:
      context_counts: `[vocab]`, how often each token is the context of a train pair. One is added
        to each, so that a token which never is one has a finite loss.

    Returns:
      `[vocab]` float32, logs of probabilities that sum to 1.
    """
    counts = context_counts.astype(np.float64) + 1.0
    logs: npt.NDArray[np.float32] = np.log(counts / counts.sum()).astype(np.float32)
    return logs


class SkipGramModel(tf.Module):
    """Target table `[targets, dim]`, context weights `[contexts, dim]`, biases `[contexts]`.

    Both are the vocabulary, unless contexts have one of their own.
    """

    def __init__(
        self,
        unigram: npt.NDArray[np.float32],
        *,
        dim: int,
        bias_initializer: BiasInitializer,
        seed: int,
        num_targets: int | None = None,
    ):
        """Creates the tables as word2vec does, and the biases at the unigram model or at zero.

        Args:
          unigram: `[contexts]`, unigram_log_probabilities.
          dim: numbers per vector.
          bias_initializer: `log_frequency`: with context weights of zero the model then is the
            unigram model; `zeros`; `none`: zeros that training leaves alone.
          seed: of the target table, uniform in +-0.5 / dim (word2vec.c).
          num_targets: None: as many as contexts.
        """
        super().__init__()
        size = len(unigram)
        bound = 0.5 / dim
        self.target_table = tf.Variable(
            tf.random.stateless_uniform([num_targets or size, dim], [seed, 0], -bound, bound),
            name="target_table",
        )
        self.context_weights = tf.Variable(tf.zeros([size, dim]), name="context_weights")
        self.context_biases = tf.Variable(
            unigram if bias_initializer == "log_frequency" else np.zeros_like(unigram),
            name="context_biases",
        )

    @property
    def num_targets(self) -> int:
        """Number of rows of the target table."""
        return int(self.target_table.shape[0])

    @property
    def num_contexts(self) -> int:
        """Number of classes, the rows of the context weights."""
        return int(self.context_weights.shape[0])
