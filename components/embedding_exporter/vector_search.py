"""Vectors for nearest-neighbour search: an index of Faiss, and Vertex AI Vector Search's files."""

import contextlib
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.embedding_exporter.formats import Export, Figures, write_lines
from trainer_module.errors import InputError

# Faiss's own number of links a vector, 32, and of vectors looked at to find them, 40.
_LINKS = 32
# How many vectors a search looks at: the first with which enough neighbours are found is kept in
# the index. The least is four times Faiss's own; with the most a search takes milliseconds.
_EFFORTS = (64, 128, 256, 512, 1024)
_ASKED, _NEIGHBORS = 1000, 10
# Rows that are normalised and scored at once: 16 MB of scores for 1,000 that are asked for.
_ROWS_AT_ONCE = 1 << 12
_ROUNDING = 1e-5  # of an inner product of unit vectors, float32, in two orders

# Vector Search takes 5,000 files in a folder at most, and reads several side by side.
_MOST_FILES, _TOKENS_A_FILE = 4_999, 50_000

_Vectors = npt.NDArray[np.float32]
_Rows = npt.NDArray[np.int64]


def faiss(export: Export, path: Path, tokens: Path) -> Figures:
    """An HNSW graph (Malkov and Yashunin 2016) for inner products of unit vectors: cosines.

    Raises:
      InputError: the index finds too few of the nearest neighbours, however many vectors it looks
        at.
    """
    import faiss as library

    vectors = export.model.target_table
    index = library.IndexHNSWFlat(vectors.shape[1], _LINKS, library.METRIC_INNER_PRODUCT)
    with _one_thread(library):
        for start in range(0, len(vectors), _ROWS_AT_ONCE):
            index.add(_units(vectors[start : start + _ROWS_AT_ONCE]))
    effort, recall = _least_effort(index, vectors, export.min_recall)
    if recall < export.min_recall:
        raise InputError(
            f"the index of Faiss finds {recall:.1%} of the {_NEIGHBORS} nearest neighbours, though "
            f"it looks at {effort:,} vectors, and exporter.min_recall asks for "
            f"{export.min_recall:.1%}: lower it, or take faiss out of exporter.formats"
        )
    library.write_index(index, str(path))
    write_lines(tokens, export.tokens)
    return {"recall_at_10": round(recall, 4), "ef_search": effort}


@contextlib.contextmanager
def _one_thread(library: Any) -> Iterator[None]:
    """Several would link the vectors in the order in which they happen to come."""
    threads = library.omp_get_max_threads()
    library.omp_set_num_threads(1)
    try:
        yield
    finally:
        library.omp_set_num_threads(threads)


def _least_effort(index: Any, vectors: _Vectors, min_recall: float) -> tuple[int, float]:
    """Sets how many vectors a search looks at; returns it, and the recall with it."""
    # Of all frequencies: rows are by falling count.
    rows = np.unique(np.linspace(0, len(vectors) - 1, _ASKED).astype(np.int64))
    least = least_scores(vectors, rows)
    effort, found = 0, 0.0
    for effort in _EFFORTS:
        index.hnsw.efSearch = effort  # written into the file with the graph
        found = recall(index, vectors, rows, least)
        if found >= min_recall:
            break
    return effort, found


def recall(index: Any, vectors: _Vectors, rows: _Rows, least: _Vectors) -> float:
    """The share of the nearest neighbours of some tokens that an index finds.

    Of tokens that are equally near any one counts.

    Args:
      index: of the unit vectors.
      vectors: `[vocab, dim]`.
      rows: `[asked]` of the tokens.
      least: `[asked]`, see least_scores.
    """
    wanted = min(_NEIGHBORS, len(vectors) - 1)
    if not wanted:
        return 1.0
    asked = _units(vectors[rows])
    _, found = index.search(asked, wanted + 1)  # itself is among them
    there = _units(vectors[found.reshape(-1)]).reshape(*found.shape, -1)
    is_near = np.einsum("ad,akd->ak", asked, there) >= least[:, np.newaxis] - _ROUNDING
    is_near &= (found >= 0) & (found != rows[:, np.newaxis])
    return float(np.minimum(is_near.sum(axis=1), wanted).mean() / wanted)


def least_scores(vectors: _Vectors, rows: _Rows) -> _Vectors:
    """`[asked]`: the cosine of the last one of each token's nearest neighbours, by all cosines.

    Args:
      vectors: `[vocab, dim]`.
      rows: `[asked]` of the tokens.
    """
    wanted = min(_NEIGHBORS, max(len(vectors) - 1, 1))
    asked = _units(vectors[rows])
    best = np.empty((len(rows), 0), np.float32)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        scores = asked @ _units(vectors[start : start + _ROWS_AT_ONCE]).T
        [inside] = np.nonzero((rows >= start) & (rows < start + _ROWS_AT_ONCE))
        scores[inside, rows[inside] - start] = -np.inf  # a token is no neighbour of itself
        both = np.concatenate([best, scores], axis=1)
        both.partition(max(both.shape[1] - wanted, 0), axis=1)
        best = both[:, -wanted:]
    least: _Vectors = best.min(axis=1)
    return least


def _units(vectors: _Vectors) -> _Vectors:
    norms: Any = np.linalg.norm(vectors, axis=1, keepdims=True)  # float32, which no stub says
    units: _Vectors = vectors / np.maximum(norms, np.float32(1e-30))  # a zero vector stays one
    return units


def vertex(export: Export, folder: Path) -> Figures:
    """JSON lines of id and embedding, and in `delete/` the ids that were there last night.

    An id is a token. None is in both, as Vector Search asks, and none twice.
    """
    folder.mkdir()
    size = max(_TOKENS_A_FILE, math.ceil(len(export.tokens) / _MOST_FILES))
    lines = _json_lines(export)
    for number in range(math.ceil(len(export.tokens) / size)):
        write_lines(folder / f"part-{number:05}.json", itertools.islice(lines, size))
    kept = set(export.tokens)
    gone = [token for token in export.last_tokens if token not in kept]
    if gone:
        (folder / "delete").mkdir()
        write_lines(folder / "delete" / "gone.txt", gone)
    return {"deleted": len(gone)}


def _json_lines(export: Export) -> Iterator[str]:
    numbers = ", ".join(["%.9g"] * export.model.target_table.shape[1])  # gives every float32 back
    for token, vector in zip(export.tokens, export.model.target_table, strict=True):
        # In ASCII: nothing in a token is taken for the end of its line.
        yield f'{{"id": {json.dumps(token)}, "embedding": [{numbers % tuple(vector.tolist())}]}}'
