from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
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
    check_walks(edges, WalkSettings(2000, 12, p=p, q=q, directed=directed, seed=3))


def check_walks(edges: list[Edge], walk: WalkSettings) -> None:
    arcs = arcs_of(edges, directed=walk.directed)
    found = steps_of(documents_of(edges, walk))
    assert {node for before, node in found if before is None} == set(arcs)
    for (before, node), seen in found.items():
        check_frequencies(seen, probabilities(arcs, before, node, walk.p, walk.q))


def test_probabilities_are_met_to_one_in_a_hundred() -> None:
    check_walks(EDGES, WalkSettings(50_000, 8, p=0.25, q=4, directed=False, seed=3))


@pytest.mark.parametrize("most", [0, 1, 2])
def test_what_is_drawn_exactly_has_the_same_probabilities(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(walking, "_MOST_ATTEMPTS", most)
    monkeypatch.setattr(walking, "_MOST_NEIGHBORS", 100)
    check_walks(EDGES, WalkSettings(2000, 12, p=0.25, q=4, directed=False, seed=3))
    check_walks(ALL_ONE, WalkSettings(2000, 12, p=4, q=0.1, directed=True, seed=3))


NODES = st.sampled_from("abcdefgh")
GRAPHS = st.lists(st.tuples(NODES, NODES, st.sampled_from([1.0, 0.5, 3.0])), max_size=25)


@given(GRAPHS, st.booleans(), st.sampled_from([0.1, 1, 9]), st.sampled_from([0.1, 1, 9]))
def test_walks_go_along_arcs_from_each_node_until_they_end(
    edges: list[Edge], directed: bool, p: float, q: float
) -> None:
    walk = WalkSettings(num_walks=3, walk_length=7, p=p, q=q, directed=directed, seed=5)
    arcs = arcs_of(edges, directed=directed)
    walks = [text.split(" ") for text in documents_of(edges, walk, ("i", "a"))]
    connected = {node for source, target, _ in edges for node in (source, target)}
    isolated = {"i", "a"} - connected
    assert Counter(nodes[0] for nodes in walks) == {
        **dict.fromkeys(connected, 3),
        **dict.fromkeys(isolated, 1),
    }
    for nodes in walks:
        assert all(after in arcs[node] for node, after in pairwise(nodes))
        assert len(nodes) == 7 or not arcs[nodes[-1]]


@given(GRAPHS, st.integers(1, 9))
def test_walks_are_the_same_in_any_block(edges: list[Edge], block: int) -> None:
    walk = WalkSettings(num_walks=2, walk_length=6, p=0.3, q=3, directed=False, seed=5)
    graph, counts = graph_of(edges, ("i",), directed=False)
    blocks = [
        document
        for begin in range(0, counts.nodes, block)
        for document in walk_documents(graph, begin, min(begin + block, counts.nodes), walk)
    ]
    assert sorted(blocks) == sorted(walk_documents(graph, 0, counts.nodes, walk))


def test_what_else_is_in_the_graph_changes_no_walk() -> None:
    """So the walks of most nodes are last night's, though others have other numbers."""
    walk = WalkSettings(num_walks=5, walk_length=9, p=0.3, q=3, directed=False, seed=5)
    apart: list[Edge] = [("A", "Aa", 1.0), ("Aa", "z", 2.0), ("A", "z", 1.0)]
    before, after = documents_of(EDGES, walk), documents_of(EDGES + apart, walk)
    assert [walk for walk in after if walk.split(" ")[0] in "abcdef"] == before


def test_seeds_and_numbers_give_walks_of_their_own() -> None:
    walk = WalkSettings(num_walks=50, walk_length=30, p=0.3, q=3, directed=False, seed=5)
    walks = documents_of(EDGES, walk) + documents_of(EDGES, walk._replace(seed=6))
    assert len(set(walks)) == 2 * 6 * 50


def test_a_step_ends_where_hardly_a_neighbour_is_accepted() -> None:
    """A star: who is at its centre came from a leaf, and no other leaf is near that one."""
    star: list[Edge] = [("hub", f"leaf{leaf}", 1.0) for leaf in range(2000)]
    walk = WalkSettings(num_walks=1, walk_length=4, p=1e6, q=1e6, directed=False, seed=2)
    walks = [text.split(" ") for text in documents_of(star, walk)]
    from_leaves = Counter(nodes[2] for nodes in walks if nodes[0] != "hub")
    # All of 2000 leaves have the same bias: of 2000 draws each gets one, one in e gets none.
    assert len(from_leaves) == pytest.approx(2000 * (1 - np.exp(-1)), rel=0.05)
