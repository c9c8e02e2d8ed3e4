"""From the paths of files to runs of documents, in Beam."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam

from components.random_walks.walking import WalkSettings
from components.random_walks.walks import EdgeBatch, RandomWalks
from components.text_example_gen import reading
from components.text_example_gen.account import Options, ReadingCounts
from components.text_example_gen.matching import open_file
from components.text_example_gen.rows.pairs import Edge
from components.text_example_gen.rows.records import Record
from components.text_example_gen.writing.isolated_nodes import IsolatedNodes
from components.text_example_gen.writing.shuffled import SpillDocuments
from trainer_module.text.split import TEXT, is_held_out_key, train_key

_COUNTS, _EDGES = "counts", "edges"
_EDGES_AT_ONCE = 4096


class ReadCorpus(beam.PTransform):
    """From paths to the documents of the files, as runs for WriteShuffled, and what was counted.

    One file is read by one worker. Of a graph random walks, if there are any, are documents too,
    and so is each node that no edge is left for.
    """

    def __init__(self, options: Options, unfinished: str, num_buckets: int) -> None:
        """Says how to read; for the rest see WriteShuffled."""
        super().__init__()
        self._options = options
        self._unfinished = unfinished
        self._num_buckets = num_buckets

    def expand(self, paths: beam.PCollection) -> Any:
        """Returns two PCollections: the runs, and dicts of counts that are to be added.

        Beam warns of any other annotation.
        """
        read = beam.ParDo(ReadFiles(self._options, self._unfinished, self._num_buckets))
        found = paths | "Read" >> read.with_outputs(_COUNTS, _EDGES, main="runs")
        if self._options.kind != "edges":
            return found.runs, found[_COUNTS]
        walks, of_graph = found[_EDGES] | self._of_graph()
        spill = beam.ParDo(SpillWalks(self._unfinished, self._num_buckets))
        spilled = walks | "SpillWalks" >> spill.with_outputs(_COUNTS, main="runs")
        of_graph = of_graph | beam.Map(counts_of_graph)
        counts = (found[_COUNTS], spilled[_COUNTS], of_graph) | "ReadCounts" >> beam.Flatten()
        return (found.runs, spilled.runs) | "Runs" >> beam.Flatten(), counts

    def _of_graph(self) -> RandomWalks | IsolatedNodes:
        options = self._options
        if not options.num_walks:
            return IsolatedNodes(self._num_buckets)
        settings = WalkSettings(
            num_walks=options.num_walks,
            walk_length=options.walk_length,
            p=options.p,
            q=options.q,
            directed=options.directed,
            seed=options.seed,
        )
        return RandomWalks(settings, self._unfinished)


class ReadFiles(SpillDocuments):
    """From paths to the documents of the files, and what was counted in each file.

    Beam's own metrics would count twice where a bundle fails and is tried again. Of outputs Beam
    keeps the last try's alone.
    """

    def __init__(self, options: Options, unfinished: str, num_buckets: int) -> None:
        """Says how to read; for the rest see WriteShuffled."""
        super().__init__(unfinished, num_buckets)
        self._options = options

    def process(self, path: str) -> Iterator[Any]:
        """Yields runs of documents. Last, with a tag, it yields the counts of the file."""
        counts = ReadingCounts()
        with open_file(path) as file:
            if self._options.kind == TEXT:
                yield from self.spill(reading.read_documents(file, path, self._options, counts))
            else:
                records = reading.read_records(file, path, self._options, counts)
                yield from self._spill_records(records)
        yield beam.pvalue.TaggedOutput(_COUNTS, counts.by_name())

    def _spill_records(self, records: Iterable[Record | Edge]) -> Iterator[Any]:
        edges: list[Edge] = []
        nodes: list[bytes] = []  # of held-out edges, which may have no other
        for record in records:
            if isinstance(record, Edge):
                edges.append(record)
            else:
                yield from self.spill_record(*record)
                self._add_ends(record, edges, nodes)
            if len(edges) + len(nodes) >= _EDGES_AT_ONCE:
                yield beam.pvalue.TaggedOutput(_EDGES, _batch(edges, nodes))
                edges, nodes = [], []
        if edges or nodes:
            yield beam.pvalue.TaggedOutput(_EDGES, _batch(edges, nodes))

    def _add_ends(self, record: Record, edges: list[Edge], nodes: list[bytes]) -> None:
        """Adds the ends of an edge that is a document: to edges, unless it is held out."""
        if self._options.kind != "edges":
            return
        key, document = record
        ends = document.split()[:2]
        if is_held_out_key(key, self._options.eval_fraction):
            nodes += ends
        else:
            edges.append(Edge(ends[0], ends[1]))


def _batch(edges: Sequence[Edge], nodes: Sequence[bytes]) -> EdgeBatch:
    return EdgeBatch(
        [edge.target for edge in edges],
        [edge.context for edge in edges],
        [edge.weight for edge in edges],
        nodes,
    )


class SpillWalks(SpillDocuments):
    """From lists of walks to runs of documents of the train split, and how many there are."""

    def process(self, walks: Sequence[bytes]) -> Iterator[Any]:
        """Yields runs of documents; last, with a tag, the counts."""
        for walk in walks:
            yield from self.spill_record(train_key(walk), walk)
        yield beam.pvalue.TaggedOutput(_COUNTS, {"documents": len(walks), "walks": len(walks)})


def counts_of_graph(counts: Mapping[str, int]) -> dict[str, int]:
    """Returns of graph.Counts what reading.json says. A node without an edge is no walk."""
    isolated = counts["isolated_nodes"]
    return {"nodes": counts["nodes"], "isolated_nodes": isolated, "walks": -isolated}
