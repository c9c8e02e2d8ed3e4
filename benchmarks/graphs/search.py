"""`make bench-graphs-search`: how the defaults of graphs were found, trial by trial.

Needs ../shared/data/graphs. All learn from the edges that the defaults do not hold out. They are
judged by splits into labelled and other nodes, by seeds and by non-edges that compare.py does not
report on: so its figures are of nothing that was chosen by them.

A trial that the results have already is not made again, so a search that was stopped goes on.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import corpus, run, trainers
from benchmarks.graphs import specialists, tasks
from components.random_walks import graph, walking
from pipeline.sections.corpus import WalksConfig
from pipeline.sections.kinds import with_preset
from trainer_module.hyperparameters import PreprocessingHyperparameters
from trainer_module.text.split import is_held_out

Settings = Mapping[str, Any]
_DATA = corpus.SHARED / "graphs"
_RESULTS = "graphs_search.json"
# Of walks and of training; the report's is 1.
_SEEDS = (11, 12)
_HELD_OUT, _HELD_OUT_LINKS = 0.02, 0.1
_SHARE = 0.5  # of the nodes that are labelled
_TEN = {"num_walks": 10}
_SOFTMAX = {"objective": "softmax_cross_entropy", "dim": 200, "batch_size": 192, "epochs": 1}
# Beside what the kind has by default. These by classes alone,
_SCREENED: tuple[Settings, ...] = (
    {**_TEN, "learning_rate": 0.1},
    {**_TEN, "learning_rate": 0.05},
    {**_TEN, "learning_rate": 0.015},
    {**_TEN, "learning_rate": 0.025, "dim": 256},
    {**_TEN, "learning_rate": 0.015, "sampler_power": 0.5},
    {**_TEN, "learning_rate": 0.015, "subsample": 0.001},
    {"num_walks": 20, "learning_rate": 0.025},
)
# and these by links too.
_FINALISTS: tuple[Settings, ...] = (
    {**_TEN, "learning_rate": 0.025},
    {"num_walks": 20, "learning_rate": 0.015},
    # The losses of graph libraries as they have them: inner products, no biases.
    {**_TEN, "learning_rate": 0.025, "bias_initializer": "none"},
    *({**_TEN, **_SOFTMAX, "temperature": temperature} for temperature in (1.0, 4.0)),
    {"trainer": "gensim", "dim": 200, "window": 10},
)


def measured(settings: Settings, *, links: bool = True) -> dict[str, Any]:
    """The figures of a trial; those of links, which take a third training, only if asked."""
    edges = sorted(set(map(tasks.unordered, tasks.read_edges(_DATA / "cora.edgelist.txt"))))
    classes = dict(tasks.read_edges(_DATA / "cora.labels.txt"))
    train, _ = _split(edges, _HELD_OUT)
    found = []
    for seed in _SEEDS:
        started = time.process_time()
        vectors = _vectors(train, sorted(classes), settings, seed)
        seconds = time.process_time() - started
        f1 = tasks.classification(vectors, classes, shares=[_SHARE], splits=tasks.SEARCHED)
        found.append(f1[f"{_SHARE:.0%}"]["micro"][0])
    return {
        "micro_f1": round(float(np.mean(found)), 4),
        "micro_f1_by_seed": found,
        "links": _links(edges, sorted(classes), settings) if links else {},
        "cpu_seconds": round(seconds, 1),
    }


def _links(edges: tasks.Edges, nodes: Sequence[str], settings: Settings) -> dict[str, Any]:
    links = tasks.draw_non_edges(*_split(edges, _HELD_OUT_LINKS), seed=_SEEDS[0])
    ranked = tasks.link_prediction(_vectors(links.train, nodes, settings, _SEEDS[0]), links)
    return {how: ranked[how] for how in ("hadamard", "dot")}


def _split(edges: tasks.Edges, share: float) -> tuple[list[tasks.Edge], list[tasks.Edge]]:
    """As the pipeline does it: what is trained on, and what is held out."""
    held_out = [edge for edge in edges if is_held_out(" ".join(edge).encode(), share, "edges")]
    return sorted(set(edges) - set(held_out)), held_out


def _vectors(
    edges: tasks.Edges, nodes: Sequence[str], settings: Settings, seed: int
) -> tasks.Vectors:
    """Walks over the edges, and trains on the walks."""
    of_walks = {name: settings[name] for name in WalksConfig.model_fields if name in settings}
    walks = _walks(edges, nodes, WalksConfig(**of_walks), seed)
    own = {name: value for name, value in settings.items() if name not in of_walks}
    if own.pop("trainer", None) == "gensim":
        made: specialists.Made = specialists.gensims(walks, seed=seed, **own)["made"]
        return made.vectors
    import skipgram

    fields = PreprocessingHyperparameters.model_fields
    preprocessing = {name: own.pop(name) for name in fields if name in own}
    chosen = with_preset(
        {"corpus": {"kind": "edges"}, "preprocessing": preprocessing, "trainer": own}
    )
    model = skipgram.train(
        walks,
        seed=seed,
        eval_fraction=0.001,
        evaluations_per_epoch=0,
        **chosen["preprocessing"],
        **chosen["trainer"],
    )
    return tasks.Vectors(list(model.tokens), np.asarray(model.vectors))


def _walks(
    edges: tasks.Edges, nodes: Sequence[str], settings: WalksConfig, seed: int
) -> list[list[str]]:
    """The pipeline's walks, in an order by chance."""
    first, second = ([end.encode() for end in ends] for ends in zip(*edges, strict=True))
    of_nodes = [node.encode() for node in nodes]
    numbered = graph.encoded(first, second, np.ones(len(edges)), of_nodes)
    connected, counts = graph.connected(graph.joined([numbered]), directed=False)
    walk = walking.WalkSettings(**settings.model_dump(), directed=False, seed=seed)
    documents = [*walking.walk_documents(connected, 0, counts.nodes, walk)]
    order = np.random.default_rng(seed).permutation(len(documents))
    return [documents[place].decode().split() for place in order]


def main() -> None:
    """Measures, prints and writes the results."""
    path = run.RESULTS / _RESULTS
    known = json.loads(path.read_text())["trials"] if path.exists() else []
    found = {json.dumps(trial["settings"]): trial for trial in known}
    trials = (*_SCREENED, *_FINALISTS)
    names = list(map(json.dumps, trials))
    for name, settings in zip(names, trials, strict=True):
        if name not in found:
            figures = trainers.alone(measured, settings, links=settings in _FINALISTS)
            found[name] = {"settings": settings, **figures}
            so_far = [found[name] for name in names if name in found]
            run.write(_RESULTS, {"machine": trainers.machine(), "trials": so_far})
    table = Table("settings", "micro-F1", "by seed", box=box.SIMPLE_HEAD)
    for column in ("Hadamard AUC", "AP", "dot AUC", "AP", "CPU s"):
        table.add_column(column)
    for name in names:
        made = found[name]
        table.add_row(
            name,
            f"{made['micro_f1']:.4f}",
            ", ".join(map(str, made["micro_f1_by_seed"])),
            *(f"{figure:.3f}" for by in made["links"].values() for figure in by.values()),
            str(made["cpu_seconds"]),
        )
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
