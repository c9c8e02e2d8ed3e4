"""The nodes that no edge is left for, where no walk looks for them, in Beam.

No worker holds all nodes: each hands on the nodes of many edges at once, every node once, to
buckets by a hash. A bucket then sees all of its nodes.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from components.random_walks.walks import EdgeBatch

COUNTS = "counts"
# Which a worker holds before it hands them on: some 50 MB with ids of 20 bytes.
_NODES_HELD = 1 << 19


class Nodes(NamedTuple):
    """Nodes of one bucket, each once."""

    ends: list[bytes]  # of edges
    others: list[bytes]  # that were named beside edges; ends of other edges may be among them


class IsolatedNodes(beam.PTransform):
    """From EdgeBatches to what RandomWalks makes of them without a walk.

    Two PCollections, as there: lists of ids, of the nodes that are no end of any edge; and dicts
    of `nodes` and `isolated_nodes`, which are to be added.
    """

    def __init__(self, num_buckets: int) -> None:
        """Says into how many buckets nodes are spread."""
        super().__init__()
        self._num_buckets = num_buckets

    def expand(self, batches: beam.PCollection) -> Any:
        """Brings together what is known of each node. Beam warns of any other annotation."""
        found = (
            batches
            | "Spread" >> beam.ParDo(_Spread(self._num_buckets))
            | "Gather" >> beam.GroupByKey()
            | "Tell" >> beam.FlatMapTuple(_told).with_outputs(COUNTS, main="isolated")
        )
        return found.isolated, found[COUNTS]


class _Spread(beam.DoFn):
    """From EdgeBatches to Nodes by bucket."""

    def __init__(self, num_buckets: int) -> None:
        self._num_buckets = num_buckets

    def start_bundle(self) -> None:
        self._ends: set[bytes] = set()
        self._others: set[bytes] = set()

    def process(self, batch: EdgeBatch) -> Iterator[tuple[int, Nodes]]:
        """Yields nodes, where there were enough."""
        self._ends.update(batch.sources, batch.targets)
        self._others.update(batch.nodes)
        if len(self._ends) + len(self._others) >= _NODES_HELD:
            yield from self._taken()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for nodes in self._taken():
            yield GlobalWindows.windowed_value(nodes)

    def _taken(self) -> Iterator[tuple[int, Nodes]]:
        buckets: defaultdict[int, Nodes] = defaultdict(lambda: Nodes([], []))
        for node in self._ends:
            buckets[self._bucket(node)].ends.append(node)
        for node in self._others - self._ends:
            buckets[self._bucket(node)].others.append(node)
        self.start_bundle()
        yield from buckets.items()

    def _bucket(self, node: bytes) -> int:
        return zlib.crc32(node) % self._num_buckets


def _told(bucket: int, parts: Iterable[Nodes]) -> Iterator[Any]:
    """Yields the isolated nodes of a bucket and, with a tag, the counts."""
    del bucket
    ends: set[bytes] = set()
    others: set[bytes] = set()
    for part in parts:
        ends.update(part.ends)
        others.update(part.others)
    isolated = sorted(others - ends)
    yield isolated
    counts = {"nodes": len(ends | others), "isolated_nodes": len(isolated)}
    yield beam.pvalue.TaggedOutput(COUNTS, counts)
