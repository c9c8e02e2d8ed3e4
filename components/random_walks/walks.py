"""From edges to random walks over their graph, in Beam.

Edges go into files as numbers, with the ids that they are the numbers of. One worker brings all of
them together in its memory and writes the graph. Then each worker walks from some of the nodes: it
maps the graph's files, or loads them once a process where they are remote.
"""

import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.shared import Shared
from apache_beam.utils.windowed_value import WindowedValue

from components.random_walks import files, graph, walking
from components.random_walks.walking import WalkSettings
from trainer_module.errors import InputError

# Which a worker holds before it writes them: some 100 MB with ids of 20 bytes.
_EDGES_HELD = 1 << 20
# Nodes of walks that are walked together: some 10 MB of documents, and so many walks a step that
# NumPy's calls do not count.
_NODES_TOGETHER = 1 << 20
_COUNTS = "counts"


class EdgeBatch(NamedTuple):
    """Edges that are read together, some thousand: what RandomWalks takes."""

    sources: Sequence[bytes]  # [edges], UTF-8 ids without blanks
    targets: Sequence[bytes]  # [edges]
    weights: Sequence[float]  # [edges], finite and at least 0; an edge of weight 0 is none
    # More nodes of the graph, such as those of held-out edges. They may have edges too, or be given
    # more than once.
    nodes: Sequence[bytes] = ()


class RandomWalks(beam.PTransform):
    """From EdgeBatches to the walks over the graph of all their edges.

    Two PCollections come of it:

    - lists of documents, some thousand each: bytes, ids between single blanks. From each node that
      an edge comes from or goes to there are num_walks; of any other node its id, once. Their order
      and the lists that they are in depend on nothing but the graph.
    - one dict: graph.Counts.

    Parallel edges are one, whose weight is their sum; where edges are not directed, so are a b and
    b a.

    Raises (in Beam's wrapping):
      InputError: a weight is negative or not finite, or there are too many nodes.
    """

    def __init__(self, settings: WalkSettings, unfinished: str) -> None:
        """Says how to walk.

        Args:
          settings: see there; num_walks is at least 1.
          unfinished: folder for files that nobody needs afterwards. All workers see it.
        """
        super().__init__()
        self._settings = settings
        self._unfinished = unfinished

    def expand(self, batches: beam.PCollection) -> Any:
        """Gathers the edges, makes the graph, and spreads its nodes over the workers.

        Beam warns of any other annotation.
        """
        made = (
            batches
            | "Spill" >> beam.ParDo(_SpillEdges(self._unfinished))
            | "Gather" >> beam.combiners.ToList()
            | "Connect" >> beam.ParDo(self._connect).with_outputs(_COUNTS, main="blocks")
        )
        documents = (
            made.blocks | "Spread" >> beam.Reshuffle() | "Walk" >> beam.ParDo(_Walk(self._settings))
        )
        return documents, made[_COUNTS]

    def _connect(self, paths: Iterable[str]) -> Iterator[Any]:
        """Yields blocks of nodes: the graph's folder, where they begin, and where they end."""
        edges = graph.joined([files.read_edges(path) for path in sorted(paths)])
        connected, counts = graph.connected(edges, directed=self._settings.directed)
        folder = os.path.join(self._unfinished, uuid.uuid4().hex)
        files.write_graph(folder, connected)
        yield beam.pvalue.TaggedOutput(_COUNTS, counts._asdict())
        of_each = self._settings.num_walks * self._settings.walk_length
        block = max(1, _NODES_TOGETHER // of_each)
        for begin in range(0, counts.nodes, block):
            yield folder, begin, min(begin + block, counts.nodes)


class _SpillEdges(beam.DoFn):
    """From EdgeBatches to files of edges.

    A bundle that fails is tried again with files of its own. Beam keeps the last try's alone.
    """

    def __init__(self, unfinished: str) -> None:
        self._folder = unfinished

    def start_bundle(self) -> None:
        self._held: list[graph.Edges] = []
        self._edges_held = 0

    def process(self, batch: EdgeBatch) -> Iterator[str]:
        """Yields the paths of files that are written."""
        self._held.append(_checked(batch))
        self._edges_held += len(batch.sources) + len(batch.nodes)
        if self._edges_held >= _EDGES_HELD:
            yield self._written()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self._held:
            yield GlobalWindows.windowed_value(self._written())

    def _written(self) -> str:
        path = os.path.join(self._folder, uuid.uuid4().hex)
        files.write_edges(path, graph.joined(self._held))
        self.start_bundle()
        return path


def _checked(batch: EdgeBatch) -> graph.Edges:
    weights = np.asarray(batch.weights, np.float64)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if wrong.size:
        source, target = (ids[wrong[0]].decode() for ids in (batch.sources, batch.targets))
        raise InputError(
            f"the edge from {source!r} to {target!r} has the weight {weights[wrong[0]]}; give a "
            "number from 0, or leave the edge out"
        )
    return graph.encoded(batch.sources, batch.targets, weights, batch.nodes)


class _Walk(beam.DoFn):
    """From blocks of nodes to the documents of the walks that start from them."""

    def __init__(self, settings: WalkSettings) -> None:
        self._settings = settings
        self._shared = Shared()

    def process(self, block: tuple[str, int, int]) -> Iterator[list[bytes]]:
        """Yields a list of documents."""
        folder, begin, end = block
        loaded = self._shared.acquire(lambda: _Loaded(folder), tag=folder)
        yield list(walking.walk_documents(loaded.graph, begin, end, self._settings))


class _Loaded:
    """A graph in memory. Shared holds no tuple."""

    def __init__(self, folder: str) -> None:
        self.graph = files.read_graph(folder)
