"""A graph in memory: ids as numbers, and the neighbours of each node in a row. NumPy and Arrow.

Nodes are numbered in the order of the bytes of their ids, so nothing depends on where an edge
stood. An undirected edge is two arcs, one each way; a self loop is one arc, as it is in node2vec's
own code, which keeps self loops too: a walk may stay where it is.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from trainer_module.errors import InputError

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# An arc is a number: its source in the upper half, its target in the lower one.
_HALF = 32
_LOWER = (1 << _HALF) - 1
_MOST_NODES = 1 << 31
_NO_NODES = np.empty(0, np.int32)
_NO_WEIGHTS = np.empty(0, np.float64)


class Edges(NamedTuple):
    """Some edges, by numbers of nodes that only they have."""

    ids: pa.LargeBinaryArray  # [nodes], each once; a node need not have an edge
    sources: Ints  # [edges], places in ids
    targets: Ints  # [edges]
    weights: Floats  # [edges], above 0; or empty: all are 1


class Counts(NamedTuple):
    """What a graph holds."""

    nodes: int
    edges: int  # parallel ones once
    self_loops: int
    isolated_nodes: int


class Graph(NamedTuple):
    """The arcs of each node, one behind the other: node n has those from offsets[n] on."""

    ids: pa.LargeBinaryArray  # [nodes], sorted
    offsets: Longs  # [nodes + 1]
    neighbors: Ints  # [arcs], sorted within a node's
    # [arcs], of the probability within a node's, or empty: all arcs weigh the same.
    cumulative: Floats
    isolated: npt.NDArray[np.bool_]  # [nodes], whether no arc comes or goes

    def rows(self, nodes: npt.NDArray[np.integer]) -> tuple[Longs, Longs]:
        """Where the arcs of nodes begin and end: two of `[batch]`."""
        return self.offsets[nodes], self.offsets[nodes + 1]

    def drawn(self, nodes: Ints, uniform: Floats) -> Ints:
        """Draws a neighbour of each node by the weights of its arcs.

        Args:
          nodes: `[batch]`, each with an arc.
          uniform: `[batch]`, in [0, 1).

        Returns:
          `[batch]`
        """
        begin, end = self.rows(nodes)
        if self.cumulative.size:
            places = first_above(self.cumulative, begin, end, uniform)
        else:
            places = begin + (uniform * (end - begin)).astype(np.int64)
        # A last sum may lie a rounding below 1, and a product be rounded up.
        return self.neighbors[np.minimum(places, end - 1)]

    def probabilities(self, places: Longs, begin: Longs, end: Longs) -> Floats:
        """The probability with which a step from a node takes an arc: `[batch]`.

        Args:
          places: `[batch]`, of arcs.
          begin: `[batch]`, where the arcs of the same node begin.
          end: `[batch]`, and where they end.
        """
        if not self.cumulative.size:
            return 1.0 / (end - begin)
        before = np.where(places > begin, self.cumulative[places - 1], 0.0)
        return self.cumulative[places] - before

    def find(self, sources: Ints, targets: Ints) -> tuple[Longs, npt.NDArray[np.bool_]]:
        """Looks for arcs.

        Args:
          sources: `[batch]`
          targets: `[batch]`

        Returns:
          `[batch]`, where they are, and `[batch]`, whether they are.
        """
        begin, end = self.rows(sources)
        places = first_above(self.neighbors, begin, end, targets - 1)
        inside = places < end
        places = np.where(inside, places, 0)
        return places, inside & (self.neighbors[places] == targets)


def first_above(
    values: npt.NDArray[np.generic], begin: Longs, end: Longs, bounds: npt.NDArray[np.generic]
) -> Longs:
    """Searches many rows at once: the first place in each whose value is above a bound.

    Args:
      values: `[all]`, rising within a row.
      begin: `[batch]`, of each row.
      end: `[batch]`
      bounds: `[batch]`

    Returns:
      `[batch]` places in values; `end` where no value is above.
    """
    longest = int((end - begin).max(initial=0))
    places = begin.copy()
    # Skips what is not above in strides of falling powers of two, each cut off at its row's end. Of
    # an empty row what is read does not matter: it has nowhere to go.
    for stride in (1 << bit for bit in reversed(range(longest.bit_length()))):
        ahead = np.minimum(places + stride, end)
        places = np.where(values[ahead - 1] <= bounds, ahead, places)
    return places


def encoded(
    sources: Sequence[bytes],
    targets: Sequence[bytes],
    weights: Floats,
    nodes: Sequence[bytes] = (),
) -> Edges:
    """Numbers the ids of some edges; one of weight 0 is none, and leaves its nodes."""
    ids = pa.array([*sources, *targets, *nodes], pa.large_binary()).dictionary_encode()
    ends = ids.indices.to_numpy()[: 2 * len(sources)].reshape(2, -1)[:, weights > 0]
    above = weights[weights > 0]
    return Edges(ids.dictionary, ends[0], ends[1], above[:0] if (above == 1).all() else above)


def joined(parts: Sequence[Edges]) -> Edges:
    """All edges of parts, with ids in the order of their bytes."""
    parts = [part for part in parts if len(part.ids)]  # Arrow leaves out empty chunks
    ids, numbers = _numbered([part.ids for part in parts])
    ends = list(zip(numbers, parts, strict=True))
    weighed = any(part.weights.size for part in parts)
    return Edges(
        ids,
        np.concatenate([_NO_NODES, *(of[part.sources] for of, part in ends)]),
        np.concatenate([_NO_NODES, *(of[part.targets] for of, part in ends)]),
        np.concatenate([_NO_WEIGHTS, *(_weights(part) for part in parts if weighed)]),
    )


def _weights(part: Edges) -> Floats:
    return part.weights if part.weights.size else np.ones(len(part.sources))


def _numbered(
    dictionaries: Sequence[pa.LargeBinaryArray],
) -> tuple[pa.LargeBinaryArray, list[Ints]]:
    """All ids, sorted, and the numbers among them of those of each dictionary."""
    encoded = pa.chunked_array(dictionaries, pa.large_binary()).dictionary_encode()
    if not encoded.num_chunks:
        return pa.array([], pa.large_binary()), []
    # Arrow's hash table grows over the chunks: the last dictionary begins with those before it.
    unsorted = encoded.chunk(encoded.num_chunks - 1).dictionary
    if len(unsorted) >= _MOST_NODES:
        raise InputError(
            f"the graph has {len(unsorted)} nodes; walks take fewer than {_MOST_NODES}"
        )
    order = pc.array_sort_indices(unsorted)
    numbers = np.empty(len(unsorted), np.int32)
    numbers[order.to_numpy()] = np.arange(len(unsorted), dtype=np.int32)
    return unsorted.take(order), [numbers[chunk.indices.to_numpy()] for chunk in encoded.chunks]


def connected(edges: Edges, *, directed: bool) -> tuple[Graph, Counts]:
    """Brings the arcs of each node together.

    Args:
      edges: with sorted ids. Parallel ones become one, and their weights are added.
      directed: whether an edge is one arc, not two.
    """
    num_nodes = len(edges.ids)
    arcs, weights = _merged(*_arcs(edges, directed=directed))
    sources = arcs >> _HALF
    neighbors = (arcs & _LOWER).astype(np.int32)
    offsets = np.searchsorted(arcs, np.arange(num_nodes + 1, dtype=np.int64) << _HALF)
    isolated = np.diff(offsets) == 0
    isolated[neighbors] = False
    loops = int(np.count_nonzero(sources == neighbors))
    counts = Counts(
        nodes=num_nodes,
        edges=len(arcs) if directed else (len(arcs) + loops) // 2,
        self_loops=loops,
        isolated_nodes=int(np.count_nonzero(isolated)),
    )
    cumulative = _cumulative(weights, offsets)
    return Graph(edges.ids, offsets, neighbors, cumulative, isolated), counts


def _arcs(edges: Edges, *, directed: bool) -> tuple[Longs, Floats]:
    """The arcs of edges and their weights, or no weights."""
    arcs = (edges.sources.astype(np.int64) << _HALF) | edges.targets
    if directed:
        return arcs, edges.weights
    other = edges.sources != edges.targets
    back = (edges.targets.astype(np.int64) << _HALF) | edges.sources
    weights = edges.weights
    both = np.concatenate([weights, weights[other]]) if weights.size else weights
    return np.concatenate([arcs, back[other]]), both


def _merged(arcs: Longs, weights: Floats) -> tuple[Longs, Floats]:
    """Each arc once, sorted, with the sum of its weights."""
    if weights.size:
        # By weight too: a sum of floats depends on their order.
        order = np.lexsort((weights, arcs))
        arcs, weights = arcs[order], weights[order]
    else:
        arcs.sort()
    starts = np.flatnonzero(np.diff(arcs, prepend=-1))
    if weights.size:
        sums = np.add.reduceat(weights, starts)
    else:
        sums = np.diff(starts, append=len(arcs)).astype(np.float64)
    return arcs[starts], sums


def _cumulative(weights: Floats, offsets: Longs) -> Floats:
    """The cumulative probabilities within each node's arcs; nothing if all weigh the same."""
    if not weights.size or weights.min() == weights.max():
        return _NO_WEIGHTS
    degrees = np.diff(offsets)
    starts = offsets[:-1][degrees > 0]
    totals = np.add.reduceat(weights, starts)
    # One sum over all nodes' probabilities: what it has come to before a node is near a whole
    # number, so that a rounding is some 1e-10 of a probability with a million nodes.
    sums: Floats = np.cumsum(weights / np.repeat(totals, degrees[degrees > 0]))
    before = np.concatenate([[0.0], sums[starts[1:] - 1]])
    sums -= np.repeat(before, degrees[degrees > 0])
    return sums
