"""The most frequent words on a plane, where those with like vectors lie close together."""

import warnings
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.results.embeddings import Embeddings

# What a picture can hold and a search can find; t-SNE takes 2 CPU seconds for them.
MAPPED_WORDS = 2_000
# With fewer there are no groups to see.
LEAST_WORDS = 5
# Neighbours of a word that is found are sought among so many: in a second, whatever the vocabulary.
SOUGHT_AMONG = 50_000
NEIGHBORS = 8
# scikit-learn's own: neighbours that each point is held near to.
_PERPLEXITY = 30.0
# 250 are its least; 100 more let the groups find their shapes, and later ones hardly move them.
_ITERATIONS = 350
_BLOCK = 500  # rows

Floats = npt.NDArray[np.float32]


class MappedWord(NamedTuple):
    """A token and its place, in the order of the vocabulary."""

    token: str
    count: int | None
    x: float  # -1 to 1, and so is y
    y: float
    neighbors: tuple[tuple[str, float], ...]  # with their cosines, the nearest first


def word_map(vectors: Embeddings) -> list[MappedWord]:
    """The most frequent tokens, or none if there are too few; the same vectors give the same map.

    Args:
      vectors: of a model.
    """
    size = min(MAPPED_WORDS, len(vectors))
    if size < LEAST_WORDS:
        return []
    units = _units(vectors.vectors[:SOUGHT_AMONG])
    places = _places(units[:size])
    counts = [None] * size if vectors.counts is None else vectors.counts[:size].tolist()
    nearest = _nearest(units, size)
    return [
        MappedWord(token, count, round(float(x), 3), round(float(y), 3), found)
        for token, count, (x, y), found in zip(
            vectors.tokens[:size],
            counts,
            places,
            [tuple((vectors.tokens[row], cosine) for row, cosine in one) for one in nearest],
            strict=True,
        )
    ]


def _units(rows: Floats) -> Floats:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    units: Floats = rows / np.where(norms > 0, norms, 1)
    return units


def _places(units: Floats) -> Floats:
    """`[words, 2]`, each coordinate from -1 to 1. Of unit vectors distances go as cosines do."""
    # Both take a second to import.
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    tsne = TSNE(
        init="pca",
        random_state=0,
        perplexity=min(_PERPLEXITY, (len(units) - 1) / 3),
        max_iter=_ITERATIONS,
    )
    # With several threads sums are rounded as these happen to end, and no map comes twice.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it divides by the spread of the vectors, which may be 0
        places = np.nan_to_num(tsne.fit_transform(units))
    low, high = places.min(axis=0), places.max(axis=0)
    scaled: Floats = 2 * (places - low) / np.where(high > low, high - low, 1) - 1
    return scaled


def _nearest(units: Floats, size: int) -> list[list[tuple[int, float]]]:
    """Of each of the first rows those with the largest cosines, itself left out."""
    k = min(NEIGHBORS, len(units) - 1)
    found = []
    for start in range(0, size, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, size))
        cosines = units[rows] @ units.T
        cosines[np.arange(len(rows)), rows] = -np.inf
        # The k largest in any order, then these in theirs: all of a row need not be sorted.
        some = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
        kept = np.take_along_axis(cosines, some, axis=1)
        order = np.argsort(-kept, axis=1, kind="stable")
        for ids, values in zip(
            np.take_along_axis(some, order, axis=1).tolist(),
            np.take_along_axis(kept, order, axis=1).tolist(),
            strict=True,
        ):
            found.append([(id_, round(value, 2)) for id_, value in zip(ids, values, strict=True)])
    return found
