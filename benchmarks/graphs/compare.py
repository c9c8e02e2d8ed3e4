"""`make bench-graphs`: node classification and link prediction on Cora, beside the specialists.

The pipeline runs on the edges with the defaults of kind `edges`, also with other seeds: their
vectors show what chance does. It runs once more with a tenth of the edges held out, for link
prediction. All trainers learn from
the edges that it did not hold out. Ours and gensim's take the same walks, the pipeline's; PecanPy
makes its own.

PecanPy's packages do not go with ours: install it into an environment of its own and name its
command, `make bench-graphs PECANPY=.../bin/pecanpy`. Without it the other rows are measured.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import corpus, run, trainers
from benchmarks.graphs import specialists, tasks
from pipeline.sections.kinds import KINDS

_DATA = corpus.SHARED / "graphs"
_HELD_OUT_LINKS = 0.1
_SEEDS = (1, 2, 3)


class Prepared(NamedTuple):
    """What the pipeline made of the edges: the same for all trainers."""

    ran: corpus.Corpus
    walks: list[list[str]]
    train: list[tasks.Edge]
    held_out: list[tasks.Edge]


def main() -> None:
    """Measures, prints and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edges", type=Path, default=_DATA / "cora.edgelist.txt")
    parser.add_argument("--labels", type=Path, default=_DATA / "cora.labels.txt")
    parser.add_argument("--pecanpy", default=shutil.which("pecanpy"))
    given = parser.parse_args()
    if not given.edges.exists():
        sys.exit(f"there is no {given.edges}: name the edges of a graph with --edges")
    classes = dict(tasks.read_edges(given.labels))
    for_classes = _prepare("graph", given.edges)
    for_links = _prepare(
        "graph-links", given.edges, "--set", f"corpus.eval_fraction={_HELD_OUT_LINKS}"
    )
    links = tasks.draw_non_edges(for_links.train, for_links.held_out, seed=1)
    results: dict[str, Any] = {
        "machine": trainers.machine(),
        "edges": {"train": len(for_links.train), "held_out": len(for_links.held_out)},
        "trainers": {},
    }
    for (name, made), (_, linked) in zip(
        _all_trained(for_classes, given.pecanpy),
        _all_trained(for_links, given.pecanpy),
        strict=True,
    ):
        results["trainers"][name] = {
            "cpu_seconds": made.cpu_seconds,
            "classification": tasks.classification(made.vectors, classes),
            "links": tasks.link_prediction(linked.vectors, links),
        }
    results["by_seed"] = {str(seed): _of_command(given.edges, classes, seed) for seed in _SEEDS}
    run.write("graphs.json", results)
    Console(width=140).print(_table(results["trainers"]))
    print(_over_seeds(results["by_seed"]))
    if not given.pecanpy:
        print("without pecanpy, which is not installed: name its command with --pecanpy")


def _prepare(name: str, edges: Path, *arguments: str) -> Prepared:
    ran = corpus.run_command(name, "--set", "corpus.kind=edges", "--corpus", str(edges), *arguments)
    read = trainers.alone(_documents, ran)
    held_out = [tasks.unordered((first, second)) for first, second in read["held_out"]]
    every = {tasks.unordered(edge) for edge in tasks.read_edges(edges)}
    return Prepared(ran, read["walks"], sorted(every - set(held_out)), sorted(set(held_out)))


def _of_command(edges: Path, classes: dict[str, str], seed: int) -> dict[str, Any]:
    """What the command's own vectors classify, with a seed for walks and training."""
    from pipeline.results.embeddings import Embeddings

    name = "graph" if seed == 1 else f"graph-seed-{seed}"
    _prepare(name, edges, "--set", f"seed={seed}")
    found = Embeddings.load(corpus.OUTPUT / name / "vectors")
    return tasks.classification(tasks.Vectors(found.tokens, found.vectors), classes)


def _over_seeds(by_seed: dict[str, Any]) -> str:
    """Micro-F1 at half of the labels, of the seeds and over them."""
    found = [figures["50%"]["micro"][0] for figures in by_seed.values()]
    error = np.std(found, ddof=1) / len(found) ** 0.5
    return f"by seed: {found}; mean {np.mean(found):.4f}, standard error {error:.4f}"


def _documents(ran: corpus.Corpus) -> trainers.Figures:
    walks, held_out = (
        [text.split() for text in corpus.texts(files)]
        for files in (ran.text_files, ran.eval_text_files)
    )
    return {"walks": walks, "held_out": held_out}


def _all_trained(prepared: Prepared, pecanpy: str | None) -> Iterator[tuple[str, specialists.Made]]:
    """The name of each trainer, and what it made."""
    preprocessing, settings = (
        dict(KINDS["edges"].defaults[section]) for section in ("preprocessing", "trainer")
    )
    ours = trainers.alone(
        specialists.ours, prepared.ran, preprocessing, {**settings, "evaluations_per_epoch": 0}
    )
    yield "ours, the defaults", ours["made"]
    theirs = trainers.alone(
        specialists.gensims,
        prepared.walks,
        window=preprocessing["window"],
        dim=settings["dim"],
        epochs=settings["epochs"],
    )
    yield "gensim, the same walks", theirs["made"]
    if pecanpy:
        yield (
            "PecanPy",
            specialists.pecanpys(Path(pecanpy), prepared.train, dim=settings["dim"]),
        )


def _table(measured: dict[str, Any]) -> Table:
    shares = (f"micro, macro F1 at {share:.0%}" for share in tasks.LABELLED)
    table = Table("trainer", *shares, box=box.SIMPLE_HEAD)
    for column in ("Hadamard AUC", "AP", "dot AUC", "AP", "lost", "CPU s"):
        table.add_column(column)
    for name, figures in measured.items():
        classes, links = figures["classification"], figures["links"]
        f1 = [classes[f"{share:.0%}"] for share in tasks.LABELLED]
        table.add_row(
            name,
            *(f"{of['micro'][0]:.3f} +- {of['micro'][1]:.3f}, {of['macro'][0]:.3f}" for of in f1),
            *(f"{figure:.3f}" for by in ("hadamard", "dot") for figure in links[by].values()),
            str(classes["lost_nodes"]),
            str(figures["cpu_seconds"]),
        )
    return table


if __name__ == "__main__":
    main()
