"""One orthogonal matrix that lays a model's vectors where another model's lie. NumPy and SciPy."""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg

from trainer_module import vocabulary
from trainer_module.evaluation.saved_model import SavedModel, Table

Matrix = npt.NDArray[np.float64]

# Of the most frequent common tokens: two for each free number of a matrix of 100 dimensions. The
# vectors of rarer ones are mostly noise.
FITTED_TOKENS = 10_000
_ROWS_AT_ONCE = 1 << 16  # of which float64 copies are held


def rotation(vectors: npt.NDArray[Any], onto: npt.NDArray[Any]) -> Matrix:
    """The orthogonal matrix that brings vectors nearest to others: Procrustes.

    Each vector counts by its direction alone. So of all orthogonal matrices this one gives the
    highest mean cosine.

    Args:
      vectors: `[tokens, dim]`, none of them zero.
      onto: `[tokens, dim]`, row by row where they should come to lie.

    Returns:
      `[dim, dim]`, to be multiplied from the right.

    >>> [[cos, sin], [minus_sin, _]] = rotation(np.eye(2), np.array([[0, 1], [-1, 0]]))
    >>> [round(float(x), 6) + 0.0 for x in (cos, sin, minus_sin)]
    [0.0, 1.0, -1.0]
    """
    matrix, _ = scipy.linalg.orthogonal_procrustes(_directions(vectors), _directions(onto))
    return np.asarray(matrix, np.float64)


def _directions(vectors: npt.NDArray[Any]) -> Matrix:
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    directions: Matrix = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)
    return directions


def turned(table: Table, matrix: Matrix) -> Table:
    """A table `[vocab, dim]` times the matrix, in float64 and rounded once.

    >>> turned(np.array([[1, 2]], np.float32), np.array([[0.0, 1], [-1, 0]])).tolist()
    [[-2.0, 1.0]]
    """
    result = np.empty_like(table)
    for start in range(0, len(table), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        result[rows] = table[rows].astype(np.float64) @ matrix
    return result


def rotation_between(model: SavedModel, last: SavedModel) -> Matrix | None:
    """The matrix that brings a model into the space of the last one.

    It is fitted on the target vectors of the most frequent tokens that both know.

    Returns:
      `[dim, dim]`; None if there is none: the dimensions differ, or fewer tokens are common than
      there are dimensions, which leaves directions of which nothing is known.
    """
    dim = model.target_table.shape[1]
    ids, last_ids = vocabulary.common(model.vocabulary, last.vocabulary)
    if last.target_table.shape[1] != dim or len(ids) < dim:
        return None
    ids, last_ids = ids[:FITTED_TOKENS], last_ids[:FITTED_TOKENS]
    return rotation(model.target_table[ids], last.target_table[last_ids])
