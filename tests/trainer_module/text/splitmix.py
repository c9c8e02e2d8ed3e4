"""The random numbers, written down again in Python's integers."""

MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


def splitmix(x: int) -> int:
    """The finaliser of SplitMix64."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def reference_uniform(fingerprint: int, position: int, seed: int, stream: int) -> float:
    key = splitmix(fingerprint ^ splitmix((seed + stream * GAMMA) & MASK))
    return (splitmix((key + (position + 1) * GAMMA) & MASK) >> 11) / 2**53
