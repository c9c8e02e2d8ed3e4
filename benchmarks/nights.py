"""`make bench-nights`: ten nights replayed on books, after a first one, and what the gate says.

All run into one output folder, one after the other, by the real command. What must come out is said
before: a night is to be withheld where it serves people worse than the one before.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import corpus, run, trainers

_OUTPUT = corpus.OUTPUT / "nights"
# Of a run: the exit codes of a new model, of nothing new, and of a model that is withheld.
_BLESSED, _UNCHANGED, _WITHHELD = 0, 9, 3
_VERDICTS = {_BLESSED: "blessed", _UNCHANGED: "unchanged", _WITHHELD: "withheld"}
_USUAL = 6  # books: a night is a minute's work, and learns more than word frequencies


class Night(NamedTuple):
    """One night, and what must come out."""

    what: str
    books: int
    settings: tuple[str, ...]
    expected: int
    copies: bool = False  # whether each book is there twice


_NIGHTS = (
    Night("the first", 4, (), _BLESSED),
    Night("growth: 2 more books", _USUAL, (), _BLESSED),
    Night("nothing new", _USUAL, (), _UNCHANGED),
    Night("a broken feed: 2 books of 6", 2, (), _WITHHELD),
    Night("min_count 5 -> 8", _USUAL, ("preprocessing.min_count=8",), _BLESSED),
    Night("vocab_size 1,000", _USUAL, ("preprocessing.vocab_size=1000",), _WITHHELD),
    Night("dim 100 -> 4", _USUAL, ("trainer.dim=4",), _WITHHELD),
    Night("another seed", _USUAL, ("seed=2",), _BLESSED),
    Night("more epochs: 3", _USUAL, ("trainer.epochs=3",), _BLESSED),
    Night(
        "another objective: softmax",
        _USUAL,
        ("trainer.epochs=3", "trainer.objective=sampled_softmax"),
        _BLESSED,
    ),
    # Last: it trains on each document twice as often, and what follows would be held against that.
    Night("files twice", _USUAL, (), _BLESSED, copies=True),
)


# The columns of the table.
_FIGURES = (
    ("tokens", ","),
    ("vocabulary_size", ","),
    ("common_cross_entropy", ".4f"),
    ("common_cross_entropy_of_last_blessed", ".4f"),
)
_INCREASE = (("increase", "+.4f"), ("increase_error", ".4f"))
_COVERAGES = ("common_coverage", "common_coverage_of_last_blessed")
_MOVED = ("neighbor_overlap", "mean_cosine_before_alignment", "mean_cosine")


def main() -> None:
    """Runs the nights, prints the table and writes the results."""
    books = sorted(corpus.BOOKS.glob("*.txt.gz"))
    if not books:
        sys.exit(f"there are no books in {corpus.BOOKS}: nothing is measured")
    shutil.rmtree(_OUTPUT, ignore_errors=True)
    nights = [_replayed(night, _files(night, books)) for night in _NIGHTS]
    run.write("nights.json", {"machine": trainers.machine(), "nights": nights})
    Console(width=140).print(_table(nights))
    wrong = [found["what"] for found in nights if found["verdict"] != found["expected"]]
    if wrong:
        sys.exit(f"the gate decided otherwise than expected: {', '.join(wrong)}")


def _files(night: Night, books: Sequence[Path]) -> list[Path]:
    files = list(books[: night.books])
    if not night.copies:
        return files
    folder = _OUTPUT / "copies"
    folder.mkdir(exist_ok=True)
    return files + [Path(shutil.copy(file, folder / file.name)) for file in files]


def _replayed(night: Night, files: Sequence[Path]) -> dict[str, Any]:
    """Runs one night; all that is asked of it."""
    settings = [part for setting in night.settings for part in ("--set", setting)]
    command = Path(sys.executable).with_name("skipgram")
    started = time.monotonic()
    ended = subprocess.run(
        [
            *(str(command), "run", "--output", str(_OUTPUT)),
            *("--exit-code-if-unchanged", str(_UNCHANGED)),
            *settings,
            *("--corpus", *map(str, files)),
        ],
        check=False,
        stdout=sys.stderr,
    )
    seconds = time.monotonic() - started
    if ended.returncode not in _VERDICTS:
        sys.exit(f"{night.what}: the command ended with {ended.returncode}")
    found = {
        "what": night.what,
        "expected": _VERDICTS[night.expected],
        "verdict": _VERDICTS[ended.returncode],
        "seconds": round(seconds),
    }
    run_id, artifacts = _last_run()
    summary = json.loads((_OUTPUT / "summary.json").read_text())
    if summary["run"] != run_id:  # withheld before training: it has no figures
        return found
    before, after = _mean_cosines(artifacts)
    figures = [name for name, _ in (*_FIGURES, *_INCREASE)]
    return found | {
        **{name: summary.get(name) for name in (*figures, *_COVERAGES)},
        "neighbor_overlap": (summary.get("moved") or {}).get("neighbor_overlap"),
        "mean_cosine_before_alignment": before,
        "mean_cosine": after,
        "sentence": summary["verdict"],
    }


def _store() -> Any:
    """The metadata store of the nights, and the name of their pipeline."""
    from pipeline.config import MetadataConfig
    from pipeline.local import metadata_store
    from pipeline.local.output_folder import OutputFolder

    place = metadata_store.store_location(MetadataConfig(), OutputFolder(_OUTPUT))
    return metadata_store.open_store(place.connection), place.pipeline_name


def _last_run() -> tuple[str, Mapping[tuple[str, str], Any]]:
    """Its name and its artifacts."""
    from pipeline.local import metadata_store

    store, pipeline_name = _store()
    last = metadata_store.runs(store, pipeline_name)[0]
    return last.name, metadata_store.output_artifacts(store, last.run_id)


def _mean_cosines(
    artifacts: Mapping[tuple[str, str], Any],
) -> tuple[float | None, float | None]:
    """Of the common tokens of the last run's model and of what it was compared with.

    Returns:
      Before alignment and after it; None where there was nothing to compare, or another dimension.
    """
    from components.embedding_comparison import measures
    from components.tfx_api import path_utils
    from trainer_module import vocabulary
    from trainer_module.evaluation import saved_model

    baseline = artifacts["Evaluator", "blessing"].custom_properties["baseline_model_id"].int_value
    if not baseline:
        return None, None
    [last_artifact] = _store()[0].get_artifacts_by_id([baseline])

    def read(uri: str) -> saved_model.SavedModel:
        return saved_model.read(path_utils.serving_model_path(uri))

    last = read(last_artifact.uri)
    found = []
    for key in (("Trainer", "model"), ("EmbeddingAligner", "aligned_model")):
        model = read(artifacts[key].uri)
        if model.target_table.shape[1] != last.target_table.shape[1]:
            return None, None
        ids, last_ids = (
            rows[:10_000] for rows in vocabulary.common(model.vocabulary, last.vocabulary)
        )
        cosines = measures.cosines(model.target_table[ids], last.target_table[last_ids])
        found.append(round(float(np.mean(cosines)), 3))
    return found[0], found[1]


def _table(nights: Sequence[dict[str, Any]]) -> Table:
    table = Table(
        *("night", "gate", "tokens", "vocabulary", "common CE", "of the last", "increase"),
        *("coverage", "overlap", "cosine before", "aligned", "s"),
    )
    for found in nights:
        increase, error = (_shown(found.get(name), form) for name, form in _INCREASE)
        coverages = [found.get(name) for name in _COVERAGES]
        table.add_row(
            found["what"],
            found["verdict"],
            *(_shown(found.get(name), form) for name, form in _FIGURES),
            f"{increase} +- {error}" if increase else "",
            " ".join(_shown(coverage, ".3f") for coverage in coverages),
            *(_shown(found.get(name), ".3f") for name in _MOVED),
            str(found["seconds"]),
        )
    return table


def _shown(number: float | None, form: str) -> str:
    return "" if number is None else format(number, form)


if __name__ == "__main__":
    main()
