"""Two models side by side: which tokens both know, and which of those have moved."""

import numpy as np

from components.embedding_comparison import measures
from components.embedding_comparison.comparison import Comparison, MovedToken
from components.embedding_comparison.measures import Floats, Rows
from trainer_module import vocabulary
from trainer_module.evaluation.saved_model import SavedModel

NEIGHBORS = 10
# Common tokens that are looked at: those whose neighbours people know, and in seconds.
COMPARED_TOKENS = 10_000
# Another seed alone turns single vectors of rarer tokens right round: on three novels the lowest
# cosine is -.70 from 5 occurrences on, -.21 from 20, .31 from 50 and .36 from 100.
LEAST_COUNT_OF_MOVED = 100
# As many as fit on a screen.
LISTED_TOKENS = 20


def compare(model: SavedModel, last: SavedModel) -> Comparison:
    """Says what has moved between the last blessed model and tonight's.

    Cosines between the models are taken only where both have vectors in one space.
    """
    all_ids, all_last_ids = vocabulary.common(model.vocabulary, last.vocabulary)
    ids, last_ids = all_ids[:COMPARED_TOKENS], all_last_ids[:COMPARED_TOKENS]
    vectors, last_vectors = model.target_table[ids], last.target_table[last_ids]
    overlaps = measures.neighbor_overlaps(vectors, last_vectors, NEIGHBORS)
    cosines = None
    if model.settings.space_id == last.settings.space_id and len(ids):
        cosines = measures.cosines(vectors, last_vectors)
    new = _others(len(model.vocabulary.tokens), all_ids)
    gone = _others(len(last.vocabulary.tokens), all_last_ids)
    return Comparison(
        space_id=model.settings.space_id,
        compared=True,
        last_space_id=last.settings.space_id,
        vocabulary_size=len(model.vocabulary.tokens),
        last_vocabulary_size=len(last.vocabulary.tokens),
        common_tokens=len(all_ids),
        new_tokens=len(new),
        gone_tokens=len(gone),
        most_frequent_new=_tokens(model, new[:LISTED_TOKENS]),
        most_frequent_gone=_tokens(last, gone[:LISTED_TOKENS]),
        neighbor_overlap=float(overlaps.mean()) if len(overlaps) else None,
        neighbor_overlap_by_band=measures.means_by_band(overlaps) if len(overlaps) else None,
        mean_cosine=None if cosines is None else float(cosines.mean()),
        moved_most=_moved_most(model, last, ids, last_ids, overlaps, cosines),
    )


def _others(size: int, ids: Rows) -> Rows:
    """Of a vocabulary those that are not among the ids, the most frequent first."""
    return np.setdiff1d(np.arange(size), ids)


def _tokens(model: SavedModel, ids: Rows) -> tuple[str, ...]:
    return tuple(model.vocabulary.tokens[id_].decode() for id_ in ids)


def _moved_most(
    model: SavedModel,
    last: SavedModel,
    ids: Rows,
    last_ids: Rows,
    overlaps: Floats,
    cosines: Floats | None,
) -> tuple[MovedToken, ...]:
    """By the lowest cosine; where the spaces differ, by the lowest overlap."""
    if not len(overlaps):
        return ()
    counts = np.minimum(model.vocabulary.counts[ids], last.vocabulary.counts[last_ids])
    order = np.argsort(overlaps if cosines is None else cosines, kind="stable")
    moved = order[counts[order] >= LEAST_COUNT_OF_MOVED][:LISTED_TOKENS]
    now, then = _neighbors(model, ids[moved]), _neighbors(last, last_ids[moved])
    return tuple(
        MovedToken(
            token,
            None if cosines is None else float(cosines[row]),
            float(overlaps[row]),
            neighbors,
            last_neighbors,
        )
        for row, token, neighbors, last_neighbors in zip(
            moved, _tokens(model, ids[moved]), now, then, strict=True
        )
    )


def _neighbors(model: SavedModel, ids: Rows) -> list[tuple[str, ...]]:
    """Of each token among all of its model's, the nearest first."""
    directions = measures.unit(model.target_table)
    similar = directions[ids] @ directions.T
    similar[np.arange(len(ids)), ids] = -np.inf
    k = min(NEIGHBORS, similar.shape[1] - 1)
    nearest = np.argsort(-similar, axis=1, kind="stable")[:, :k]
    return [_tokens(model, found) for found in nearest]
