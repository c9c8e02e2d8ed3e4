"""`make bench-scaling`: what training costs as words, dimensions and vocabulary grow.

Of `negative_sampling` with its defaults, one epoch: the first 1, 4 and all million words of the
corpus of `make bench`; dimensions 50, 100, 300 on its first 4 million; vocabularies of 10 thousand,
100 thousand and 1 million in a generated corpus of 4 million words, Zipf's law.
"""

import tempfile
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import corpus, generated, run, trainers

_SETTINGS: dict[str, Any] = {
    "objective": "negative_sampling",
    "epochs": 1,
    "evaluations_per_epoch": 0,
}


def main() -> None:
    """Measures, prints and writes the results."""
    arguments = corpus.books_or_quick_start()
    prepared = corpus.run_pipeline("books" if arguments else "quick_start", *arguments)
    results: dict[str, Any] = {"machine": trainers.machine(), "rows": []}
    with tempfile.TemporaryDirectory() as folder:
        for millions in (1, 4, None):
            part = prepared
            if millions:
                made = trainers.alone(_first, prepared, millions * 1_000_000, folder)
                part = prepared._replace(train_files=[made["path"]])
            results["rows"].append(_measure(part, "words"))
        four = prepared._replace(train_files=[f"{folder}/{4_000_000}.gz"])
        results["rows"] += [_measure(four, "dim", dim=dim) for dim in (50, 100, 300)]
        for size in (10_000, 100_000, 1_000_000):
            made = trainers.alone(_generate, f"{folder}/generated-{size}.gz", size)
            results["rows"].append(
                trainers.alone(_on_generated, made["path"], size) | {"grows": "vocabulary"}
            )
    run.write("scaling.json", results)
    table = Table()
    names = ("grows", "words", "dim", "vocabulary", "words_per_second", "peak_megabytes")
    for name in names:
        table.add_column(name)
    for row in results["rows"]:
        table.add_row(*(str(row[name]) for name in names))
    Console().print(table)


def _measure(prepared: corpus.Corpus, grows: str, dim: int = 100) -> dict[str, Any]:
    figures = trainers.alone(trainers.ours, prepared, judge=False, dim=dim, **_SETTINGS)
    return {"grows": grows, "dim": dim, **figures}


def _first(prepared: corpus.Corpus, words: int, folder: str) -> trainers.Figures:
    """Writes the first documents of the train split that have so many words."""
    import tensorflow as tf

    path, written = f"{folder}/{words}.gz", 0
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for record in tf.data.TFRecordDataset(prepared.train_files, "GZIP").as_numpy_iterator():
            example = tf.train.Example.FromString(record)
            written += example.features.feature["num_tokens"].int64_list.value[0]
            writer.write(record)
            if written >= words:
                break
    return {"path": path}


def _generate(path: str, vocabulary_size: int) -> trainers.Figures:
    generated.write(path, vocabulary_size, 4_000_000, seed=1)
    return {"path": path}


def _on_generated(path: str, vocabulary_size: int) -> trainers.Figures:
    group = trainers.begin()
    split = generated.split_of(path, vocabulary_size)
    known = generated.vocabulary(vocabulary_size)
    figures = trainers.train(group, known, split, split, **_SETTINGS)
    figures.pop("table")
    return {"dim": 100, **figures}


if __name__ == "__main__":
    main()
