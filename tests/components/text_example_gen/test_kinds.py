"""The real executor on sessions, edges and pairs, with Beam's runner in this process."""

import itertools
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from components.text_example_gen import executor
from components.text_example_gen.account import Options
from components.text_example_gen.component import TextExampleGen
from components.text_example_gen.executor import read_options
from pipeline.beam_arguments import ON_THIS_MACHINE
from trainer_module.text.split import is_held_out

OPTIONS = {"max_document_bytes": 1000, "eval_fraction": 0.2}
NODES = 40


def run(folder: Path, corpus: Path, **options: Any) -> dict[str, int]:
    """Writes the splits into a folder, and returns what reading.json says."""
    examples = standard_artifacts.Examples()
    examples.uri = str(folder)
    component = TextExampleGen([str(corpus)], Options(**{**OPTIONS, **options}), "abc")
    context = executor.Executor.Context(beam_pipeline_args=list(ON_THIS_MACHINE))
    properties = dict(component.exec_properties)
    executor.Executor(context).Do({}, {"examples": [examples]}, properties)
    counts: dict[str, int] = json.loads((folder / "reading.json").read_text())
    return counts


def documents(folder: Path, split: str) -> Counter[tuple[str, int]]:
    """What was written: each document and which of its copies it is."""
    return Counter(_documents(folder, split))


def _documents(folder: Path, split: str) -> Iterator[tuple[str, int]]:
    for path in (folder / f"Split-{split}").iterdir():
        for record in tf.data.TFRecordDataset(str(path), compression_type="GZIP"):
            feature = tf.train.Example.FromString(record.numpy()).features.feature
            text = feature["text"].bytes_list.value[0].decode()
            yield text, feature["occurrence"].int64_list.value[0]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ring of nodes with chords, and one node that hangs on a single edge of the eval split."""
    draw = random.Random(1)
    edges = [f"n{n} n{(n + 1) % NODES}" for n in range(NODES)]
    edges += [f"n{draw.randrange(NODES)} n{draw.randrange(NODES)}" for _ in range(60)]
    lonely = next(f"n0 x{n}" for n in range(100) if is_held_out(f"n0 x{n}".encode(), 0.2, "edges"))
    path = tmp_path_factory.mktemp("graph") / "graph.txt"
    path.write_text("".join(f"{edge}\n" for edge in [*edges, lonely]))
    return path


def test_walks_over_the_edges_that_are_left(graph: Path, tmp_path: Path) -> None:
    options = {"kind": "edges", "num_walks": 3, "walk_length": 7, "seed": 1}
    counts = run(tmp_path / "a", graph, **options)
    edges = [tuple(sorted(line.split())) for line in graph.read_text().splitlines()]
    held_out = [edge for edge in edges if is_held_out(" ".join(edge).encode(), 0.2, "edges")]
    left = set(edges) - set(held_out)
    found = documents(tmp_path / "a", "eval")
    assert Counter(text for text, _ in found.elements()) == Counter(map(" ".join, held_out))

    walks = [text.split() for text, _ in documents(tmp_path / "a", "train").elements()]
    alone = [walk for walk in walks if len(walk) == 1]
    [lonely] = {node for edge in held_out for node in edge if node.startswith("x")}
    assert [lonely] in alone
    assert {node for walk in walks for node in walk} == {node for edge in edges for node in edge}
    steps = {tuple(sorted(step)) for walk in walks for step in itertools.pairwise(walk)}
    assert steps <= left
    for node in {node for edge in left for node in edge}:
        assert sum(walk[0] == node and len(walk) > 1 for walk in walks) == 3

    assert counts["edges"] == len(edges)
    assert counts["edges_held_out"] == counts["documents_eval"] == len(held_out)
    assert counts["nodes"] == NODES + 1
    assert counts["isolated_nodes"] == len(alone)
    assert counts["walks"] == len(walks) - len(alone) == 3 * (NODES + 1 - len(alone))
    assert counts["documents"] == len(walks) + len(held_out)
    assert counts["documents"] == counts["documents_train"] + counts["documents_eval"]


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("num_files", [1, 3])
def test_without_walks_nodes_that_no_edge_is_left_for_are_kept(
    tmp_path: Path, num_files: int, directed: bool
) -> None:
    draw = random.Random(num_files)
    # Few edges a node, so that many nodes lose theirs; some weigh, some are loops or copies.
    edges = [(f"n{draw.randrange(90)}", f"n{draw.randrange(90)}") for _ in range(80)]
    lines = [f"{a} {b}{draw.choice(['', ' 2.5'])}" for a, b in [*edges, *edges[:9], ("n7", "n7")]]
    (tmp_path / "in").mkdir()
    for nth in range(num_files):
        (tmp_path / "in" / f"{nth}.txt").write_text("\n".join(lines[nth::num_files]))
    options = {"kind": "edges", "num_walks": 0, "directed": directed, "eval_fraction": 0.5}
    counts = run(tmp_path / "out", tmp_path / "in" / "*.txt", **options)

    ends = [tuple(line.split()[:2]) for line in lines]
    form = "\t".join if directed else lambda pair: " ".join(sorted(pair))
    held_out = [is_held_out(form(pair).encode(), 0.5, "edges") for pair in ends]
    nodes = {node for pair in ends for node in pair}
    left = {n for pair, out in zip(ends, held_out, strict=True) if not out for n in pair}
    train = documents(tmp_path / "out", "train")
    alone = Counter(text for text, _ in train.elements() if len(text.split()) == 1)
    assert alone == Counter(nodes - left)
    assert len(alone) > 5
    assert counts["nodes"] == len(nodes)
    assert counts["isolated_nodes"] == len(alone)
    assert counts["walks"] == 0
    assert (counts["edges"], counts["edges_held_out"]) == (len(lines), sum(held_out))
    assert counts["documents"] == train.total() + counts["documents_eval"]


def test_the_order_and_the_number_of_files_do_not_matter(graph: Path, tmp_path: Path) -> None:
    lines = graph.read_text().splitlines()
    turned = [" ".join(reversed(line.split())) for line in reversed(lines)]
    (tmp_path / "several").mkdir()
    (tmp_path / "several" / "a.txt").write_text("\n".join(turned[:30]))
    (tmp_path / "several" / "b.tsv").write_text("\n".join(turned[30:]).replace(" ", "\t"))
    options = {"kind": "edges", "num_walks": 2, "seed": 1}
    run(tmp_path / "one", graph, **options)
    run(tmp_path / "two", tmp_path / "several" / "*", **options)
    for split in ("train", "eval"):
        assert documents(tmp_path / "one", split) == documents(tmp_path / "two", split)


def test_copies_of_a_pair_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("".join(f"u{n % 50},i{n % 7}\n" for n in range(700)))
    counts = run(tmp_path / "out", tmp_path / "a.csv", kind="pairs")
    found = documents(tmp_path / "out", "train") + documents(tmp_path / "out", "eval")
    # 350 pairs, each twice.
    expected = {(f"u{n % 50}\ti{n % 7}", nth) for n in range(350) for nth in (0, 1)}
    assert found == Counter(expected)
    assert all(
        is_held_out(text.encode(), 0.2, "pairs") for text, _ in documents(tmp_path / "out", "eval")
    )
    assert (counts["pairs"], counts["distinct"]) == (700, 350)


def test_sessions(tmp_path: Path) -> None:
    sessions = [f"i{n} i{n * 3 % 100} i{n * 7 % 100}" for n in range(100)]
    (tmp_path / "a.txt").write_text("\n".join(sessions))
    counts = run(tmp_path / "out", tmp_path / "a.txt", kind="sessions")
    held_out = Counter(text for text, _ in documents(tmp_path / "out", "eval").elements())
    train = Counter(text for text, _ in documents(tmp_path / "out", "train").elements())
    ends = {session: "\t".join(session.split()[-2:]) for session in sessions}
    shorter = {s for s, end in ends.items() if is_held_out(end.encode(), 0.2, "sessions")}
    assert held_out == Counter(ends[session] for session in shorter)
    assert train == Counter(s.rsplit(" ", 1)[0] if s in shorter else s for s in sessions)
    assert counts["sessions"] == 100


def test_another_kind_than_was_said_is_told(
    graph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path / "out", graph)
    assert capsys.readouterr().out == (
        "warning: 1 of 1 files look like corpus.kind=edges, and it is text: nearly all of their"
        " lines have the same two or three columns\n"
    )


def test_options_go_into_the_properties_and_come_back() -> None:
    options = Options(1000, 0.1, "edges", ("a", "b"), True, 2, 3, 0.5, 2.0, 9)
    component = TextExampleGen(["/a/*.txt"], options, "abc")
    assert read_options(component.exec_properties) == options
