"""`make bench-objectives`: every objective with its defaults on one corpus; docs/losses.md's table.

Full cross-entropies are those of held-out pairs, as the Trainer takes them. The objectives that
sample nothing are compared with the others on the quick-start corpus, with a vocabulary of 2,000.
"""

from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import corpus, run, trainers

SAMPLED = (
    "nce",
    "sampled_softmax",
    "negative_sampling",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
)
FULL = ("full_softmax", "full_sigmoid")
# Small enough that a full objective takes a minute.
SMALL_VOCABULARY = ("--set", "preprocessing.vocab_size=2000")
FIGURES = ("softmax", "sigmoid", "raw_softmax", "raw_sigmoid")


def main() -> None:
    """Measures, prints and writes the results."""
    console = Console()
    arguments = corpus.books_or_quick_start()
    name = "books" if arguments else "quick_start"
    whole = corpus.run_pipeline(name, *arguments)
    small = corpus.run_pipeline("quick_start_small", *SMALL_VOCABULARY)
    results: dict[str, Any] = {
        "machine": trainers.machine(),
        name: _measure(whole, SAMPLED),
        small.name: _measure(small, (*SAMPLED, *FULL)),
    }
    run.write("objectives.json", results)
    for title in (name, small.name):
        console.print(_table(title, results[title]))


def _measure(prepared: corpus.Corpus, objectives: tuple[str, ...]) -> dict[str, Any]:
    return {
        "unigram_cross_entropy": round(prepared.summary["unigram_cross_entropy"], 4),
        **{
            objective: trainers.alone(trainers.ours, prepared, objective=objective)
            for objective in objectives
        },
    }


def _table(title: str, results: dict[str, Any]) -> Table:
    unigram = results["unigram_cross_entropy"]
    table = Table(title=f"{title} (unigram model: {unigram})", title_justify="left")
    for name in ("objective", *FIGURES, *run.QUALITIES, "seconds"):
        table.add_column(name)
    for objective, figures in results.items():
        if isinstance(figures, dict):
            table.add_row(
                objective,
                *(f"{figures['full'][name]:,.3f}" for name in FIGURES),
                *(str(figures.get(name, "")) for name in run.QUALITIES),
                str(figures["seconds_to_vectors"]),
            )
    return table


if __name__ == "__main__":
    main()
