"""`make bench-walks`: CPU seconds and memory from edges to walks, and pecanpy's beside them.

1. A random graph of 10 million edges and 1 million nodes: gathering the edges into files,
   connecting them, and a walk of 40 nodes from each node. Each in a process of its own, by the
   functions that components/random_walks calls in Beam's workers.
2. 100,000 edges and 10,000 nodes: walks a second on one thread, and pecanpy's where
   PECANPY_PYTHON names an interpreter that has it.
"""

import itertools
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import run, trainers
from benchmarks.walks import pecanpy_walks
from benchmarks.walks.pecanpy_walks import cpu_seconds
from components.random_walks import files, graph, walking

_LARGE, _SMALL = (1_000_000, 10_000_000), (10_000, 100_000)  # nodes, edges
_WALK_LENGTH = 40
_TOGETHER = 1 << 14
_MOST_MEGABYTES = 2_500
_PEER = "PECANPY_PYTHON"


def main() -> None:
    """Measures, prints, writes the results, and says what took too much."""
    with tempfile.TemporaryDirectory() as folder:
        rows = list(_large(folder))
    with tempfile.TemporaryDirectory() as folder:
        peers = list(_small(folder))
    run.write("walks.json", {"machine": trainers.machine(), "large": rows, "small": peers})
    for table in (rows, peers):
        shown = Table(*table[0])
        for row in table:
            shown.add_row(*map(str, row.values()))
        Console().print(shown)
    assert all(row["peak_megabytes"] <= _MOST_MEGABYTES for row in rows), rows


def _large(folder: str) -> Iterator[dict[str, Any]]:
    yield {"stage": "imports alone", **trainers.alone(_nothing)}
    yield {"stage": "gather", **trainers.alone(_gather, folder, *_LARGE)}
    yield {"stage": "connect", **trainers.alone(_connect, folder)}
    for p, q in ((1.0, 1.0), (0.25, 4.0)):
        figures = trainers.alone(_walk, folder, p, q, 1)
        yield {"stage": f"walk, p={p:g} q={q:g}", **figures}


def _small(folder: str) -> Iterator[dict[str, Any]]:
    trainers.alone(_gather, folder, *_SMALL)
    trainers.alone(_connect, folder)
    for p, q in ((1.0, 1.0), (0.25, 4.0)):
        more = trainers.alone(_walk, folder, p, q, pecanpy_walks.MORE)["cpu_seconds"]
        walks = _SMALL[0] * pecanpy_walks.MORE
        speed = {"prepared_seconds": 0.0, "walks_a_second": round(walks / more)}
        yield {"walker": "ours", "p": p, "q": q, **speed}
    if not (python := os.environ.get(_PEER)):
        print(f"pecanpy is not measured: set {_PEER} to an interpreter that has it")
        return
    path = f"{folder}/edges.edg"
    with open(path, "wb") as file:
        for sources, targets in _edges(*_SMALL):
            file.writelines(map(b"%b\t%b\n".__mod__, zip(sources, targets, strict=True)))
    script = Path(pecanpy_walks.__file__)
    command = [python, str(script), path, str(_WALK_LENGTH)]
    yield from json.loads(subprocess.check_output(command, text=True).splitlines()[-1])


def _edges(nodes: int, edges: int) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """The same ones each time, some thousand together."""
    chance = np.random.default_rng(1)
    for begin in range(0, edges, _TOGETHER):
        ends = chance.integers(0, nodes, (2, min(_TOGETHER, edges - begin)))
        yield [b"%d" % end for end in ends[0]], [b"%d" % end for end in ends[1]]


def _nothing() -> trainers.Figures:
    return {"cpu_seconds": round(cpu_seconds(), 1)}


def _gather(folder: str, nodes: int, edges: int) -> trainers.Figures:
    seconds, batches = 0.0, _edges(nodes, edges)
    while some := list(itertools.islice(batches, (1 << 20) // _TOGETHER)):
        begun = cpu_seconds()
        parts = [graph.encoded(*ends, np.ones(len(ends[0]))) for ends in some]
        files.write_edges(f"{folder}/part-{begun}", graph.joined(parts))
        seconds += cpu_seconds() - begun
    return {"cpu_seconds": round(seconds, 1)}


def _connect(folder: str) -> trainers.Figures:
    begun = cpu_seconds()
    parts = [files.read_edges(str(path)) for path in Path(folder).glob("part-*")]
    made, counts = graph.connected(graph.joined(parts), directed=False)
    files.write_graph(f"{folder}/graph", made)
    assert counts.edges
    return {"cpu_seconds": round(cpu_seconds() - begun, 1)}


def _walk(folder: str, p: float, q: float, num_walks: int) -> trainers.Figures:
    settings = walking.WalkSettings(num_walks, _WALK_LENGTH, p, q, directed=False, seed=1)
    begun, made = cpu_seconds(), files.read_graph(f"{folder}/graph")
    block, nodes = _TOGETHER // num_walks, len(made.ids)
    for begin in range(0, nodes, block):
        end = min(begin + block, nodes)
        documents = list(walking.walk_documents(made, begin, end, settings))
        assert len(documents) >= end - begin
    return {"cpu_seconds": round(cpu_seconds() - begun, 1)}


if __name__ == "__main__":
    main()
