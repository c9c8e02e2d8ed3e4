"""trainer_module/text/hashing.py in NumPy: the same random numbers, without TensorFlow's ops."""

import numpy as np
import numpy.typing as npt

from trainer_module.text.hashing import GAMMA, MIX_1, MIX_2

Numbers = npt.NDArray[np.uint64]


def mix(state: Numbers) -> Numbers:
    """Scatters numbers over all of uint64: hashing.mix.

    Args:
      state: `[...]` uint64.

    Returns:
      `[...]` uint64.
    """
    mixed = state ^ (state >> np.uint64(30))
    mixed *= np.uint64(MIX_1)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(MIX_2)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def nth_number(seeds: Numbers, n: int | npt.NDArray[np.int64]) -> Numbers:
    """The n-th number of the SplitMix64 generator of each seed: hashing.nth_number.

    Args:
      seeds: `[...]` uint64.
      n: `[...]` integers from 0, or one.

    Returns:
      `[...]` uint64.
    """
    if isinstance(n, int):
        return mix(seeds + np.uint64((n + 1) * GAMMA % 2**64))
    return mix(seeds + (n.astype(np.uint64) + np.uint64(1)) * np.uint64(GAMMA))


def uniform(seeds: Numbers, n: int) -> npt.NDArray[np.float64]:
    """The n-th number of each seed as one in [0, 1).

    Args:
      seeds: `[...]` uint64.
      n: from 0.

    Returns:
      `[...]` float64, multiples of 2^-53: as many bits as a float64 holds exactly.
    """
    return (nth_number(seeds, n) >> np.uint64(11)).astype(np.float64) * 2.0**-53
