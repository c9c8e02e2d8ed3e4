"""`make bench-graphs-nights`: nights of one graph, by the real command, and what the gate says.

All run into one output folder, one after the other. What must come out is said before: a graph
that grows and another seed are blessed, a graph that is damaged is withheld. Ten walks from each
node, half of the default, to be done sooner. Needs ../shared/data/graphs.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import corpus, run, trainers
from benchmarks.graphs import tasks

_EDGES = corpus.SHARED / "graphs" / "cora.edgelist.txt"
_OUTPUT = corpus.OUTPUT / "graph-nights"
_BLESSED, _WITHHELD = 0, 3
_VERDICTS = {_BLESSED: "blessed", _WITHHELD: "withheld"}


class Night(NamedTuple):
    """One night, and what must come out."""

    what: str
    expected: int
    share: float = 1.0  # of the edges that are there
    rewired: float = 0.0  # share of those that join two nodes by chance instead
    seed: int = 1


_NIGHTS = (
    Night("the first: 90 % of the edges", _BLESSED, share=0.90),
    Night("growth: 95 %", _BLESSED, share=0.95),
    Night("growth: all", _BLESSED),
    Night("30 % of the edges rewired", _WITHHELD, rewired=0.3),
    Night("a third of the edges lost", _WITHHELD, share=2 / 3),
    Night("another seed", _BLESSED, seed=2),
)
_FIGURES = {
    "edges": ",",
    "pairs_eval": ",",
    "common_cross_entropy": ".4f",
    "common_cross_entropy_of_last_blessed": ".4f",
    "increase": "+.4f",
    "increase_error": ".4f",
    "recall_at_10": ".3f",
}


def main() -> None:
    """Runs the nights, prints the table and writes the results."""
    edges = tasks.read_edges(_EDGES)
    shutil.rmtree(_OUTPUT, ignore_errors=True)
    nights = [_replayed(night, edges) for night in _NIGHTS]
    run.write("graph_nights.json", {"machine": trainers.machine(), "nights": nights})
    table = Table("night", "gate", *_FIGURES)
    for found in nights:
        shown = [
            "" if found[name] is None else format(found[name], form)
            for name, form in _FIGURES.items()
        ]
        table.add_row(found["what"], found["verdict"], *shown)
    Console(width=140).print(table)
    wrong = [found["what"] for found in nights if found["verdict"] != found["expected"]]
    if wrong:
        sys.exit(f"the gate decided otherwise than expected: {', '.join(wrong)}")


def tonights(night: Night, edges: tasks.Edges) -> list[tasks.Edge]:
    """The graph of a night: a larger share has the edges of a smaller one.

    >>> path = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")]
    >>> half = tonights(Night("", 0, share=0.5), path)
    >>> len(half), set(half) < set(tonights(Night("", 0), path))
    (2, True)
    """
    generator = np.random.default_rng(0)
    kept = [edges[place] for place in generator.permutation(len(edges))]
    kept = kept[: round(night.share * len(edges))]
    nodes = sorted({node for edge in edges for node in edge})
    rewired = round(night.rewired * len(kept))
    ends = generator.integers(len(nodes), size=(rewired, 2))
    return [*((nodes[first], nodes[second]) for first, second in ends), *kept[rewired:]]


def _replayed(night: Night, edges: tasks.Edges) -> dict[str, Any]:
    """Runs one night; all that is asked of it."""
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder, "edges.txt")
        graph.write_text("".join(f"{first} {second}\n" for first, second in tonights(night, edges)))
        command = [
            *(Path(sys.executable).with_name("skipgram"), "run", "--output", _OUTPUT),
            *("--set", "corpus.kind=edges", "--set", "corpus.walks.num_walks=10"),
            *("--set", f"seed={night.seed}", "--corpus", graph),
        ]
        ended = subprocess.run(list(map(str, command)), check=False, stdout=sys.stderr)
    if ended.returncode not in _VERDICTS:
        sys.exit(f"{night.what}: the command ended with {ended.returncode}")
    summary = json.loads((_OUTPUT / "summary.json").read_text())
    return {
        "what": night.what,
        "expected": _VERDICTS[night.expected],
        "verdict": _VERDICTS[ended.returncode],
        **{name: {**summary["read"], **summary}.get(name) for name in _FIGURES},
        "sentence": summary["verdict"],
    }


if __name__ == "__main__":
    main()
