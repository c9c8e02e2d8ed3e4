"""`make bench-sessions-search`: how the defaults of sessions were found, trial by trial.

Needs ../shared/data/items. Chosen by the item before the last one, which is held out with the last:
so the figures of compare.py, on the last items, are of nothing that was chosen by them.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import run, trainers
from benchmarks.sessions.next_item import SESSIONS, Figures, HeldOut
from benchmarks.sessions.vectors import Ours

Settings = Mapping[str, Any]
# Sessions that are asked, the same in each trial.
_ASKED = 5_000
_ASKED_BY = {"contexts": "contexts of the last item", "neighbours": "neighbours of the last item"}
_SOFTMAX, _WORD2VEC = {"objective": "sampled_softmax"}, {"objective": "negative_sampling"}
_IN_BATCH = {"objective": "softmax_cross_entropy", "bias_initializer": "log_frequency"}
_NCE = {"objective": "nce"}
_RARER, _EVERY = {"epochs": 10, "min_count": 2}, {"epochs": 10, "min_count": 1}
# In the order in which they were tried. All else is the default of text, but for subsampling.
TRIALS: tuple[Settings, ...] = (
    {**_SOFTMAX, "epochs": 5},
    {**_WORD2VEC, "epochs": 10},
    {**_SOFTMAX, **_RARER},
    {**_SOFTMAX, "epochs": 5, "sampler": "unigram", "sampler_power": 0.5},
    {**_IN_BATCH, "epochs": 10, "num_sampled": 256},
    {**_NCE, "epochs": 5},
    {**_SOFTMAX, **_EVERY},
    {**_SOFTMAX, **_RARER, "epochs": 20},
    {**_SOFTMAX, **_RARER, "window": 10},
    {**_SOFTMAX, **_RARER, "learning_rate": 0.1},
    {**_SOFTMAX, **_RARER, "sampler": "unigram", "sampler_power": -0.5},
    {**_SOFTMAX, **_RARER, "dim": 200},
    {**_SOFTMAX, **_EVERY, "epochs": 8},
    {**_NCE, **_EVERY},
    {**_SOFTMAX, **_EVERY, "window": "all"},
    {**_WORD2VEC, **_EVERY, "sampler_power": -0.5},
    {**_WORD2VEC, **_EVERY},
    {**_NCE, **_EVERY, "epochs": 3, "window": "all"},
)


def measured(settings: Settings) -> dict[str, Any]:
    """The figures of a trial."""
    held = HeldOut.read(SESSIONS, last=2).sample(_ASKED)
    started = time.process_time()
    model = Ours(held, **{"subsample": 0.0, **settings})
    seconds = time.process_time() - started
    found = {
        name: Figures.of(model.scorers[how], held)._asdict() for name, how in _ASKED_BY.items()
    }
    gain = model.gain_over_unigram(held)
    return {**found, "gain_over_unigram": round(gain, 3), "cpu_seconds": round(seconds, 1)}


def main() -> None:
    """Measures, prints and writes the results."""
    figures = ("HR@10", "NDCG@10", "MRR")
    columns = [f"{name}: {figure}" for name in _ASKED_BY for figure in figures]
    table, results = Table("settings", *columns, "gain, nats", "CPU s"), []
    for settings in TRIALS:
        found = trainers.alone(measured, settings)
        results.append({"settings": settings, **found})
        numbers = [f"{value:.4f}" for name in _ASKED_BY for value in found[name].values()]
        gain, seconds = str(found["gain_over_unigram"]), str(found["cpu_seconds"])
        table.add_row(json.dumps(settings), *numbers, gain, seconds)
    run.write("sessions_search.json", {"machine": trainers.machine(), "trials": results})
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
