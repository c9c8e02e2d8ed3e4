"""node2vec by its definition: dicts, a node at a time."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from components.random_walks import graph
from components.random_walks.graph import Counts, Graph

Edge = tuple[str, str, float]
Arcs = dict[str, dict[str, float]]


def arcs_of(edges: Iterable[Edge], *, directed: bool) -> Arcs:
    """The weight of each arc, by source and target."""
    arcs: Arcs = defaultdict(dict)
    for source, target, weight in edges:
        arcs[source][target] = arcs[source].get(target, 0) + weight
        if not directed and source != target:
            arcs[target][source] = arcs[target].get(source, 0) + weight
    return arcs


def probabilities(
    arcs: Arcs, before: str | None, node: str, p: float, q: float
) -> dict[str, float]:
    """Of each neighbour of a node: of a step to it, by where the walk came from."""

    def bias(neighbor: str) -> float:
        if before is None:
            return 1
        if neighbor == before:
            return 1 / p
        return 1 if neighbor in arcs.get(before, {}) else 1 / q

    weights = {neighbor: w * bias(neighbor) for neighbor, w in arcs.get(node, {}).items()}
    return {neighbor: w / sum(weights.values()) for neighbor, w in weights.items()}


def as_bytes(names: Iterable[str]) -> list[bytes]:
    return [name.encode() for name in names]


def batch_of(edges: Iterable[Edge], nodes: Iterable[str] = ()) -> graph.Edges:
    sources, targets, weights = zip(*edges, strict=True) if edges else ((), (), ())
    return graph.encoded(
        as_bytes(sources), as_bytes(targets), np.array(weights, np.float64), as_bytes(nodes)
    )


def graph_of(
    edges: Iterable[Edge], nodes: Iterable[str] = (), *, directed: bool
) -> tuple[Graph, Counts]:
    return graph.connected(graph.joined([batch_of(edges, nodes)]), directed=directed)
