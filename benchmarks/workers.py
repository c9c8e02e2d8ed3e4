"""`make bench-workers`: several workers on this machine, each on one core.

Of `negative_sampling` with its defaults on the corpus of `make bench`, one epoch: words a second,
milliseconds a step and quality of 1, 2 and 4 workers that add up every step, and of 2 workers that
put together what changed after some steps. Then what a sum over the workers takes by its size.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import corpus, run, trainers

# Of the same number of targets a step; and of ones whose workers step on their own.
_TOGETHER = ((1, 1), (2, 1), (4, 1))
_APART = ((2, 64), (2, 256), (2, 1024), (4, 64))
_SETTINGS = {"objective": "negative_sampling", "epochs": 1, "evaluations_per_epoch": 0}
_FLOATS = (1, 10_000, 100_000, 1_000_000, 10_000_000)


def main() -> None:
    """Measures, prints and writes the results."""
    arguments = corpus.books_or_quick_start()
    prepared = corpus.run_pipeline("books" if arguments else "quick_start", *arguments)
    rows = [_measure(prepared, *group) for group in (*_TOGETHER, *_APART)]
    alone = rows[0]["words_per_second"]
    for row in rows:
        row["ratio"] = round(row["words_per_second"] / alone, 2)
    results = {"machine": trainers.machine(), "rows": rows, "sums": _group("sums", 2, {})}
    run.write("workers.json", results)
    names = ("workers", "sync_every", "words_per_second", "ratio", "milliseconds_a_step")
    table = Table(*names, *run.QUALITIES, "full softmax CE")
    for row in rows:
        figures = (row.get(name, "") for name in (*names, *run.QUALITIES))
        table.add_row(*map(str, figures), f"{row['full']['softmax']:.3f}")
    console = Console()
    console.print(table)
    console.print(results["sums"])


def _measure(prepared: corpus.Corpus, number: int, sync_every: int) -> dict[str, Any]:
    settings = {**_SETTINGS, "sync_every": sync_every}
    figures = _group("train", number, {"corpus": prepared._asdict(), "settings": settings})
    return {"workers": number, "sync_every": sync_every, **figures}


def _group(what: str, number: int, arguments: dict[str, Any]) -> Any:
    """What worker 0 of a group found, each worker on a core of its own."""
    from components.multi_worker_trainer import local_workers

    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:number])
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "arguments.json")
            path.write_text(json.dumps(arguments))
            command = [sys.executable, "-m", "benchmarks.workers", what, str(path)]
            local_workers.run(command, number)
            return json.loads(path.with_suffix(".result").read_text())
    finally:
        os.sched_setaffinity(0, cores)


def _train(corpus_fields: dict[str, Any], settings: dict[str, Any]) -> trainers.Figures:
    return trainers.ours(corpus.Corpus(**corpus_fields), **settings)


def _sums() -> list[dict[str, float]]:
    """Milliseconds of a sum over the workers, by its size."""
    import tensorflow as tf

    from trainer_module import cluster, exchange

    strategy, worker = trainers.begin(), cluster.this_worker(os.environ)

    @tf.function
    def repeat(size: tf.Tensor, times: tf.Tensor) -> tf.Tensor:
        found = tf.constant(0.0)
        for _ in tf.range(times):
            found += strategy.run(lambda: exchange.total(worker, tf.ones([size])))[0]
        return found

    rows = []
    for size in _FLOATS:
        times = max(min(100, 10_000_000 // size), 5)
        repeat(tf.constant(size), tf.constant(2))
        started = time.perf_counter()
        repeat(tf.constant(size), tf.constant(times))
        milliseconds = (time.perf_counter() - started) / times * 1e3
        rows.append({"floats": size, "milliseconds": round(milliseconds, 2)})
    return rows


def _in_worker(what: str, path: str) -> None:
    import tensorflow  # noqa: F401, before we begin

    from components.multi_worker_trainer import worker
    from trainer_module import cluster

    worker.begin()
    arguments = json.loads(Path(path).read_text())
    if what == "sums":
        found: Any = _sums()
    else:
        found = _train(arguments["corpus"], arguments["settings"])
    if cluster.this_worker(os.environ).is_chief:
        Path(path).with_suffix(".result").write_text(json.dumps(found))
    worker.end(0)


if __name__ == "__main__":
    _in_worker(*sys.argv[1:]) if sys.argv[1:] else main()
