"""`make bench-million`: two nights of generated words, with ever larger vocabularies.

Words and all else stay the same, so the seconds and megabytes tell what the vocabulary costs. In
the second night another seed is held against the first one's model.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import corpus, run, trainers

_SIZES = (250_000, 500_000, 1_000_000)
_WORDS = 12_000_000
_WORDS_OF_LINE = 100
_LINES_AT_ONCE = 10_000
# All words are kept, and a tenth of the documents held out: 240,000 distinct targets of a million.
_SETTINGS = (
    *("preprocessing.min_count=1", "corpus.eval_fraction=0.1"),
    *("preprocessing.vocab_size=1000000", "trainer.epochs=1"),
    # It is about seconds, and a word that comes once teaches a model nothing.
    *("evaluator.min_gain_over_unigram=-100", "evaluator.max_increase=100"),
)
_NIGHTS = ("seed=1", "seed=2")
_FIGURES = (
    *("documents_eval", "tokens", "vocabulary_size", "pairs_eval", "seconds"),
    *("peak_memory_megabytes", "full_softmax_cross_entropy", "full_softmax_cross_entropy_error"),
    *("common_cross_entropy", "increase", "increase_error"),
)


def main() -> None:
    """Runs all sizes, or those that are named; prints the table and writes the results."""
    sizes = tuple(map(int, sys.argv[1:])) or _SIZES
    measured = [_measured(size) for size in sizes]
    results = {"machine": trainers.machine(), "words": _WORDS, "sizes": measured}
    run.write("million.json", results)
    Console(width=140).print(_table(measured))


def _measured(size: int) -> dict[str, Any]:
    output = corpus.OUTPUT / f"million-{size}"
    shutil.rmtree(output, ignore_errors=True)
    text = corpus.OUTPUT / f"million-{size}.txt"
    text.parent.mkdir(exist_ok=True)
    _write(text, size)
    nights = [_night(output, text, seed) for seed in _NIGHTS]
    text.unlink()
    return {
        "vocabulary": size,
        "nights": nights,
        "neighbors": _asked(output, "neighbors", "w1", "w100", f"w{size - 1}"),
        "analogy": _asked(output, "analogy", "w1", "w2", "w3"),
    }


def _write(path: Path, size: int) -> None:
    """Writes lines of words by Zipf's law, and each word once more, for all to have a place."""
    words = np.array([f"w{rank}" for rank in range(size)])
    shares = np.cumsum(1 / np.arange(1, size + 1))
    generator = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as file:
        for begin in range(0, _WORDS // _WORDS_OF_LINE, _LINES_AT_ONCE):
            number = min(_LINES_AT_ONCE, _WORDS // _WORDS_OF_LINE - begin)
            draws = generator.random((number, _WORDS_OF_LINE)) * shares[-1]
            _write_lines(file, words[np.searchsorted(shares, draws)])
        _write_lines(file, words[generator.permutation(size)].reshape(-1, _WORDS_OF_LINE))


def _write_lines(file: Any, words: Any) -> None:
    file.writelines(" ".join(line) + "\n" for line in words)


def _night(output: Path, text: Path, seed: str) -> dict[str, Any]:
    settings = [part for setting in (*_SETTINGS, seed) for part in ("--set", setting)]
    seconds, _ = _alone("run", "--output", str(output), "--corpus", str(text), *settings)
    summary = json.loads((output / "summary.json").read_text())
    found = {name: summary[name] for name in _FIGURES if name in summary}
    return {"command_seconds": seconds, **found}


def _asked(output: Path, *arguments: str) -> dict[str, Any]:
    """A question to the model, and what its answer took."""
    seconds, megabytes = _alone(*arguments, "--output", str(output))
    return {"seconds": seconds, "peak_megabytes": megabytes}


def _alone(*arguments: str) -> tuple[float, int]:
    """Runs the command: its seconds and its peak memory in megabytes, without its children's."""
    command = [str(Path(sys.executable).with_name("skipgram")), *arguments]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=sys.stderr)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command[:2])} ended with {os.waitstatus_to_exitcode(status)}")
    return round(time.monotonic() - started, 1), round(usage.ru_maxrss * 1024 / 1e6)


def _table(measured: list[dict[str, Any]]) -> Table:
    """By component: seconds of the second night, and peak memory."""
    table = Table("component", title="By the vocabulary: seconds, MB", title_justify="left")
    for found in measured:
        table.add_column(f"{found['vocabulary']:,}")
    nights = [found["nights"][-1] for found in measured]
    for component in nights[0]["seconds"]:
        cells = [
            f"{night['seconds'][component]:.1f}, {night['peak_memory_megabytes'][component]:,}"
            for night in nights
        ]
        table.add_row(component, *cells)
    for asked in ("neighbors", "analogy"):
        cells = [
            f"{found[asked]['seconds']:.1f}, {found[asked]['peak_megabytes']:,}"
            for found in measured
        ]
        table.add_row(asked, *cells)
    return table


if __name__ == "__main__":
    main()
