"""How near two models are, token by token. NumPy alone, in blocks of rows.

Rows of one model stand for the same tokens as those of the other, and the most frequent come first.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

# The first rank behind each band: the 100 most frequent tokens, those up to 1,000, up to 10,000.
BANDS = (100, 1_000, 10_000)

_ROWS_AT_ONCE = 512  # of which all cosines are held: 20 MB for 10,000 tokens


def unit(vectors: Vectors) -> Vectors:
    """Vectors of length 1; zeros stay zeros.

    >>> unit(np.array([[3, 4], [0, 0]], np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    divided: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return divided


def cosines(vectors: Vectors, others: Vectors) -> Floats:
    """`[tokens]`: of each row with the same row of the others. Both are `[tokens, dim]`.

    >>> cosines(np.array([[1, 0], [3, 4]]), np.array([[0, 2], [6, 8]])).round(6).tolist()
    [0.0, 1.0]
    """
    ours, theirs = (unit(rows.astype(np.float32)) for rows in (vectors, others))
    return np.asarray(np.einsum("td,td->t", ours, theirs, dtype=np.float64), np.float64)


def nearest(vectors: Vectors, k: int) -> Rows:
    """`[tokens, k]`: of each row those with the highest cosines, itself left out, in any order.

    Args:
      vectors: `[tokens, dim]`.
      k: below the number of tokens.
    """
    directions = unit(vectors)
    parts = [
        np.argpartition(-similar, k - 1, axis=1)[:, :k] for similar in _cosines_with_all(directions)
    ]
    return np.concatenate(parts)


def _cosines_with_all(directions: Vectors) -> Iterator[Vectors]:
    """Yields `[rows, tokens]` of some rows at a time; -inf of a row with itself."""
    for start in range(0, len(directions), _ROWS_AT_ONCE):
        similar = directions[start : start + _ROWS_AT_ONCE] @ directions.T
        rows = np.arange(len(similar))
        similar[rows, start + rows] = -np.inf
        yield similar


def neighbor_overlaps(vectors: Vectors, others: Vectors, k: int) -> Floats:
    """`[tokens]`: the share of a token's k nearest neighbours that it has in the other model too.

    Neighbours are sought among these tokens, so both models choose from the same ones. The
    dimensions may differ.

    Args:
      vectors: `[tokens, dim]`.
      others: `[tokens, other dim]`.
      k: of so few tokens that there are not as many others, all others are taken.

    Returns:
      Empty if a token has no others.
    """
    k = min(k, len(vectors) - 1)
    if k < 1:
        return np.empty(0)
    ours, theirs = nearest(vectors, k), nearest(others, k)
    shared = (ours[:, :, np.newaxis] == theirs[:, np.newaxis, :]).sum(axis=(1, 2))
    return np.asarray(shared / k, np.float64)


def means_by_band(values: Floats) -> Mapping[str, float]:
    """The mean of each frequency band that has tokens, by the ranks of its first and last one.

    Args:
      values: `[tokens]`, of the most frequent token first.

    >>> dict(means_by_band(np.array([0.5] * 100 + [1.0, 0.0])))
    {'1-100': 0.5, '101-1000': 0.5}
    """
    starts = (0, *BANDS[:-1])
    return {
        f"{start + 1}-{end}": float(values[start:end].mean())
        for start, end in zip(starts, BANDS, strict=True)
        if len(values) > start
    }
