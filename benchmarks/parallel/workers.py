"""`make bench-workers`: several workers on this machine, each on one core.

Of `negative_sampling` with its defaults on the corpus of `make bench`: words a second, milliseconds
a step and quality of 1, 2 and 4 workers that add up every step, and of workers that sync what
changed after some steps. Then one worker and two in turns, whose ratio is then of the same
minutes, and what a sum over the workers takes by its size.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import corpus, run, trainers
from trainer_module.sizes import STEPS_PER_CHUNK

# Workers, sync_every, epochs: of the same number of targets a step; and on their own.
_TOGETHER = ((1, 1, 1), (2, 1, 1), (4, 1, 1))
_APART = ((2, 64, 1), (2, 128, 1), (2, 256, 1), (4, STEPS_PER_CHUNK, 1), (1, 1, 2), (2, 128, 2))
# Of two epochs, the default.
_IN_TURNS, _SYNC_EVERY, _EPOCHS = 3, 128, 2
_SETTINGS = {"objective": "negative_sampling", "evaluations_per_epoch": 0}
_FLOATS = (1, 10_000, 100_000, 1_000_000, 10_000_000)


def main() -> None:
    """Measures, prints and writes the results."""
    arguments = corpus.books_or_quick_start()
    prepared = corpus.run_pipeline("books" if arguments else "quick_start", *arguments)
    rows = [_measure(prepared, *group) for group in (*_TOGETHER, *_APART)]
    turns = [_turn(prepared) for _ in range(_IN_TURNS)]
    results = {
        "machine": trainers.machine(),
        "rows": rows,
        "turns": turns,
        "ratio": statistics.median(turn["ratio"] for turn in turns),
        "sums": _group("sums", 2, {}),
    }
    run.write("workers.json", results)
    names = ("workers", "sync_every", "epochs", "words_per_second", "milliseconds_a_step")
    table = Table(*names, *run.QUALITIES, "full softmax CE")
    for row in rows:
        figures = (row.get(name, "") for name in (*names, *run.QUALITIES))
        table.add_row(*map(str, figures), f"{row['full']['softmax']:.3f}")
    console = Console()
    console.print(table)
    console.print({name: results[name] for name in ("turns", "ratio", "sums")})


def _measure(
    prepared: corpus.Corpus, number: int, sync_every: int, epochs: int, *, judge: bool = True
) -> dict[str, Any]:
    settings = {**_SETTINGS, "sync_every": sync_every, "epochs": epochs, "judge": judge}
    figures = _group("train", number, {"corpus": prepared._asdict(), "settings": settings})
    return {"workers": number, "sync_every": sync_every, "epochs": epochs, **figures}


def _turn(prepared: corpus.Corpus) -> dict[str, float]:
    """Words a second of one worker and of two, one after the other."""
    alone, two = (
        _measure(prepared, number, every, _EPOCHS, judge=False)["words_per_second"]
        for number, every in ((1, 1), (2, _SYNC_EVERY))
    )
    return {"alone": alone, "two": two, "ratio": round(two / alone, 2)}


def _group(what: str, number: int, arguments: dict[str, Any]) -> Any:
    """What worker 0 of a group found, each worker on a core of its own."""
    from components.multi_worker_trainer import local_workers

    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:number])
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "arguments.json")
            path.write_text(json.dumps(arguments))
            command = [sys.executable, "-m", "benchmarks.parallel.workers", what, str(path)]
            local_workers.run(command, number)
            return json.loads(path.with_suffix(".result").read_text())
    finally:
        os.sched_setaffinity(0, cores)


def _train(corpus_fields: dict[str, Any], settings: dict[str, Any]) -> trainers.Figures:
    return trainers.ours(corpus.Corpus(**corpus_fields), **settings)


def _sums() -> list[dict[str, float]]:
    """Milliseconds of a sum over the workers, by its size."""
    import tensorflow as tf

    group = trainers.begin()

    @tf.function
    def repeat(size: tf.Tensor, times: tf.Tensor) -> tf.Tensor:
        found = tf.constant(0.0)
        for _ in tf.range(times):
            found += group.run(lambda: group.all_reduce_sum(tf.ones([size])))[0]
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
    from trainer_module.workers import cluster

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
