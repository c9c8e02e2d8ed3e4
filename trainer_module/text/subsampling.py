"""Subsampling and dynamic windows: which tokens are targets, and how far their contexts may stand.

Tokens of a batch of documents stand one behind the other: `[tokens]`.
"""

from typing import NamedTuple

import tensorflow as tf

from trainer_module.sizes import Window, reach
from trainer_module.text import hashing
from trainer_module.text.skip_grams import documents_of, positions_in_documents

# Which of a token's random numbers is drawn.
SUBSAMPLING_STREAM = 1
WINDOW_STREAM = 2


class Windowed(NamedTuple):
    """The tokens of documents that the vocabulary knows, with their windows: see features.py."""

    token_ids: tf.RaggedTensor  # [batch, (tokens)] int64
    window_sizes: tf.RaggedTensor  # [batch, (tokens)] int64 in 1..window; 0: left out


def keep_probability(frequencies: tf.Tensor, threshold: float) -> tf.Tensor:
    """How likely an occurrence of a token survives subsampling.

    `min(1, sqrt(t / f) + t / f)`, what word2vec.c computes; the paper's `sqrt(t / f)` (Mikolov et
    al., "Distributed representations of words and phrases and their compositionality", 2013,
    equation 5) lacks the second term.

    Args:
      frequencies: `[...]` float64 in (0, 1], f: the token's share of the corpus.
      threshold: t; 0 keeps all.

    Returns:
      `[...]` float64 in (0, 1].

    With t = 0.01, a token that is 4 % of the corpus is kept with sqrt(1/4) + 1/4:

    >>> shares = tf.constant([0.04, 0.16, 0.001], tf.float64)
    >>> keep_probability(shares, 0.01).numpy().tolist()
    [0.75, 0.3125, 1.0]
    """
    if threshold == 0:
        return tf.ones_like(frequencies)
    ratio = threshold / frequencies
    return tf.minimum(tf.sqrt(ratio) + ratio, 1.0)


def window_sizes(uniforms: tf.Tensor, window: Window) -> tf.Tensor:
    """Draws each target's window, uniform in 1..window, as word2vec does; of `all` draws none.

    Near contexts are so drawn more often than far ones: at distance d with probability
    `(window - d + 1) / window`.

    Args:
      uniforms: `[tokens]` float64 in [0, 1).
      window: the largest.

    Returns:
      `[tokens]` int64 in 1..window, or each as large as there may be.

    >>> uniforms = tf.constant([0.0, 0.19, 0.2, 0.99], tf.float64)
    >>> window_sizes(uniforms, 5).numpy().tolist()
    [1, 1, 2, 5]
    >>> window_sizes(uniforms, "all").numpy().tolist()
    [100, 100, 100, 100]
    """
    if window == "all":
        return tf.fill(tf.shape(uniforms), tf.constant(reach(window), tf.int64))
    return 1 + tf.cast(uniforms * window, tf.int64)


def drawn_windows(
    hashes: tf.Tensor,
    rows: tf.Tensor,
    positions: tf.Tensor,
    keep_probabilities: tf.Tensor,
    *,
    window: Window,
    seed: int,
) -> tf.Tensor:
    """Subsamples tokens and gives those that are left their windows.

    Args:
      hashes: `[batch]` uint64, hashing.document_hashes.
      rows: `[tokens]` integers, each token's document.
      positions: `[tokens]` integers, of each token in its document.
      keep_probabilities: `[tokens]` float64, keep_probability.
      window: the largest.
      seed: the run's seed.

    Returns:
      `[tokens]` int64 in 1..window; 0 where a token is left out.
    """
    kept = hashing.uniform(hashes, rows, positions, seed=seed, stream=SUBSAMPLING_STREAM)
    sizes = hashing.uniform(hashes, rows, positions, seed=seed, stream=WINDOW_STREAM)
    return tf.where(
        kept < keep_probabilities, window_sizes(sizes, window), tf.constant(0, tf.int64)
    )


def windowed(
    hashes: tf.Tensor,
    token_ids: tf.RaggedTensor,
    keep_probabilities: tf.Tensor,
    *,
    window: Window,
    seed: int,
) -> Windowed:
    """Drops unknown tokens, subsamples the others and draws their windows.

    Args:
      hashes: `[batch]` uint64, hashing.document_hashes, which the draws are derived from.
      token_ids: `[batch, (tokens)]` int64, -1 for a token outside the vocabulary.
      keep_probabilities: `[tokens]` float64, keep_probability of each token; of an unknown one
        any number.
      window: the largest.
      seed: the run's seed.

    Returns:
      The known tokens with their windows. Positions and windows count known tokens alone, so the
      neighbours of an unknown token are each other's.
    """
    known = tf.where(token_ids.flat_values >= 0)[:, 0]  # once: tf.boolean_mask would each time
    rows = tf.gather(token_ids.value_rowids(), known)
    token_ids = tf.RaggedTensor.from_value_rowids(
        tf.gather(token_ids.flat_values, known), rows, token_ids.nrows(), validate=False
    )
    sizes = drawn_windows(
        hashes,
        rows,
        positions_in_documents(token_ids),
        tf.gather(keep_probabilities, known),
        window=window,
        seed=seed,
    )
    return Windowed(token_ids, token_ids.with_values(sizes))


def redrawn_windows(
    hashes: tf.Tensor,
    tokens: tf.RaggedTensor,
    keep_probability: tf.Tensor,
    *,
    window: Window,
    seed: int,
    epoch: tf.Tensor,
) -> tf.RaggedTensor:
    """Subsamples and draws windows anew for an epoch, as word2vec does.

    The draws are those of `windowed`, but for the hash that stands for the document: the epoch's
    number of the generator of which the document's hash is the seed.

    Args:
      hashes: `[batch]` uint64, hashing.document_hashes.
      tokens: `[batch, (tokens)]` int64 ids.
      keep_probability: `[vocab]` float64.
      window: the largest.
      seed: the run's seed.
      epoch: `[]` int64, at least 1; the windows of epoch 0 are Transform's.

    Returns:
      `[batch, (tokens)]` int64 in 1..window; 0 where a token is left out.
    """
    windows = drawn_windows(
        hashing.nth_number(hashes, epoch),
        documents_of(tokens),
        positions_in_documents(tokens),
        tf.gather(keep_probability, tokens.flat_values),
        window=window,
        seed=seed,
    )
    return tokens.with_values(windows)
