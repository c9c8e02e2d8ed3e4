"""The most frequent words on a plane, where those with like vectors lie close together."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.results.embeddings import Embeddings

# What a picture can hold and a search can find; t-SNE takes 2 CPU seconds.
MAPPED_WORDS = 2_000
# With fewer there are no groups to see.
LEAST_WORDS = 5
# Neighbours of a word that is found are sought among so many of the most frequent: half a second,
# whatever the vocabulary.
SOUGHT_AMONG = 10_000
NEIGHBORS = 8
# Neighbours that each point is held near to. With scikit-learn's 30 as many of a word's 8 nearest
# are so on the map too (.41 on the quick start), in a fifth more of the time.
_PERPLEXITY = 20.0
# scikit-learn's first phase takes 250. With 350 the map is no truer.
_ITERATIONS = 300
# How coarsely far points are taken together; with scikit-learn's 0.5 it is no truer, and slower.
_ANGLE = 0.8
_BLOCK = 500  # rows

Floats = npt.NDArray[np.float32]


class MappedWord(NamedTuple):
    """A token and its place, in the order of the vocabulary."""

    token: str
    occurrences: int | None
    x: float  # -1 to 1, and so is y
    y: float
    neighbors: tuple[tuple[str, float], ...]  # with their cosines, the nearest first


def word_map(vectors: Embeddings) -> list[MappedWord]:
    """The most frequent tokens; the same vectors give the same map.

    None if there are too few, or where vectors hold what is no number.

    Args:
      vectors: of a model.
    """
    size = min(MAPPED_WORDS, len(vectors))
    units = _units(vectors.vectors[:SOUGHT_AMONG])
    if size < LEAST_WORDS or not np.isfinite(units).all():
        return []
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
    return np.asarray(rows / np.where(norms > 0, norms, 1), np.float32)


def _places(units: Floats) -> Floats:
    """`[words, 2]`, each coordinate from -1 to 1. Of unit vectors distances go as cosines do."""
    # Both take a second to import.
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    tsne = TSNE(
        init=_beginning(units),
        random_state=0,
        perplexity=min(_PERPLEXITY, (len(units) - 1) / 3),
        max_iter=_ITERATIONS,
        angle=_ANGLE,
    )
    # With several threads sums are rounded as these happen to end, and no map comes twice.
    with threadpool_limits(1):
        places: Floats = tsne.fit_transform(units)
    low, high = places.min(axis=0), places.max(axis=0)
    return np.asarray(2 * (places - low) / np.where(high > low, high - low, 1) - 1, np.float32)


def _beginning(units: Floats) -> Floats:
    """`[words, 2]`: the first two principal components, as small as t-SNE wants them.

    scikit-learn's own divides by their spread: where all vectors are alike it ends the process.
    """
    centered = units - units.mean(axis=0)
    left, values, _ = np.linalg.svd(centered, full_matrices=False)
    components = np.zeros((len(units), 2))
    components[:, : left.shape[1]] = (left * values)[:, :2]
    spread = max(float(components[:, 0].std()), 1e-6)
    # No two words begin at one place.
    apart = np.random.default_rng(0).normal(size=components.shape)
    beginning: Floats = (1e-4 * (components / spread + 0.01 * apart)).astype(np.float32)
    return beginning


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
