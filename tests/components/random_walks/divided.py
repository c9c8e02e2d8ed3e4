"""Walks on the forking runner, in a process of its own: what is forked has one thread.

`python -m tests.components.random_walks.divided FOLDER WORKERS` writes what comes of it there.
"""

import json
import os
import sys
import uuid
from itertools import chain
from typing import Any

import apache_beam as beam

from components import cores
from components.forked_workers.runner import ForkingRunner
from components.random_walks import walks
from components.random_walks.walking import WalkSettings

SETTINGS = WalkSettings(num_walks=3, walk_length=8, p=0.25, q=4, directed=False, seed=11)
NODES = 40
SOURCES = [b"node %d" % (n * n % NODES) for n in range(300)]
TARGETS = [b"node %d" % (n * 7 % (NODES - 9)) for n in range(300)]
WEIGHTS = [1 + n % 5 / 10 for n in range(300)]
ALONE = [b"alone", b"node 1"]


def batches(size: int, order: int = 1) -> list[walks.EdgeBatch]:
    """All edges, some at a time."""
    edges = list(zip(SOURCES, TARGETS, WEIGHTS, strict=True))[::order]
    columns = (
        tuple(map(list, zip(*edges[begin : begin + size], strict=True)))
        for begin in range(0, len(edges), size)
    )
    return [walks.EdgeBatch(*some, nodes=ALONE) for some in columns]


def write_walks(
    folder: str, batches: list[walks.EdgeBatch], argv: list[str]
) -> tuple[list[str], list[dict[str, int]]]:
    """Runs the pipeline; the documents, sorted, and the counts."""
    found = os.path.join(folder, "found")
    os.makedirs(found)
    with beam.Pipeline(argv=[*argv, "--sdk_container_image=none"]) as pipeline:
        read = pipeline | beam.Create(batches) | beam.Reshuffle()
        documents, counts = read | walks.RandomWalks(SETTINGS, folder)
        _ = documents | "Text" >> beam.Map(lambda some: _write(found, "texts", _decoded(some)))
        _ = counts | "Counts" >> beam.Map(lambda some: _write(found, "counts", some))
    contents: dict[str, list[Any]] = {"texts": [], "counts": []}
    for name in os.listdir(found):
        with open(os.path.join(found, name)) as file:
            contents[name.partition("-")[0]].append(json.load(file))
    return sorted(chain.from_iterable(contents["texts"])), contents["counts"]


def _decoded(documents: list[bytes]) -> list[str]:
    return [document.decode() for document in documents]


def _write(folder: str, kind: str, content: Any) -> None:
    with open(os.path.join(folder, f"{kind}-{uuid.uuid4().hex}"), "w") as file:
        json.dump(content, file)


def main(folder: str, workers: str) -> None:
    """Runs it with so many workers."""
    cores.usable = lambda: int(workers)
    walks._NODES_TOGETHER = 100  # some blocks for each
    argv = [f"--runner={ForkingRunner.__module__}.{ForkingRunner.__name__}"]
    if not (child := os.fork()):
        try:
            found = write_walks(folder, batches(50), argv)
            _write(folder, "result", found)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
