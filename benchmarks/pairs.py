"""`make bench-pairs`: training from pairs beside training from windows, on one corpus.

Both forms in turns, three times each, in the same run: machines are noisy. One epoch, in which both
have the same pairs, without evaluations.
"""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import corpus, run, trainers

_OBJECTIVES = ("negative_sampling", "nce")
_FORMS = ("windows", "pairs")
_TIMES = 3
_SHOWN = ("words_per_second", "input_words_per_second", "milliseconds_a_step", "peak_megabytes")


def main() -> None:
    """Measures, prints and writes the results."""
    arguments = corpus.books_or_quick_start()
    name = "books" if arguments else "quick_start"
    prepared = {
        "windows": corpus.run_pipeline(name, *arguments),
        "pairs": corpus.run_pipeline(
            f"{name}_pairs", *arguments, "--set", "preprocessing.emit=pairs"
        ),
    }
    results: dict[str, Any] = {
        "corpus": name,
        "machine": trainers.machine(),
        "megabytes": {form: _megabytes(made.train_files) for form, made in prepared.items()},
        "objectives": {objective: _compare(prepared, objective) for objective in _OBJECTIVES},
    }
    run.write("pairs.json", results)
    Console().print(_table(results["objectives"]))
    Console().print({"megabytes": results["megabytes"]})


def _megabytes(files: list[str]) -> float:
    return round(sum(Path(path).stat().st_size for path in files) / 1e6, 1)


def _compare(prepared: dict[str, corpus.Corpus], objective: str) -> dict[str, Any]:
    measured: dict[str, list[trainers.Figures]] = {form: [] for form in _FORMS}
    for _ in range(_TIMES):
        for form in _FORMS:
            figures = trainers.alone(
                trainers.ours,
                prepared[form],
                judge=False,
                emit=form,
                objective=objective,
                epochs=1,
                evaluations_per_epoch=0,
            )
            measured[form].append(figures)
    ratios = sorted(
        pairs["words_per_second"] / windows["words_per_second"]
        for windows, pairs in zip(measured["windows"], measured["pairs"], strict=True)
    )
    return {
        "ratio": round(ratios[_TIMES // 2], 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
        **{form: run.median(measured[form]) for form in _FORMS},
    }


def _table(objectives: dict[str, Any]) -> Table:
    table = Table("objective", "form", *_SHOWN, "softmax", "ratio")
    for objective, results in objectives.items():
        for form in _FORMS:
            figures = results[form]
            table.add_row(
                objective,
                form,
                *(f"{figures[name]:,}" for name in _SHOWN),
                str(figures["full"]["softmax"]),
                str(results["ratio"]) if form == "pairs" else "",
            )
    return table


if __name__ == "__main__":
    main()
