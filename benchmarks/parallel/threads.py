"""`make bench-threads`: threads that step on the same tables, and gensim's.

One epoch of the corpus of `make bench`, without evaluations: quality and CPU seconds a million
words, by the number of threads. Neither depends on the number of cores, so that a machine of few
can say what many threads cost. Words a second do.
"""

import os
import tempfile
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import corpus, run, trainers

_THREADS = {
    "negative_sampling": (1, 2, 4, 8, 16),
    "nce": (1, 8),
    "sampled_softmax": (1, 8),
}
_EPOCHS = 1
_FIGURES = ("words_per_second", "peak_megabytes", *run.QUALITIES)


def main() -> None:
    """Measures, prints and writes the results."""
    arguments = corpus.books_or_quick_start()
    prepared = corpus.run_pipeline("books" if arguments else "quick_start", *arguments)
    with tempfile.TemporaryDirectory() as folder:
        rows = [_gensims(prepared, f"{folder}/tokens.txt")]
    for objective, numbers in _THREADS.items():
        rows += [_ours(prepared, objective, threads) for threads in numbers]
    run.write("threads.json", {"machine": trainers.machine(), "epochs": _EPOCHS, "rows": rows})
    table = Table(*rows[-1])
    for row in rows:
        table.add_row(*(str(row.get(name, "")) for name in rows[-1]))
    Console().print(table)


def _gensims(prepared: corpus.Corpus, path: str) -> dict[str, Any]:
    trainers.alone(run.write_tokens, prepared, path)
    figures = trainers.alone(trainers.gensims, path, seed=1, epochs=_EPOCHS)
    return _row({"objective": "gensim", "threads": os.cpu_count()}, figures)


def _ours(prepared: corpus.Corpus, objective: str, threads: int) -> dict[str, Any]:
    settings = {"objective": objective, "threads": threads}
    more = {"epochs": _EPOCHS, "evaluations_per_epoch": 0}
    figures = trainers.alone(trainers.ours, prepared, **settings, **more)
    chosen = {"batch_size": figures["batch_size"], "full softmax CE": figures["full"]["softmax"]}
    return _row({**settings, **chosen}, figures)


def _row(named: dict[str, Any], figures: trainers.Figures) -> dict[str, Any]:
    words = figures["words"] * _EPOCHS
    return {
        **named,
        "cpu_seconds_a_million_words": round(figures["cpu_seconds_to_vectors"] / words * 1e6, 2),
        **{name: figures[name] for name in _FIGURES if name in figures},
    }


if __name__ == "__main__":
    main()
