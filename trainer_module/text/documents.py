"""Documents to tokens with their windows, for Transform and in memory alike."""

from typing import NamedTuple

import tensorflow as tf

from trainer_module.text import skip_grams


class Windowed(NamedTuple):
    """The tokens of documents that the vocabulary knows, with their windows: see features.py."""

    token_ids: tf.RaggedTensor  # [batch, (tokens)] int64
    window_sizes: tf.RaggedTensor  # [batch, (tokens)] int64 in 1..window; 0: left out


def windowed(
    documents: tf.Tensor,
    token_ids: tf.RaggedTensor,
    keep_probabilities: tf.Tensor,
    *,
    window: int,
    seed: int,
) -> Windowed:
    """Drops unknown tokens, subsamples the others and draws their windows.

    Args:
      documents: `[batch]` UTF-8 strings, from which, with the positions, the draws are derived.
      token_ids: `[batch, (tokens)]` int64, -1 for a token outside the vocabulary.
      keep_probabilities: `[tokens]` float64, skip_grams.keep_probability of each token, the
        documents one behind the other; of an unknown token any number.
      window: the largest.
      seed: the run's seed.

    Returns:
      The known tokens with their windows. Positions and windows count known tokens alone, so the
      neighbours of an unknown token are each other's.
    """
    known = token_ids.flat_values >= 0
    rows = tf.boolean_mask(token_ids.value_rowids(), known)
    token_ids = tf.RaggedTensor.from_value_rowids(
        tf.boolean_mask(token_ids.flat_values, known), rows, token_ids.nrows(), validate=False
    )
    window_sizes = skip_grams.drawn_windows(
        tf.gather(skip_grams.fingerprint(documents), rows),
        skip_grams.positions(token_ids),
        tf.boolean_mask(keep_probabilities, known),
        window=window,
        seed=seed,
    )
    return Windowed(token_ids, token_ids.with_values(window_sizes))
