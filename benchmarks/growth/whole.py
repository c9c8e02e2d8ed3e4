"""`make bench-growth`: the whole pipeline on 1, 4, 17 and 170 million words.

Seconds and peak memory of each component, on texts that are grown from the books, from raw text to
exported vectors. Each size has a folder of its own, so nothing comes from the cache.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import corpus, run, trainers
from benchmarks.growth import grown

_WORDS = (1_000_000, 4_000_000, 17_000_000, 170_000_000)
# What does some work; the others take less than a second.
_SHOWN = ("TextExampleGen", "StatisticsGen", "Transform", "Trainer", "Evaluator")


def main() -> None:
    """Measures the sizes that are named, or all; prints, and writes the results."""
    rows = [_measure(words) for words in map(int, sys.argv[1:] or _WORDS)]
    run.write("growth.json", {"machine": trainers.machine(), "rows": rows})
    for unit in ("seconds", "megabytes"):
        Console().print(_table(rows, unit))


def _measure(words: int) -> dict[str, Any]:
    name = f"growth-{words}"
    text = Path(corpus.OUTPUT, f"{name}-text")
    for folder in (text, corpus.OUTPUT / name):
        shutil.rmtree(folder, ignore_errors=True)
    # In another process: what is measured is forked from none that holds the books.
    files = trainers.alone(_grow, text, words)["files"]
    try:
        ran = corpus.run_pipeline(name, "--corpus", files)
    finally:
        shutil.rmtree(text)
    summary = ran.summary
    return {
        "words": summary["tokens"],
        "documents": summary["documents"],
        "vocabulary": summary["vocabulary_size"],
        "pairs": summary["pairs_train"],
        "full_softmax_cross_entropy": summary["full_softmax_cross_entropy"],
        "unigram_cross_entropy": summary["unigram_cross_entropy"],
        "pipeline_seconds": round(ran.pipeline_seconds, 1),
        "seconds": summary["seconds"],
        "megabytes": summary["peak_memory_megabytes"],
    }


def _grow(folder: Path, words: int) -> trainers.Figures:
    return {"files": grown.write(folder, words)}


def _table(rows: list[dict[str, Any]], unit: str) -> Table:
    table = Table("words", "vocabulary", *_SHOWN, "the command", title=unit, title_justify="left")
    for row in rows:
        whole = f"{row['pipeline_seconds']:,}" if unit == "seconds" else ""
        shown = [f"{row[unit][component]:,}" for component in _SHOWN]
        table.add_row(f"{row['words']:,}", f"{row['vocabulary']:,}", *shown, whole)
    return table


if __name__ == "__main__":
    main()
