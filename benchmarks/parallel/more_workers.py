"""On paper, from what was measured: many workers on a network, `negative_sampling`.

A group's seconds are those of a worker's steps plus those of putting together what changed: the
rows of the most frequent tokens once in `sync_every` steps, all rows that were changed once a call
of the compiled loop, half a million targets of each worker over the number of the others. As a
ring's all-reduce sends, either takes

    sent = 2 (n - 1) / n * bytes
    seconds = sent / wire + sent / copying + 2 (n - 1) * latency

with 2 bytes * dim * rows and, of all rows, 2 * 2 bytes * vocabulary to say which. How many rows n
workers change is by Zipf's law after subsampling. `copying` is what gRPC and TensorFlow take on
this machine per byte, `benchmarks/results/workers.json`, and steps are those of
`benchmarks/results/scaling.json`.
"""

import itertools
import json
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.run import RESULTS
from trainer_module.sizes import STEPS_PER_CHUNK

_TARGETS, _CANDIDATES = 512, 64  # of a step, by default
_SUBSAMPLE = 1e-4
_LATENCY = 5e-5  # seconds between two machines of a data centre
_WORKERS = (2, 8, 32)
_GIGABITS = (10, 25, 100)
_SYNC_EVERY = (STEPS_PER_CHUNK, 128)
# Of the books: 16.4 million words keep 6.9 million targets.
_TARGETS_A_WORD = 0.42
# Of trainer_module: schedule._TARGETS_PER_CALL and local_updates._FREQUENT.
_TARGETS_PER_CALL, _FREQUENT = 1 << 19, 4096


def rows_changed(vocabulary_size: int, targets: int, candidates: int) -> float:
    """How many distinct rows of both tables some steps change, expected.

    Args:
      vocabulary_size: tokens, of frequencies by Zipf's law.
      targets: of all steps; as many contexts, which are the same tokens.
      candidates: of all steps, from unigram^0.75.
    """
    frequencies = 1.0 / np.arange(1, vocabulary_size + 1)
    frequencies /= frequencies.sum()
    ratio = _SUBSAMPLE / frequencies
    kept = frequencies * np.minimum(np.sqrt(ratio) + ratio, 1.0)
    kept /= kept.sum()
    noise = frequencies**0.75
    noise /= noise.sum()
    of_targets = -np.expm1(-targets * kept).sum()
    of_contexts = -np.expm1(-targets * kept - candidates * noise).sum()
    return float(of_targets + of_contexts)


def main() -> None:
    """Prints words a second, and the share of what as many workers without a network would do."""
    sums = json.loads((RESULTS / "workers.json").read_text())["sums"]
    copying = 4.0 * sums[-1]["floats"] / (sums[-1]["milliseconds"] / 1e3)  # of 2 workers: sent once
    scaling = json.loads((RESULTS / "scaling.json").read_text())["rows"]
    console = Console(width=110)
    console.print(f"copying: {copying / 1e6:,.0f} MB a second")
    table = Table("vocabulary", "dim", "sync_every", "workers", "GB of tables a worker")
    for gigabits in _GIGABITS:
        table.add_column(f"{gigabits} Gb/s")
    for size, dim, every, workers in itertools.product(
        (100_000, 10_000_000), (100, 300), _SYNC_EVERY, _WORKERS
    ):
        alone = _words_per_second(scaling, size, dim)
        cells = [
            _group(size, dim, every, workers, alone, gigabits, copying) for gigabits in _GIGABITS
        ]
        # Two tables, and as the workers last had them.
        memory = 4 * size * dim * 4 / 1e9
        table.add_row(f"{size:,}", str(dim), str(every), str(workers), f"{memory:.2f}", *cells)
    console.print(table)


def _words_per_second(scaling: list[dict[str, Any]], size: int, dim: int) -> float:
    """Of one worker: of the whole corpus, less what larger vectors and a larger table cost."""
    whole = max(scaling, key=lambda row: row["words"])["words_per_second"]
    by_dim = {row["dim"]: row["words_per_second"] for row in scaling if row["grows"] == "dim"}
    of_size = {
        row["vocabulary"]: row["words_per_second"]
        for row in scaling
        if row["grows"] == "vocabulary"
    }
    # The largest vocabulary that was measured stands for all above.
    measured = min(max(size, min(of_size)), max(of_size))
    return float(whole * by_dim[dim] / by_dim[100] * of_size[measured] / of_size[min(of_size)])


def _group(
    size: int, dim: int, every: int, workers: int, alone: float, gigabits: float, copying: float
) -> str:
    targets = _TARGETS_PER_CALL // (workers - 1)
    steps = targets // _TARGETS
    frequent = 2 * min(_FREQUENT, size) * dim * 2
    changed = rows_changed(size, workers * targets, workers * steps * _CANDIDATES)
    every_row = 2 * dim * changed + 4 * size
    times = max(steps // every, 1)  # the last of which is of every row
    sent = 2 * (workers - 1) / workers * (frequent * (times - 1) + every_row)
    latency = 2 * (workers - 1) * _LATENCY * times
    exchange = sent / (gigabits * 1e9 / 8) + sent / copying + latency
    computing = targets / (_TARGETS_A_WORD * alone)
    efficiency = computing / (computing + exchange)
    return f"{workers * alone * efficiency / 1e6:.2f} M ({efficiency:.0%})"


if __name__ == "__main__":
    main()
