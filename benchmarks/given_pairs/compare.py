"""`make bench-given-pairs`: contexts of targets, by us and by others.

Needs ../shared/data/items. Each method trains in a process of its own on the pairs that are not
held out: see held_out.py. docs/pairs.md has the results.

implicit's packages are not ours: install it into an environment of its own and name its Python,
`make bench-given-pairs IMPLICIT=.../bin/python`. Without it the other rows are measured.
"""

import argparse
import functools
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import trainers
from benchmarks.given_pairs import rivals
from benchmarks.given_pairs.held_out import CORPORA, HeldOut, Scorer, figures
from benchmarks.given_pairs.ours import ours
from benchmarks.given_pairs.record import Record, Row
from benchmarks.sessions.next_item import SESSIONS
from pipeline.sections.kinds import KINDS

Method = Callable[..., dict[str, Scorer]]
# Chosen as ours are, by the pairs of search.py.
_ALS = {"model": "als", "factors": 100, "alpha": 10.0, "regularization": 0.1}


def measured(method: Method, corpus: str, path: Path, **settings: Any) -> dict[str, Any]:
    """Figures by how a method scores, and the CPU seconds of training."""
    held = HeldOut.read(corpus, path)
    before = rivals.cpu_seconds()
    scorers = method(held, **settings)
    seconds = round(rivals.cpu_seconds() - before, 1)
    found = {how: figures(scorer, held) for how, scorer in scorers.items()}
    sizes = {"train": len(held.train), "asked": len(held.asked), "unknown": held.unknown}
    return {"cpu_seconds": seconds, "by": found, "pairs": sizes}


def methods(implicit: str | None) -> dict[str, tuple[Method, dict[str, Any]]]:
    """By name: who finds contexts, and by which settings."""
    defaults = dict(KINDS["pairs"].defaults.get("trainer", {}))
    found: dict[str, tuple[Method, dict[str, Any]]] = {
        "popularity": (rivals.popularity, {}),
        "item-kNN": (rivals.knn, {}),
        "singular values": (rivals.svd, {"dim": 100}),
    }
    if implicit:
        python = {"python": implicit}
        found["implicit, ALS as it is"] = rivals.implicits, {**python, "model": "als"}
        found["implicit, ALS"] = rivals.implicits, {**python, **_ALS}
        found["implicit, BPR as it is"] = rivals.implicits, {**python, "model": "bpr"}
    return {
        **found,
        "ours, as for text": (ours, {}),
        "ours": (ours, defaults),
        "ours, keep=last": (ours, {**defaults, "keep": "last"}),
    }


def main() -> None:
    """Measures, prints and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=Path, default=SESSIONS)
    parser.add_argument("--implicit", help="Python of an environment with implicit")
    given = parser.parse_args()
    record = Record("given_pairs.json")
    chosen = methods(given.implicit)
    for corpus, (name, (method, settings)) in itertools.product(CORPORA, chosen.items()):
        known = {key: value for key, value in settings.items() if key != "python"}
        record.row(
            {"corpus": corpus, "method": name, "settings": known},
            functools.partial(trainers.alone, measured, method, corpus, given.sessions, **settings),
        )
    Console(width=140).print(_table(record.rows))


def _table(rows: list[Row]) -> Table:
    table = Table("corpus", "method")
    for way, figure in itertools.product(("new", "all"), ("HR@10", "NDCG@10", "MRR")):
        table.add_column(f"{way}: {figure}")
    table.add_column("CPU s")
    for row in rows:
        for how, ways in row["by"].items():
            numbers = [f"{value:.4f}" for of in ways.values() for value in of.values()]
            name = f"{row['method']}, {how}" if how else row["method"]
            table.add_row(row["corpus"], name, *numbers, str(row["cpu_seconds"]))
    return table


if __name__ == "__main__":
    main()
