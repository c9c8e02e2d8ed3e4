from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np
import pytest
from scipy import stats

from components.random_walks import walking
from components.random_walks.walking import WalkSettings, walk_documents
from tests.components.random_walks.reference import Edge, arcs_of, graph_of, probabilities

# a, b and c are a triangle; d hangs on b and c; e stays or goes back; f is an end of directed ones.
EDGES: list[Edge] = [
    ("a", "b", 1.0),
    ("b", "c", 2.0),
    ("c", "a", 0.5),
    ("a", "c", 0.25),
    ("c", "d", 4.0),
    ("d", "b", 1.5),
    ("d", "e", 1.0),
    ("e", "e", 0.75),
    ("e", "d", 0.5),
    ("c", "f", 0.5),
]
ALL_ONE: list[Edge] = [(source, target, 1.0) for source, target, _ in EDGES if source != "a"]


def documents_of(edges: list[Edge], walk: WalkSettings, nodes: tuple[str, ...] = ()) -> list[str]:
    graph, counts = graph_of(edges, nodes, directed=walk.directed)
    return [text.decode() for text in walk_documents(graph, 0, counts.nodes, walk)]


def steps_of(documents: list[str]) -> dict[tuple[str | None, str], Counter[str]]:
    """How often each node came next, by the two before; None before the first."""
    found: dict[tuple[str | None, str], Counter[str]] = defaultdict(Counter)
    for document in documents:
        nodes = [None, *document.split(" ")]
        for before, node, after in zip(nodes, nodes[1:], nodes[2:], strict=False):
            found[before, str(node)][str(after)] += 1
    return found


def check_frequencies(seen: Counter[str], expected: Mapping[str, float]) -> None:
    """By chi-square, at one in a million: there are some hundred of them."""
    assert set(seen) <= set(expected)
    counts = [seen[node] for node in expected]
    if len(counts) > 1:
        wanted = np.array(list(expected.values())) * sum(counts)
        assert stats.chisquare(counts, wanted).pvalue > 1e-6, (seen, expected)


@pytest.mark.parametrize("edges", [EDGES, ALL_ONE], ids=["weights", "ones"])
@pytest.mark.parametrize("directed", [False, True], ids=["undirected", "directed"])
@pytest.mark.parametrize(
    ("p", "q"), [(1, 1), (0.25, 4), (4, 0.25), (0.01, 0.5), (50, 50), (0.2, 0.1), (3, 1), (1, 7)]
)
def test_steps_are_taken_with_node2vecs_probabilities(
    edges: list[Edge], directed: bool, p: float, q: float
) -> None:
    walk = WalkSettings(num_walks=2000, walk_length=12, p=p, q=q, directed=directed, seed=3)
    arcs = arcs_of(edges, directed=directed)
    found = steps_of(documents_of(edges, walk))
    assert {node for before, node in found if before is None} == set(arcs)
    for (before, node), seen in found.items():
        check_frequencies(seen, probabilities(arcs, before, node, p, q))


@pytest.mark.parametrize("most", [0, 1, 2])
def test_what_is_drawn_exactly_has_the_same_probabilities(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(walking, "_MOST_ATTEMPTS", most)
    monkeypatch.setattr(walking, "_MOST_NEIGHBORS", 100)
    test_steps_are_taken_with_node2vecs_probabilities(EDGES, False, 0.25, 4)
    test_steps_are_taken_with_node2vecs_probabilities(ALL_ONE, True, 4, 0.1)
