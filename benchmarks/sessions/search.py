"""`make bench-sessions-search`: the defaults of sessions, and each with one field changed.

Needs ../shared/data/items. Chosen by the item before the last one, which is held out with the last:
so the figures of compare.py, on the last items, are of nothing that was chosen by them. Fields as
arguments: those alone are varied.
"""

import sys
import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import run, trainers
from benchmarks.sessions.compare import OBJECTIVES, settings_of
from benchmarks.sessions.next_item import SESSIONS, Figures, HeldOut
from benchmarks.sessions.vectors import Ours

_DEFAULT = "nce"
# Sessions that are asked: with them a hit rate of .06 has a standard error of .003, but all
# settings are asked the same.
_ASKED = 5_000
VARIED: dict[str, tuple[Any, ...]] = {
    "objective": OBJECTIVES,
    "window": (1, 2, 3, 5, 10, "all"),
    "epochs": (2, 3, 5, 8, 12),
    "learning_rate": (0.0125, 0.025, 0.05, 0.1),
    "dim": (50, 100, 200),
    "min_count": (1, 2, 3, 5),
    "subsample": (0.0, 1e-4, 1e-3),
    "sampler": ("log_uniform", "uniform", "in_batch"),
    "sampler_power": (-1.0, -0.5, 0.25, 0.5, 0.75, 1.0),  # of the unigram sampler
    "num_sampled": (64, 256, 1024),
    "batch_size": (96, 192, 512),
}


def trials(fields: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The defaults, then each other value of the fields: a name and the settings."""
    defaults = settings_of(_DEFAULT)
    yield "defaults", defaults
    for field in fields:
        for value in VARIED[field]:
            settings = {**defaults, field: value}
            if field == "objective":
                settings = settings_of(value)
            elif field == "sampler":
                settings.pop("sampler_power", None)
            elif field == "sampler_power":
                settings["sampler"] = "unigram"
            if settings != defaults:
                yield f"{field} = {value}", settings


def measured(settings: dict[str, Any]) -> dict[str, Any]:
    """The figures of a trial."""
    held = HeldOut.read(SESSIONS, last=2).sample(_ASKED)
    started = time.process_time()
    model = Ours(held, **settings)
    seconds = time.process_time() - started
    found = {how: Figures.of(scorer, held)._asdict() for how, scorer in model.scorers.items()}
    gain = model.gain_over_unigram(held)
    return {"by": found, "gain_over_unigram": round(gain, 3), "cpu_seconds": round(seconds, 1)}


def main(fields: list[str]) -> None:
    """Measures, prints and writes the results."""
    console, results = Console(width=100), {}
    hows = ("neighbours of the last item", "contexts of the last item")
    table = Table("", *(f"{how}: HR, NDCG, MRR" for how in hows), "gain", "CPU s")
    for name, settings in trials(fields or list(VARIED)):
        found = trainers.alone(measured, settings)
        results[name] = {**found, "settings": settings}
        figures = [" ".join(f"{x:.4f}" for x in found["by"][how].values()) for how in hows]
        row = (name, *figures, f"{found['gain_over_unigram']:.3f}", str(found["cpu_seconds"]))
        console.print(*row, sep="  ")
        table.add_row(*row)
    run.write("sessions_search.json", results)
    console.print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
