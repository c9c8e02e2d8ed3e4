"""Ids to (target, context) pairs: subsampling and dynamic windows, as pure functions of tensors.

Nothing here holds a random state. A random number is a hash of the seed, the document and the
position in it, so the same corpus gives the same pairs on any runner, in any order, in any batch.

Tokens of a batch of documents stand one behind the other: `[tokens]`.
"""

import tensorflow as tf

# SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
_GAMMA = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB
_MASK = (1 << 64) - 1

# Which of a token's random numbers is drawn.
SUBSAMPLING_STREAM = 1
WINDOW_STREAM = 2


def fingerprint(documents: tf.Tensor) -> tf.Tensor:
    """Returns FarmHash64 of each document.

    Args:
      documents: `[batch]` strings.

    Returns:
      `[batch]` uint64.
    """
    return tf.bitcast(tf.fingerprint(documents, method="farmhash64"), tf.uint64)


def _mix(state: tf.Tensor) -> tf.Tensor:
    state = (state ^ tf.bitwise.right_shift(state, _u64(30))) * _u64(_MIX_1)
    state = (state ^ tf.bitwise.right_shift(state, _u64(27))) * _u64(_MIX_2)
    return state ^ tf.bitwise.right_shift(state, _u64(31))


def _u64(value: int) -> tf.Tensor:
    return tf.constant(value & _MASK, tf.uint64)


def uniform(fingerprints: tf.Tensor, positions: tf.Tensor, *, seed: int, stream: int) -> tf.Tensor:
    """Draws one number a token, uniform in [0, 1).

    Args:
      fingerprints: `[tokens]` uint64, of each token's document.
      positions: `[tokens]` integers, of each token in its document.
      seed: the run's seed.
      stream: which of the token's numbers.

    Returns:
      `[tokens]` float64, multiples of 2^-53.
    """
    key = _mix(fingerprints ^ _mix(_u64(seed) + _u64(stream * _GAMMA)))
    bits = _mix(key + (tf.cast(positions, tf.uint64) + _u64(1)) * _u64(_GAMMA))
    return tf.cast(tf.bitwise.right_shift(bits, _u64(11)), tf.float64) * 2.0**-53


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
    """
    if threshold == 0:
        return tf.ones_like(frequencies)
    ratio = threshold / frequencies
    return tf.minimum(tf.sqrt(ratio) + ratio, 1.0)


def window_sizes(uniforms: tf.Tensor, window: int) -> tf.Tensor:
    """Draws each target's window, uniform in 1..window, as word2vec does.

    Near contexts are so drawn more often than far ones: at distance d with probability
    `(window - d + 1) / window`.

    Args:
      uniforms: `[tokens]` float64 in [0, 1).
      window: the largest.

    Returns:
      `[tokens]` int64.
    """
    return 1 + tf.cast(uniforms * window, tf.int64)


def drawn_windows(
    fingerprints: tf.Tensor,
    positions: tf.Tensor,
    keep_probabilities: tf.Tensor,
    *,
    window: int,
    seed: int,
) -> tf.Tensor:
    """Subsamples tokens and gives those that are left their windows.

    Args:
      fingerprints: `[tokens]` uint64, of each token's document.
      positions: `[tokens]` integers, of each token in its document.
      keep_probabilities: `[tokens]` float64, keep_probability.
      window: the largest.
      seed: the run's seed.

    Returns:
      `[tokens]` int64 in 1..window; 0 where a token is left out.
    """
    kept = uniform(fingerprints, positions, seed=seed, stream=SUBSAMPLING_STREAM)
    sizes = uniform(fingerprints, positions, seed=seed, stream=WINDOW_STREAM)
    return tf.where(
        kept < keep_probabilities, window_sizes(sizes, window), tf.constant(0, tf.int64)
    )


def positions(tokens: tf.RaggedTensor) -> tf.Tensor:
    """The position of each token in its own document.

    Args:
      tokens: `[batch, (tokens)]`.

    Returns:
      `[tokens]` int64 from 0, the documents one behind the other.
    """
    places = tf.range(tf.size(tokens.flat_values, out_type=tf.int64))
    return places - tf.gather(tf.cast(tokens.row_starts(), tf.int64), tokens.value_rowids())


def redrawn_windows(
    tokens: tf.RaggedTensor,
    keep_probability: tf.Tensor,
    *,
    window: int,
    seed: int,
    epoch: tf.Tensor,
) -> tf.RaggedTensor:
    """Subsamples and draws windows anew for an epoch, as word2vec does.

    Args:
      tokens: `[batch, (tokens)]` int64 ids, from which, with their positions, the draws are
        derived.
      keep_probability: `[vocab]` float64.
      window: the largest.
      seed: the run's seed.
      epoch: `[]` int64.

    Returns:
      `[batch, (tokens)]` int64 in 1..window; 0 where a token is left out.
    """
    ids, rows = tokens.flat_values, tokens.value_rowids()
    positions = tf.range(tf.size(ids, out_type=tf.int64)) - tf.gather(tokens.row_starts(), rows)
    hashes = _mix(tf.cast(ids, tf.uint64) + tf.cast(positions + 1, tf.uint64) * _u64(_GAMMA))
    # A document's own number: the sum of its tokens' hashes, in int64, which wraps around too.
    sums = tf.math.segment_sum(tf.bitcast(hashes, tf.int64), rows)
    documents = tf.bitcast(tf.gather(sums, rows), tf.uint64)
    windows = drawn_windows(
        documents ^ _mix(tf.cast(epoch, tf.uint64)),
        positions,
        tf.gather(keep_probability, ids),
        window=window,
        seed=seed,
    )
    return tokens.with_values(windows)


def subsampled(
    tokens: tf.RaggedTensor, windows: tf.RaggedTensor
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """The tokens that are targets, with their windows.

    Args:
      tokens: `[batch, (tokens)]` int64 ids.
      windows: `[batch, (tokens)]` int64, 0 where a token is left out.

    Returns:
      targets, windows: `[batch, (targets)]` int64, the windows at least 1.
    """
    kept = windows.flat_values > 0
    rows = tf.boolean_mask(tokens.value_rowids(), kept)
    targets = tf.RaggedTensor.from_value_rowids(
        tf.boolean_mask(tokens.flat_values, kept), rows, tokens.nrows(), validate=False
    )
    return targets, targets.with_values(tf.boolean_mask(windows.flat_values, kept))


def extents(windows: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor]:
    """How many contexts each target has on either side: its window, cut at the document's ends.

    Args:
      windows: `[batch, (targets)]` integers, at least 1.

    Returns:
      left, right: `[targets]` of the windows' type, the documents one behind the other.
    """
    sizes = windows.flat_values
    lengths = tf.cast(windows.row_lengths(), sizes.dtype)
    rows = windows.value_rowids()
    starts = tf.cast(tf.gather(windows.row_starts(), rows), sizes.dtype)
    positions = tf.range(tf.size(sizes, out_type=sizes.dtype)) - starts
    return (
        tf.minimum(sizes, positions),
        tf.minimum(sizes, tf.gather(lengths, rows) - 1 - positions),
    )


def pairs(
    tokens: tf.RaggedTensor, windows: tf.RaggedTensor
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Pairs each target with the targets of its document inside its window.

    Args:
      tokens: `[batch, (tokens)]` int64 ids.
      windows: `[batch, (tokens)]` int64, 0 where a token is left out: it is no target then, no
        context, and nothing stands between its neighbours.

    Returns:
      targets: `[batch, (pairs)]` int64 ids, in the order of the targets.
      contexts: `[batch, (pairs)]` int64 ids, for one target in the order of the text.
    """
    targets, windows = subsampled(tokens, windows)
    left, right = extents(windows)
    degrees = left + right
    of_target = tf.repeat(tf.range(tf.size(degrees, out_type=tf.int64)), degrees)
    nth = tf.range(tf.size(of_target, out_type=tf.int64)) - tf.gather(
        tf.cumsum(degrees, exclusive=True), of_target
    )
    offsets = nth - tf.gather(left, of_target)
    offsets += tf.cast(offsets >= 0, tf.int64)  # a target is not its own context
    rows = tf.gather(targets.value_rowids(), of_target)
    as_rows = tf.RaggedTensor.from_value_rowids(
        tf.gather(targets.flat_values, of_target), rows, targets.nrows(), validate=False
    )
    contexts = tf.gather(targets.flat_values, of_target + offsets)
    return as_rows, as_rows.with_values(contexts)
