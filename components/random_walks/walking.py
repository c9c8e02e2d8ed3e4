"""Random walks over a graph in memory, many at once, by node2vec's probabilities. NumPy.

A walk that came from t to v goes on to a neighbour x of v with a probability proportional to the
weight of the arc from v to x, times a bias: 1 / p if x is t, 1 if there is an arc from t to x, else
1 / q (Grover and Leskovec 2016). The probabilities of all (t, v, x) would fill any memory. So x is
drawn by the weights alone and accepted with a probability proportional to its bias, else drawn
again (Yang et al., "KnightKing", 2019).

Each draw is a hash of the seed, the id of the node that the walk starts from, the walk's number,
the position in it and the attempt. So a walk is the same in any batch, on any runner.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.random_walks import draws
from components.random_walks.graph import Floats, Graph, Ints

# After so many attempts, or as many as it would be to look at each neighbour, probabilities are
# computed: no weights and no p and q make a step endless.
_MOST_ATTEMPTS = 255
# Neighbours that are looked at together then.
_MOST_NEIGHBORS = 1 << 20
_NO_NODE = -1


class WalkSettings(NamedTuple):
    """How to walk: node2vec's names, see pipeline/sections/corpus.py."""

    num_walks: int
    walk_length: int
    p: float
    q: float
    directed: bool
    seed: int


class _Bias(NamedTuple):
    """What the weight of an arc is multiplied with."""

    back: float  # to the node before
    ahead: float  # to a node that the node before has no arc to; else 1

    @property
    def ceiling(self) -> float:
        """The highest, but for the way back."""
        return max(1.0, self.ahead)

    @property
    def floor(self) -> float:
        """The lowest, but for the way back."""
        return min(1.0, self.ahead)


class _Steps(NamedTuple):
    """Walks that take a step: `[batch]` each."""

    previous: Ints
    current: Ints  # each with an arc
    seeds: draws.Numbers  # of this step's draws

    def at(self, places: npt.NDArray[np.generic]) -> "_Steps":
        """Some of them."""
        return _Steps(self.previous[places], self.current[places], self.seeds[places])


def walk_documents(graph: Graph, begin: int, end: int, settings: WalkSettings) -> Iterator[bytes]:
    """Yields the walks that start from the nodes begin to end - 1, as ids between single blanks.

    Of a node without any arc that is its id, once.
    """
    alone = graph.isolated[begin:end]
    yield from graph.ids[begin:end].filter(pa.array(alone)).to_pylist()
    starts = (begin + np.flatnonzero(~alone)).astype(np.int32)
    numbers = np.repeat(np.arange(settings.num_walks), len(starts))
    visited = walked(graph, np.tile(starts, settings.num_walks), numbers, settings)
    yield from _documents(graph.ids, visited)


def _documents(ids: pa.LargeBinaryArray, visited: Ints) -> list[bytes]:
    by_walk = visited.T
    lengths = np.count_nonzero(by_walk != _NO_NODE, axis=1)
    tokens = ids.take(pa.array(by_walk[by_walk != _NO_NODE]))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    walks = pa.ListArray.from_arrays(offsets, tokens)
    documents: list[bytes] = pc.binary_join(walks, pa.scalar(b" ", tokens.type)).to_pylist()
    return documents


def walked(
    graph: Graph, starts: Ints, numbers: npt.NDArray[np.int64], settings: WalkSettings
) -> Ints:
    """Walks from nodes.

    Args:
      graph: where.
      starts: `[batch]` nodes.
      numbers: `[batch]`, which of the walks from its node each is.
      settings: how.

    Returns:
      `[walk_length, batch]` nodes; -1 where a walk has ended at a node without an arc to follow.
    """
    visited = np.full((settings.walk_length, len(starts)), _NO_NODE, np.int32)
    visited[0] = starts
    seeds = draws.nth_number(_hashes(graph.ids, starts, settings.seed), numbers)
    bias = _Bias(back=1 / settings.p, ahead=1 / settings.q)
    going = np.arange(len(starts))
    for position in range(1, settings.walk_length):
        current = visited[position - 1, going]
        begin, end = graph.rows(current)
        going, current = going[end > begin], current[end > begin]
        of_step = draws.nth_number(seeds[going], position)
        if position == 1 or bias == (1, 1):
            visited[position, going] = graph.drawn(current, draws.uniform(of_step, 0))
        else:
            steps = _Steps(visited[position - 2, going], current, of_step)
            visited[position, going] = _second_order(graph, steps, bias)
    return visited


def _hashes(ids: pa.LargeBinaryArray, nodes: Ints, seed: int) -> draws.Numbers:
    """`[batch]`: a hash of the seed and of each node's id."""
    some, places = np.unique(nodes, return_inverse=True)
    digests = (
        hashlib.blake2b(name, digest_size=8) for name in ids.take(pa.array(some)).to_pylist()
    )
    hashes = np.frombuffer(b"".join(digest.digest() for digest in digests), "<u8")
    return draws.mix(hashes ^ draws.mix(np.array([seed % 2**64], np.uint64)))[places]


def _second_order(graph: Graph, steps: _Steps, bias: _Bias) -> Ints:
    """Draws where steps lead to: `[batch]`."""
    found = np.empty_like(steps.current)
    begin, end = graph.rows(steps.current)
    patience = np.minimum(end - begin, _MOST_ATTEMPTS)
    share = _share_of_way_back(graph, steps, bias)
    left = np.arange(len(found))
    for attempt in range(_MOST_ATTEMPTS + 1):
        given_up = patience[left] <= attempt
        if given_up.any():
            lost = left[given_up]
            found[lost] = _exactly(graph, steps.at(lost), bias)
            left = left[~given_up]
        if not left.size:
            break
        found[left], accepted = _attempted(graph, steps.at(left), share[left], attempt, bias)
        left = left[~accepted]
    return found


def _share_of_way_back(graph: Graph, steps: _Steps, bias: _Bias) -> Floats:
    """What the way back weighs above bias.ceiling, to the rest: `[batch]`.

    Where p is small its bias is far above all others. To draw against so high a ceiling would
    refuse nearly all. So what it has above the others' ceiling is drawn as one more arc, which is
    never refused.
    """
    above = bias.back / bias.ceiling - 1
    if above <= 0:
        return np.zeros(len(steps.current))
    places, exist = graph.find(steps.current, steps.previous)
    begin, end = graph.rows(steps.current)
    return np.where(exist, above * graph.probabilities(places, begin, end), 0.0)


def _attempted(
    graph: Graph, steps: _Steps, share: Floats, attempt: int, bias: _Bias
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Draws a neighbour for each step, and whether it is accepted: two of `[batch]`."""
    first = draws.uniform(steps.seeds, 2 * attempt) * (1 + share)
    drawn = graph.drawn(steps.current, np.minimum(first, 1 - 2**-53))
    candidates = np.where(first < 1, drawn, steps.previous)
    height = draws.uniform(steps.seeds, 2 * attempt + 1) * bias.ceiling
    back = candidates == steps.previous
    accepted = (first >= 1) | (height < np.where(back, bias.back, bias.floor))
    # Only between floor and ceiling does it matter whether there is an arc.
    unsure = np.flatnonzero(~(accepted | back))
    if bias.ahead != 1:
        _, exist = graph.find(steps.previous[unsure], candidates[unsure])
        accepted[unsure] = exist == (bias.ahead < 1)
    return candidates, accepted


def _exactly(graph: Graph, steps: _Steps, bias: _Bias) -> Ints:
    """Draws where steps lead to by the probability of each neighbour: `[batch]`."""
    begin, end = graph.rows(steps.current)
    parts = np.cumsum(end - begin) // _MOST_NEIGHBORS
    cuts = np.flatnonzero(np.diff(parts)) + 1
    batches = np.split(np.arange(len(begin)), cuts)
    return np.concatenate([_exactly_together(graph, steps.at(some), bias) for some in batches])


def _exactly_together(graph: Graph, steps: _Steps, bias: _Bias) -> Ints:
    begin, end = graph.rows(steps.current)
    ends = np.cumsum(end - begin)
    starts = ends - (end - begin)
    walks = np.repeat(np.arange(len(begin)), end - begin)
    places = np.arange(len(walks)) - starts[walks] + begin[walks]
    candidates = graph.neighbors[places]
    previous = steps.previous[walks]
    _, exist = graph.find(previous, candidates)
    weights = graph.probabilities(places, begin[walks], end[walks])
    weights *= np.where(candidates == previous, bias.back, np.where(exist, 1.0, bias.ahead))
    # Each walk's to 1, as a large sum before it would round off what is small.
    sums = np.cumsum(weights / np.add.reduceat(weights, starts)[walks])
    before = np.where(starts > 0, sums[starts - 1], 0.0)
    wanted = before + draws.uniform(steps.seeds, 2 * _MOST_ATTEMPTS) * (sums[ends - 1] - before)
    chosen = np.searchsorted(sums, wanted, side="right")
    drawn: Ints = candidates[np.clip(chosen, starts, ends - 1)]
    return drawn
