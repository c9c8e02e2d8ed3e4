import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.random_walks import files, graph
from components.random_walks.graph import Counts, Graph
from tests.components.random_walks.reference import Edge, arcs_of, batch_of, graph_of, probabilities

# Names that are sorted by bytes, not by letters or lengths, and are not cut at a zero.
NAMES = st.sampled_from(["a", "aa", "b", "B", "é", "a\x00", "10", "9", "Ω"])
WEIGHTS = st.sampled_from([1.0, 1.0, 0.1, 0.2, 0.3, 1e9, 2**-40])
EDGES = st.lists(st.tuples(NAMES, NAMES, WEIGHTS), max_size=30)
ONES = st.lists(st.tuples(NAMES, NAMES, st.just(1.0)), max_size=30)


def contents(made: Graph) -> list[list[object]]:
    return [list(made.ids.to_pylist()), *(array.tolist() for array in made[1:])]


def read_back(made: Graph) -> dict[str, dict[str, float]]:
    """The probability of each arc, by source and target."""
    ids = [name.decode() for name in made.ids.to_pylist()]
    found: dict[str, dict[str, float]] = {}
    for number, (begin, end) in enumerate(pairwise(made.offsets.tolist())):
        places = np.arange(begin, end)
        shares = made.probabilities(places, np.full_like(places, begin), np.full_like(places, end))
        targets = [ids[neighbor] for neighbor in made.neighbors[begin:end]]
        if targets:
            found[ids[number]] = dict(zip(targets, shares.tolist(), strict=True))
    return found


@given(st.one_of(EDGES, ONES), st.lists(NAMES, max_size=5), st.booleans())
def test_a_graph_is_that_of_dicts(edges: list[Edge], nodes: list[str], directed: bool) -> None:
    made, counts = graph_of(edges, nodes, directed=directed)
    arcs = arcs_of(edges, directed=directed)
    ended = {target for _, target, _ in edges} | {source for source, _, _ in edges}
    assert made.ids.to_pylist() == sorted(name.encode() for name in ended | set(nodes))
    expected = {node: probabilities(arcs, None, node, 1, 1) for node in arcs}
    found = read_back(made)
    assert {node: list(shares) for node, shares in found.items()} == {
        node: sorted(shares, key=str.encode) for node, shares in expected.items()
    }
    for node, shares in expected.items():
        assert found[node] == pytest.approx(shares, abs=1e-12)
    ids = [name.decode() for name in made.ids.to_pylist()]
    assert {ids[n] for n in np.flatnonzero(made.isolated)} == set(nodes) - ended
    distinct = {(s, t) if directed else tuple(sorted((s, t))) for s, t, _ in edges}
    assert counts == Counts(
        nodes=len(ended | set(nodes)),
        edges=len(distinct),
        self_loops=sum(s == t for s, t in distinct),
        isolated_nodes=len(set(nodes) - ended),
    )


@given(EDGES, st.lists(NAMES, max_size=5), st.booleans(), st.randoms(use_true_random=False))
def test_a_graph_is_the_same_bit_by_bit_in_any_order_and_parts(
    edges: list[Edge], nodes: list[str], directed: bool, chance: random.Random
) -> None:
    whole, counts = graph_of(edges, nodes, directed=directed)
    mixed = chance.sample(edges, len(edges))
    cut = chance.randint(0, len(edges))
    parts = [batch_of(mixed[:cut], nodes), batch_of(mixed[cut:]), batch_of([], nodes[:2])]
    again = graph.connected(graph.joined([graph.joined(parts[:2]), parts[2]]), directed=directed)
    assert contents(again[0]) == contents(whole)
    assert again[1] == counts


def test_weights_by_hand() -> None:
    edges = [("a", "b", 1.0), ("b", "a", 2.0), ("a", "c", 1.0), ("b", "b", 3.0), ("c", "d", 0.0)]
    made, counts = graph_of(edges, directed=False)
    assert read_back(made) == {
        "a": {"b": 0.75, "c": 0.25},
        "b": {"a": 0.5, "b": 0.5},
        "c": {"a": 1.0},
    }
    assert made.isolated.tolist() == [False, False, False, True]
    assert counts == Counts(nodes=4, edges=3, self_loops=1, isolated_nodes=1)


def test_where_all_weigh_the_same_no_weights_are_kept() -> None:
    assert graph_of([("a", "b", 2.5), ("b", "c", 2.5)], directed=False)[0].cumulative.size == 0
    assert graph_of([("a", "b", 2.5), ("b", "c", 2)], directed=True)[0].cumulative.size == 2


@given(st.lists(st.lists(st.integers(0, 9), max_size=9), max_size=5), st.data())
def test_the_first_above_is_that_of_a_loop(rows: list[list[int]], data: st.DataObject) -> None:
    values = np.array([value for row in rows for value in sorted(row)], np.int64)
    ends = np.cumsum([0, *map(len, rows)])
    bounds = data.draw(st.lists(st.integers(-1, 10), min_size=len(rows), max_size=len(rows)))
    expected = [
        next((at for at in range(begin, end) if values[at] > bound), end)
        for begin, end, bound in zip(ends, ends[1:], bounds, strict=False)
    ]
    if values.size:
        found = graph.first_above(values, ends[:-1], ends[1:], np.array(bounds))
        assert found.tolist() == expected


def test_a_neighbour_is_drawn_also_where_the_last_sum_is_below_one() -> None:
    short = Graph(
        pa.array([b"a", b"b"], pa.large_binary()),
        np.array([0, 1, 2]),
        np.array([1, 0], np.int32),
        np.array([1 - 1e-10, 1 - 1e-10]),
        np.array([False, False]),
    )
    highest = np.array([1 - 2**-53, 1 - 2**-53])
    assert short.drawn(np.array([0, 1], np.int32), highest).tolist() == [1, 0]


@pytest.mark.parametrize("remote", [False, True], ids=["mapped", "read"])
@pytest.mark.parametrize("edges", [[], [("a", "é", 1.0)], [("a", "b", 1.0), ("c", "c", 0.5)]])
def test_files_give_back_edges_and_graphs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edges: list[Edge], remote: bool
) -> None:
    monkeypatch.setattr(files, "is_remote", lambda path: remote)
    part, path = batch_of(edges, ["z"]), str(tmp_path / "edges")
    files.write_edges(path, part)
    back = files.read_edges(path)
    assert back.ids.equals(part.ids)
    assert [array.tolist() for array in back[1:]] == [array.tolist() for array in part[1:]]
    made, _ = graph.connected(graph.joined([part]), directed=True)
    files.write_graph(str(tmp_path / "graph"), made)
    assert contents(files.read_graph(str(tmp_path / "graph"))) == contents(made)


def test_no_edge_and_no_node_are_a_graph_too(tmp_path: Path) -> None:
    made, counts = graph.connected(graph.joined([]), directed=False)
    assert counts == Counts(0, 0, 0, 0)
    files.write_graph(str(tmp_path / "graph"), made)
    assert contents(files.read_graph(str(tmp_path / "graph"))) == [[], [0], [], [], []]
