import json
import subprocess
import sys
from pathlib import Path

import apache_beam as beam
import pytest

from components.random_walks import walks
from components.random_walks.walking import walk_documents
from components.random_walks.walks import EdgeBatch, RandomWalks
from tests.components.random_walks.divided import (
    ALONE,
    NODES,
    SETTINGS,
    SOURCES,
    TARGETS,
    WEIGHTS,
    batches,
    write_walks,
)
from tests.components.random_walks.reference import graph_of
from trainer_module.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
IN_MEMORY = ["--runner=FnApiRunner"]


@pytest.fixture(scope="module")
def expected() -> tuple[list[str], dict[str, int]]:
    """Without Beam, in one block."""
    named = [[name.decode() for name in names] for names in (SOURCES, TARGETS, ALONE)]
    edges = list(zip(named[0], named[1], WEIGHTS, strict=True))
    graph, counts = graph_of(edges, named[2], directed=False)
    documents = walk_documents(graph, 0, counts.nodes, SETTINGS)
    return sorted(text.decode() for text in documents), counts._asdict()


def test_what_is_expected_by_hand(expected: tuple[list[str], dict[str, int]]) -> None:
    documents, counts = expected
    connected = set(SOURCES) | set(TARGETS)
    assert len(documents) == 3 * len(connected) + 1
    assert documents[0] == "alone"
    assert len(connected) < NODES
    assert counts["nodes"] == len(connected) + 1
    assert counts["isolated_nodes"] == 1


@pytest.mark.parametrize(("size", "order"), [(300, 1), (7, 1), (50, -1)])
def test_walks_are_the_same_whatever_the_batches(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    expected: tuple[list[str], dict[str, int]],
    size: int,
    order: int,
) -> None:
    monkeypatch.setattr(walks, "_EDGES_HELD", 60)
    monkeypatch.setattr(walks, "_NODES_TOGETHER", size * 8)
    found, counts = write_walks(str(tmp_path), batches(size, order), IN_MEMORY)
    assert found == expected[0]
    assert counts == [expected[1]]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_walks_are_the_same_on_forks(
    tmp_path: Path, expected: tuple[list[str], dict[str, int]], workers: str
) -> None:
    command = [sys.executable, "-m", "tests.components.random_walks.divided"]
    subprocess.run([*command, str(tmp_path), workers], check=True, cwd=ROOT)
    [path] = tmp_path.glob("result-*")
    assert json.loads(path.read_text()) == [expected[0], [expected[1]]]


def test_no_edge_gives_no_walk(tmp_path: Path) -> None:
    found, [counts] = write_walks(str(tmp_path), [], IN_MEMORY)
    assert found == []
    assert counts == {"nodes": 0, "edges": 0, "self_loops": 0, "isolated_nodes": 0}


@pytest.mark.parametrize("weight", [-0.5, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_named(tmp_path: Path, weight: float) -> None:
    batch = EdgeBatch([b"a", b"c"], [b"b", b"d\xc3\xa9"], [1, weight])
    with pytest.raises(InputError, match=f"'c' to 'dé' has the weight {weight}; give"):
        walks._checked(batch)
    with (
        pytest.raises(Exception, match="has the weight"),
        beam.Pipeline(argv=IN_MEMORY) as pipeline,
    ):
        _ = pipeline | beam.Create([batch]) | RandomWalks(SETTINGS, str(tmp_path))
