"""Random numbers as hashes.

Nothing here holds a random state. A random number is a hash of the seed, the document, which of its
copies it is and the position in it, so the same corpus gives the same pairs on any runner, in any
order, in any batch, and each copy has draws of its own.

Tokens of a batch of documents stand one behind the other: `[tokens]`.
"""

import tensorflow as tf

# SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014). Its
# n-th number is mix(seed + n * gamma), so any of them can be had without those before it.
GAMMA = 0x9E3779B97F4A7C15
MIX_1 = 0xBF58476D1CE4E5B9
MIX_2 = 0x94D049BB133111EB
MASK = (1 << 64) - 1


def document_hashes(documents: tf.Tensor, occurrences: tf.Tensor) -> tf.Tensor:
    """Returns what stands for each document in its draws: FarmHash64, and which copy it is.

    Args:
      documents: `[batch]` strings.
      occurrences: `[batch]` int64, features.OCCURRENCE.

    Returns:
      `[batch]` uint64.
    """
    fingerprints = tf.bitcast(tf.fingerprint(documents, method="farmhash64"), tf.uint64)
    return fingerprints ^ mix(tf.bitcast(occurrences, tf.uint64))


def mix(state: tf.Tensor) -> tf.Tensor:
    """Scatters numbers over all of uint64: SplitMix64's last step, which can be undone.

    Args:
      state: `[...]` uint64.

    Returns:
      `[...]` uint64, different for different numbers.
    """
    state = (state ^ tf.bitwise.right_shift(state, _u64(30))) * _u64(MIX_1)
    state = (state ^ tf.bitwise.right_shift(state, _u64(27))) * _u64(MIX_2)
    return state ^ tf.bitwise.right_shift(state, _u64(31))


def nth_number(seeds: tf.Tensor, n: tf.Tensor) -> tf.Tensor:
    """The n-th number of the SplitMix64 generator of each seed.

    Args:
      seeds: `[...]` uint64.
      n: `[...]` or `[]` integers from 0.

    Returns:
      `[...]` uint64.
    """
    return mix(seeds + (tf.cast(n, tf.uint64) + _u64(1)) * _u64(GAMMA))


def uniform(
    hashes: tf.Tensor, rows: tf.Tensor, positions: tf.Tensor, *, seed: int, stream: int
) -> tf.Tensor:
    """Draws one number a token, uniform in [0, 1).

    Args:
      hashes: `[batch]` uint64, document_hashes.
      rows: `[tokens]` integers, each token's document.
      positions: `[tokens]` integers, of each token in its document.
      seed: the run's seed.
      stream: which of the token's numbers.

    Returns:
      `[tokens]` float64, multiples of 2^-53.
    """
    of_stream = mix(_u64(seed) + _u64(stream * GAMMA))
    bits = nth_number(tf.gather(mix(hashes ^ of_stream), rows), positions)
    # A float64 holds 53 bits exactly.
    return tf.cast(tf.bitwise.right_shift(bits, _u64(11)), tf.float64) * 2.0**-53


def _u64(value: int) -> tf.Tensor:
    return tf.constant(value & MASK, tf.uint64)
