"""`make bench-objectives`: every objective with its defaults on one corpus; docs/losses.md's table.

Full cross-entropies are those of held-out pairs, as the Trainer takes them. The objectives that
sample nothing are compared with the others on the quick-start corpus, with a vocabulary of 2,000.
"""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import corpus, run, trainers
from trainer_module.objective_table import OBJECTIVES

SAMPLED = tuple(name for name, spec in OBJECTIVES.items() if spec.samples)
# Small enough that a full objective takes a minute.
SMALL_VOCABULARY = ("--set", "preprocessing.vocab_size=2000")
FIGURES = ("softmax", "sigmoid", "raw_softmax", "raw_sigmoid")


def main() -> None:
    """Measures, prints and writes the results."""
    console = Console(width=100)  # nine figures a line
    arguments = corpus.books_or_quick_start()
    name = "books" if arguments else "quick_start"
    whole = corpus.run_pipeline(name, *arguments)
    small = corpus.run_pipeline("quick_start_small", *SMALL_VOCABULARY)
    results: dict[str, Any] = {
        "machine": trainers.machine(),
        name: _measure(whole, SAMPLED),
        small.name: _measure(small, tuple(OBJECTIVES)),
    }
    run.write("objectives.json", results)
    for title in (name, small.name):
        console.print(_table(title, results[title]))


def _measure(prepared: corpus.Corpus, objectives: tuple[str, ...]) -> dict[str, Any]:
    return {
        objective: trainers.alone(trainers.ours, prepared, objective=objective)
        for objective in objectives
    }


def _table(title: str, results: dict[str, Any]) -> Table:
    unigram = results[SAMPLED[0]]["unigram_cross_entropy"]
    table = Table(
        title=f"{title} (softmax CE of the unigram model: {unigram})",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for name in ("", "softmax", "sigmoid", "raw", "raw", *run.QUALITIES, "s"):
        table.add_column(name, justify="right" if name else "left")
    for objective, figures in results.items():
        table.add_row(
            objective,
            *(_nats(figures["full"][name]) for name in FIGURES),
            *(str(figures.get(name, "")) for name in run.QUALITIES),
            f"{figures['seconds_to_vectors']:.0f}",
        )
    return table


def _nats(value: float) -> str:
    return f"{value:.3f}" if value < 100 else f"{value:,.0f}"


if __name__ == "__main__":
    main()
