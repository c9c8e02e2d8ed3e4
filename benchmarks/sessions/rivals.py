"""What recommends the next item without us: popularity, counts of what stands together, gensim."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse

from benchmarks.sessions.next_item import HeldOut, Scorer, Scores
from benchmarks.sessions.vectors import by_neighbors, by_scores, last, mean


def popularity(held: HeldOut) -> dict[str, Scorer]:
    """The items that most sessions hold, whatever came before."""
    counts = np.bincount(np.concatenate([*map(np.array, held.train)]), minlength=len(held.items))
    scores = counts.astype(np.float32)
    return {"": lambda sessions: np.tile(scores, [len(sessions), 1])}


def item_knn(held: HeldOut) -> dict[str, Scorer]:
    """The items that stand in the same sessions: the cosine of two columns of sessions x items.

    And without the norms, which are hard on what many have bought: the counts themselves.
    """
    sizes = [len(set(session)) for session in held.train]
    columns = np.concatenate([np.array(sorted(set(session))) for session in held.train])
    shape = (len(sizes), len(held.items))
    rows = np.repeat(np.arange(len(sizes)), sizes)
    ones = np.ones(len(rows), np.float32)
    sessions_items = scipy.sparse.csr_matrix((ones, (rows, columns)), shape)
    norms = np.sqrt(np.asarray(sessions_items.sum(0)).ravel())
    units = scipy.sparse.diags(1 / np.maximum(norms, 1))
    counts = (sessions_items.T @ sessions_items).tocsr()
    cosines = (units @ counts @ units).tocsr()

    def of_all(sessions: Sequence[Sequence[int]]) -> Scores:
        rows = np.repeat(np.arange(len(sessions)), [len(session) for session in sessions])
        items = np.concatenate([*map(np.array, sessions)])
        shape = (len(sessions), len(held.items))
        asked = scipy.sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, items)), shape)
        return np.asarray((asked @ cosines).todense(), np.float32)

    return {
        "cosine, last item": _rows_of_last(cosines),
        "cosine, whole session": of_all,
        "counts, last item": _rows_of_last(counts),
    }


def sequential_rules(held: HeldOut, *, window: int = 10) -> dict[str, Scorer]:
    """The items that followed on the last one, each by 1 / distance (Ludewig and Jannach 2018)."""
    pairs = [
        (session[place], session[place + distance], 1 / distance)
        for session in held.train
        for distance in range(1, window + 1)
        for place in range(len(session) - distance)
    ]
    rows, columns, weights = (np.array(part) for part in zip(*pairs, strict=True))
    shape = (len(held.items), len(held.items))
    found = scipy.sparse.csr_matrix((weights.astype(np.float32), (rows, columns)), shape)
    return {"last item": _rows_of_last(found)}


def _rows_of_last(matrix: Any) -> Scorer:
    """Scores that are a row of the matrix each, that of the session's last item."""

    def scores(sessions: Sequence[Sequence[int]]) -> Scores:
        return np.asarray(matrix[[session[-1] for session in sessions]].todense(), np.float32)

    return scores


def gensims(held: HeldOut, *, seed: int = 1, **settings: Any) -> dict[str, Scorer]:
    """gensim's Word2Vec(sg=1) by its neighbours, and by its output layer."""
    from gensim.models import Word2Vec

    model = Word2Vec(held.documents, sg=1, seed=seed, workers=1, **settings)
    rows = np.array([model.wv.key_to_index.get(item, -1) for item in held.items])
    known = rows >= 0
    vectors = np.where(known[:, np.newaxis], model.wv.vectors[rows], 0)
    outputs = np.where(known[:, np.newaxis], model.syn1neg[rows], 0)
    biases = np.where(known, 0, -np.inf)
    return {
        "neighbours of the last item": by_neighbors(vectors, last),
        "neighbours of the mean": by_neighbors(vectors, mean),
        "output layer, last item": by_scores(vectors, outputs, biases, last),
        "output layer, mean": by_scores(vectors, outputs, biases, mean),
    }
