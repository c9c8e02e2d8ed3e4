"""The tasks of graphs by hand: lost nodes, pairs without an edge, classes, links; and nights."""

import numpy as np
import pytest

from benchmarks.graphs.nights import Night, tonights
from benchmarks.graphs.tasks import (
    Links,
    Vectors,
    classification,
    draw_non_edges,
    link_prediction,
    unordered,
)


def test_a_lost_node_has_zeros() -> None:
    vectors = Vectors(["b", "a"], np.array([[1, 2], [3, 4]], np.float32))
    assert vectors.of(["a", "c", "b"]).tolist() == [[3, 4], [0, 0], [1, 2]]


def test_non_edges_are_distinct_pairs_of_two_nodes_and_never_edges() -> None:
    # A path of 7 nodes has 6 edges; of 21 pairs of nodes 15 are none.
    path = [(str(node), str(node + 1)) for node in range(6)]
    for seed in range(20):
        links = draw_non_edges([*path[:4], ("2", "2")], path[4:], seed=seed)
        drawn = [*links.train_non_edges, *links.held_out_non_edges]
        assert (len(links.train_non_edges), len(links.held_out_non_edges)) == (5, 2)
        assert len(set(map(unordered, drawn))) == 7
        assert all(abs(int(first) - int(second)) > 1 for first, second in drawn)


def test_a_graph_with_too_few_pairs_without_an_edge_is_refused() -> None:
    with pytest.raises(ValueError, match="3 nodes with 1 pairs without an edge"):
        draw_non_edges([("a", "b"), ("b", "c")], [], seed=1)


def test_vectors_that_tell_the_classes_find_them_all() -> None:
    nodes = [str(node) for node in range(100)]
    labels = {node: "even" if int(node) % 2 == 0 else "odd" for node in nodes}
    table = np.array([[1, 0] if labels[node] == "even" else [0, 1] for node in nodes], np.float32)
    found = classification(Vectors(nodes, 10 * table), labels)
    perfect = {"micro": [1.0, 0.0], "macro": [1.0, 0.0]}
    assert found == {"lost_nodes": 0, "10%": perfect, "50%": perfect, "90%": perfect}
    assert classification(Vectors(nodes[2:], table[2:]), labels)["lost_nodes"] == 2


def test_links_are_ranked_by_products() -> None:
    # The products of the held-out edges are 3 and 1, of the others 2 and 0. Of the four pairs of an
    # edge with another three are in order; the precisions at the edges are 1 and 2 / 3.
    vectors = Vectors(["one", *"abcd"], np.array([[1], [3], [1], [2], [0]], np.float32))
    asked = [("one", "a"), ("one", "b")], [("one", "c"), ("one", "d")]
    found = link_prediction(vectors, Links([("one", "a")], asked[0], [("one", "d")], asked[1]))
    figures = {"auc": 0.75, "average_precision": 0.8333}
    assert found == {"lost_nodes": 0, "dot": figures, "hadamard": figures}


def test_a_night_has_a_share_of_the_edges_and_some_of_them_rewired() -> None:
    path = [(str(node), str(node + 1)) for node in range(100)]
    whole = tonights(Night("", 0), path)
    assert sorted(whole) == sorted(path)
    assert set(tonights(Night("", 0, share=0.5), path)) == set(whole[:50])
    rewired = tonights(Night("", 0, rewired=0.3), path)
    # By chance some of the 30 are edges of the path.
    assert len(rewired) == 100
    assert rewired[30:] == whole[30:]
    assert len(set(rewired) - set(path)) > 20
