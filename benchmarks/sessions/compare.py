"""`make bench-sessions`: the next item of shopping sessions, by us and by others.

Needs ../shared/data/items. Each method trains in a process of its own, on the sessions without
their last items, which are then asked for: see next_item.py. docs/sessions.md has the results.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import run, trainers
from benchmarks.sessions import rivals
from benchmarks.sessions.next_item import SESSIONS, Figures, HeldOut, Scorer
from benchmarks.sessions.vectors import Ours
from pipeline.sections.kinds import KINDS

OBJECTIVES = ("nce", "negative_sampling", "sampled_softmax", "softmax_cross_entropy")
_GENSIMS_OWN = {"vector_size": 100, "window": 5, "negative": 5, "min_count": 5, "epochs": 5}


def settings_of(objective: str) -> dict[str, Any]:
    """What `corpus.kind: sessions` sets, which means something for every objective."""
    defaults = KINDS["sessions"].defaults
    settings = {**defaults["preprocessing"], **defaults["trainer"], "objective": objective}
    return {k: v for k, v in settings.items() if k != "tokenizer"}  # documents are lists of tokens


def ours(held: HeldOut, **settings: Any) -> dict[str, Scorer]:
    """By `skipgram.train`."""
    return Ours(held, **settings).scorers


def measured(method: Callable[..., dict[str, Scorer]], path: str, **settings: Any) -> Any:
    """Figures by how the next item is asked for, and the CPU seconds of training."""
    held = HeldOut.read(Path(path))
    started = time.process_time()
    scorers = method(held, **settings)
    seconds = time.process_time() - started
    figures = {how: Figures.of(scorer, held)._asdict() for how, scorer in scorers.items()}
    return {"cpu_seconds": round(seconds, 1), "by": figures}


def main(path: str = str(SESSIONS)) -> None:
    """Measures, prints and writes the results."""
    methods = {
        "popularity": (rivals.popularity, {}),
        "item-kNN": (rivals.item_knn, {}),
        "sequential rules": (rivals.sequential_rules, {}),
        "gensim": (rivals.gensims, _GENSIMS_OWN),
        **{name: (ours, settings_of(name)) for name in OBJECTIVES},
    }
    table = Table("method", "next item by", "HR@10", "NDCG@10", "MRR", "CPU s")
    results = {}
    for name, (method, settings) in methods.items():
        found = trainers.alone(measured, method, path, **settings)
        results[name] = {**found, "settings": settings}
        for how, figures in found["by"].items():
            numbers = (f"{value:.4f}" for value in figures.values())
            table.add_row(name, how, *numbers, str(found["cpu_seconds"]))
    run.write("sessions.json", {"machine": trainers.machine(), "methods": results})
    Console(width=100).print(table)


if __name__ == "__main__":
    main(*sys.argv[1:])
