"""The first pass: the held-out pairs by their targets, so that each target is summed once."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.embedding_evaluator.pairs.sampling import Sampling
from trainer_module import features
from trainer_module.evaluation.export import parse_documents
from trainer_module.text import hashing

Ids = npt.NDArray[np.int64]

# Stands in the place of a context where a target's pairs are counted, whatever their contexts.
_ANY = -1


class Pairs(NamedTuple):
    """Of documents, one behind the other: `[pairs]` each."""

    targets: Ids
    contexts: Ids
    documents: Ids  # rising

    @classmethod
    def of(cls, loaded: Any, examples: npt.NDArray[Any]) -> Self:
        """As the model `loaded` draws them, of `[batch]` serialized tf.Examples."""
        found = loaded.pairs(tf.constant(examples))
        names = features.TARGET, features.CONTEXT, features.DOCUMENT
        targets, contexts, documents = (found[name].numpy() for name in names)
        return cls(targets, contexts, documents)


class Block(NamedTuple):
    """Some targets with their pairs, each pair once."""

    targets: Ids  # [targets]
    num_pairs: Ids  # [targets], of all that were met
    # Of those that are to be ranked, [pairs] each.
    pair_targets: Ids
    pair_contexts: Ids
    occurrences: Ids

    @classmethod
    def merged(cls, parts: Iterable[npt.NDArray[np.int32]]) -> Self:
        """Puts together what `collected` gave of one block."""
        targets, contexts, numbers = np.concatenate([*parts], axis=1).astype(np.int64)
        targets, contexts, numbers = _distinct(targets, contexts, numbers)
        counted = contexts == _ANY
        return cls(
            targets[counted],
            numbers[counted],
            *(of_pairs[~counted] for of_pairs in (targets, contexts, numbers)),
        )


def collected(
    pairs: Pairs, examples: npt.NDArray[Any], sampling: Sampling
) -> Iterator[tuple[int, npt.NDArray[np.int32]]]:
    """Blocks with what goes into them: `[3, n]`, a target, a context or none, and how often.

    Args:
      pairs: of the documents.
      examples: `[batch]`, the documents.
      sampling: says which pairs are ranked.
    """
    if not len(pairs.targets):
        return
    hashes = hashing.document_hashes(*parse_documents(tf.constant(examples)))
    starts = np.searchsorted(pairs.documents, pairs.documents, side="left")
    positions = np.arange(len(starts)) - starts
    ranked = sampling.draw(hashes, pairs.documents, positions, pairs.targets)
    targets, contexts, numbers = _distinct(
        np.concatenate([pairs.targets, pairs.targets[ranked]]),
        np.concatenate([np.full_like(pairs.targets, _ANY), pairs.contexts[ranked]]),
    )
    blocks = targets % sampling.num_blocks
    order = np.argsort(blocks, kind="stable")
    rows = np.stack([targets, contexts, numbers]).astype(np.int32)[:, order]
    found, begins = np.unique(blocks[order], return_index=True)
    yield from zip(found.tolist(), np.split(rows, begins[1:], axis=1), strict=True)


def _distinct(targets: Ids, contexts: Ids, numbers: Ids | None = None) -> tuple[Ids, Ids, Ids]:
    """Each (target, context) once, in their order, with how often it stands there."""
    width = int(contexts.max(initial=0)) + 2
    keys, places = np.unique(targets * width + (contexts - _ANY), return_inverse=True)
    weights = None if numbers is None else numbers.astype(np.float64)
    counts = np.bincount(places, weights, len(keys)).astype(np.int64)
    return keys // width, keys % width + _ANY, counts
