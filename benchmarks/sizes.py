"""`make bench-sizes`: the defaults of batch size, candidates and rate on three sizes of corpus.

Of one book, all of the books (the quick start where they are not there) and a generated corpus of
100 million words: the held-out full softmax cross-entropy beside the unigram model's, and where it
can be paid beside that of `full_softmax`, which says what more there was to learn.
"""

import math
import tempfile
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import corpus, generated, run, trainers

_BOOK = corpus.BOOKS / "jane-austen_pride-and-prejudice.txt.gz"
_VOCABULARY = 100_000
_WORDS = 100_000_000
_OBJECTIVES = ("nce", "negative_sampling")


def main() -> None:
    """Measures, prints and writes the results."""
    rows: list[dict[str, Any]] = []
    if corpus.BOOKS.exists():
        book = corpus.run_pipeline("book", "--corpus", str(_BOOK))
        # Few words need more epochs; the other defaults are the same.
        rows += [_measure("one book", book, name, 10) for name in (*_OBJECTIVES, "full_softmax")]
    arguments = corpus.books_or_quick_start()
    whole = corpus.run_pipeline("books" if arguments else "quick_start", *arguments)
    rows += [_measure(whole.name, whole, name, corpus.EPOCHS) for name in _OBJECTIVES]
    with tempfile.TemporaryDirectory() as folder:
        paths = [
            trainers.alone(_write, f"{folder}/{name}.gz", words, seed)["path"]
            for name, words, seed in (("train", _WORDS, 1), ("eval", _WORDS // 100, 2))
        ]
        for name in _OBJECTIVES:
            figures = trainers.alone(_on_generated, *paths, objective=name, epochs=1)
            rows.append({"corpus": "generated", "objective": name, "epochs": 1, **figures})
    for row in rows:
        assert math.isfinite(row["full"]["softmax"]), row
    run.write("sizes.json", {"machine": trainers.machine(), "rows": rows})
    names = ("corpus", "words", "vocabulary", "objective", "epochs")
    table = Table(*names, "full softmax CE", "unigram")
    for row in rows:
        full = (row["full"]["softmax"], row["unigram_cross_entropy"])
        table.add_row(*(str(row[name]) for name in names), *(f"{value:.3f}" for value in full))
    Console().print(table)


def _measure(title: str, prepared: corpus.Corpus, objective: str, epochs: int) -> dict[str, Any]:
    figures = trainers.alone(
        trainers.ours, prepared, judge=False, objective=objective, epochs=epochs
    )
    return {"corpus": title, "objective": objective, "epochs": epochs, **figures}


def _write(path: str, words: int, seed: int) -> trainers.Figures:
    generated.write(path, _VOCABULARY, words, seed=seed)
    return {"path": path}


def _on_generated(train_path: str, eval_path: str, **settings: Any) -> trainers.Figures:
    group = trainers.begin()
    figures = trainers.train(
        group,
        generated.vocabulary(_VOCABULARY),
        generated.split_of(train_path, _VOCABULARY),
        generated.split_of(eval_path, _VOCABULARY),
        **settings,
    )
    figures.pop("table")
    return figures


if __name__ == "__main__":
    main()
