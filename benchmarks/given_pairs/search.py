"""`make bench-given-pairs-search`: how the defaults of pairs were found, trial by trial.

Needs ../shared/data/items. Chosen by pairs that compare.py does not ask and nothing is trained on,
of every third history. Each trial is written when it is done: those in the results are not made
again.
"""

import functools
import itertools
import json
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import trainers
from benchmarks.given_pairs.held_out import CORPORA, HeldOut, figures
from benchmarks.given_pairs.ours import Ours
from benchmarks.given_pairs.record import Record, Row

Settings = Mapping[str, Any]
_EVERY = 3
# In the order in which they were tried. All else is the default of text.
_RATE = {"learning_rate": 0.2}
_NCE = {"objective": "nce", "epochs": 10}
_IN_BATCH = {"objective": "softmax_cross_entropy", "bias_initializer": "log_frequency"}
TRIALS: tuple[Settings, ...] = (
    {**_NCE, "epochs": 2},
    _NCE,
    {**_NCE, **_RATE},
    {**_NCE, "learning_rate": 0.1},
    {**_NCE, "learning_rate": 0.1, "epochs": 20},
    {**_NCE, **_RATE, "epochs": 5},
    {**_NCE, **_RATE, "dim": 32},
    {"objective": "sampled_softmax", "epochs": 10, "learning_rate": 0.1},
    {"objective": "sampled_softmax", "epochs": 10, **_RATE},
    {"objective": "negative_sampling", "epochs": 10, **_RATE},
    {**_IN_BATCH, "epochs": 10, **_RATE},
)
# Of all histories: each item has three times as many pairs, and as many steps more.
_BEST = {"keep": "best"}
TRIALS_OF_ALL: tuple[Settings, ...] = (
    _NCE,
    {**_NCE, "learning_rate": 0.1, **_BEST},
    {**_NCE, **_RATE, **_BEST},
)


def measured(corpus: str, settings: Settings, every: int) -> dict[str, Any]:
    """The figures of a trial on one of so many histories."""
    held = HeldOut.read(corpus, for_search=True, every=every)
    started = time.process_time()
    model = Ours(held, **settings)
    seconds = time.process_time() - started
    return {
        **figures(model.scores, held),
        "gain_over_unigram": round(model.gain_over_unigram(held), 3),
        "cpu_seconds": round(seconds, 1),
    }


def main() -> None:
    """Measures, prints and writes the results."""
    record = Record("given_pairs_search.json")
    trials = [(_EVERY, one) for one in TRIALS] + [(1, one) for one in TRIALS_OF_ALL]
    for (every, settings), corpus in itertools.product(trials, CORPORA):
        record.row(
            {"corpus": corpus, "settings": dict(settings), "every": every},
            functools.partial(trainers.alone, measured, corpus, settings, every),
        )
    Console(width=160).print(_table(record.rows))


def _table(trials: list[Row]) -> Table:
    ways = ("new", "all")
    columns = [f"{way}: {figure}" for way in ways for figure in ("HR@10", "NDCG@10", "MRR")]
    table = Table("corpus", "settings", *columns, "gain, nats", "CPU s")
    for trial in trials:
        numbers = [f"{value:.4f}" for way in ways for value in trial[way].values()]
        rest = str(trial["gain_over_unigram"]), str(trial["cpu_seconds"])
        table.add_row(trial["corpus"], json.dumps(trial["settings"]), *numbers, *rest)
    return table


if __name__ == "__main__":
    main()
