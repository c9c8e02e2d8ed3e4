"""`make bench`: our Trainer beside gensim's, on the same machine, one process after another.

On the books of ../shared/data where they are, else on the quick-start corpus: the same tokens,
dimension (100), window (5), negatives (5), epochs, threads (all cores). Words a second are words of
the corpus, reading included; nothing is measured while something else runs.

1. `negative_sampling` and gensim's Word2Vec(sg=1): words a second, seconds from transformed
   examples (tokens in memory) to vectors, peak memory, quality; 1 and 5 epochs, two seeds.
2. `nce` and `sampled_softmax` by the same path.
3. Reading the input alone, beside training: input must not be what training waits for.
4. The whole command from raw text at 2 and 5 epochs, beside gensim; and the command again.
5. The full cross-entropies once per distinct target, beside once per pair.
"""

import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import corpus, trainers

RESULTS = Path(__file__).with_name("results")
QUALITIES = ("WS-353", "SimLex-999", "MEN", "analogies")
# Enough pairs that a repetition shows, few enough that scoring each alone ends.
PAIRS_EVALUATED = 20_000


def main() -> None:
    """Measures, prints and writes the results."""
    arguments = corpus.books_or_quick_start()
    name = "books" if arguments else "quick_start"
    shutil.rmtree(corpus.OUTPUT / name, ignore_errors=True)  # nothing may come from the cache
    prepared = corpus.run_pipeline(name, *arguments)
    console = Console()
    results: dict[str, Any] = {"corpus": name, "machine": trainers.machine(), "runs": []}
    with tempfile.TemporaryDirectory() as folder:
        documents = trainers.alone(write_tokens, prepared, f"{folder}/tokens.txt")["path"]
        for epochs in (1, 5):
            for seed in (1, 2):
                results["runs"].append(_compare(prepared, documents, epochs, seed))
                console.print(results["runs"][-1])
    for objective in ("nce", "sampled_softmax"):
        figures = trainers.alone(
            trainers.ours, prepared, objective=objective, epochs=1, evaluations_per_epoch=0
        )
        results[objective] = figures
    results["whole"] = [_whole(prepared, arguments, corpus.EPOCHS), _longer(name, arguments)]
    results["again_all_cached_seconds"] = round(
        corpus.run_pipeline(name, *arguments).pipeline_seconds, 1
    )
    results["evaluation"] = trainers.alone(_evaluation, prepared)
    write(f"{name}.json", results)
    console.print(_table(results))
    console.print({k: v for k, v in results.items() if k != "runs"})


def write(name: str, results: dict[str, Any]) -> None:
    """Writes results where the repository keeps them."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / name).write_text(json.dumps(results, indent=2) + "\n")


def write_tokens(prepared: corpus.Corpus, path: str) -> trainers.Figures:
    """Writes what gensim trains on: a document a line."""
    with open(path, "w", encoding="utf-8") as file:
        for tokens in corpus.tokens(prepared):
            file.write(" ".join(tokens) + "\n")
    return {"path": path}


def _compare(prepared: corpus.Corpus, documents: str, epochs: int, seed: int) -> dict[str, Any]:
    """Both, in turns; three times where that is quick, because machines are noisy."""
    settings = {"objective": "negative_sampling", "epochs": epochs, "evaluations_per_epoch": 0}
    times = 3 if epochs == 1 and seed == 1 else 1
    gensims, ours = [], []
    for _ in range(times):
        gensims.append(trainers.alone(trainers.gensims, documents, seed=seed, epochs=epochs))
        ours.append(trainers.alone(trainers.ours, prepared, seed=seed, **settings))
    ratios = sorted(
        mine["words_per_second"] / theirs["words_per_second"]
        for mine, theirs in zip(ours, gensims, strict=True)
    )
    return {
        "epochs": epochs,
        "seed": seed,
        "ratio": round(ratios[times // 2], 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
        "gensim": median(gensims),
        "ours": median(ours),
        "gensim_less_ours": {
            name: round(gensims[0][name] - ours[0][name], 3)
            for name in QUALITIES
            if name in ours[0]
        },
    }


def median(measured: list[dict[str, Any]]) -> dict[str, Any]:
    """The run of median speed."""
    return sorted(measured, key=lambda figures: figures["words_per_second"])[len(measured) // 2]


def _longer(name: str, arguments: list[str]) -> dict[str, Any]:
    """_whole of 5 epochs, from raw text as well: in a folder of its own."""
    shutil.rmtree(corpus.OUTPUT / f"{name}-5", ignore_errors=True)
    return _whole(corpus.run_pipeline(f"{name}-5", *arguments, epochs=5), arguments, 5)


def _whole(ran: corpus.Corpus, arguments: list[str], epochs: int) -> dict[str, Any]:
    """From raw text to evaluated and exported vectors, and gensim from text to vectors."""
    figures: dict[str, Any] = {
        "epochs": epochs,
        "pipeline_seconds": round(ran.pipeline_seconds, 1),
        "component_seconds": ran.summary["seconds"],
        "peak_memory_megabytes": ran.summary["peak_memory_megabytes"],
    }
    if not arguments:
        return figures
    files = sorted(map(str, corpus.BOOKS.glob("*.txt.gz")))
    gensims = trainers.alone(trainers.gensim_from_text, files, epochs=epochs)["seconds"]
    ratio = round(ran.pipeline_seconds / gensims, 2)
    return {**figures, "gensim_seconds": gensims, "ratio": ratio}


def _evaluation(prepared: corpus.Corpus) -> trainers.Figures:
    """The full cross-entropies of some pairs, with sums shared by a target's pairs and without."""
    import tensorflow as tf

    from trainer_module.evaluation import cross_entropies

    parameters, targets, contexts = _untrained(prepared)
    shared = tf.function(cross_entropies.mean_cross_entropies)

    @tf.function
    def each(parts: tf.Tensor, contexts: tf.Tensor) -> tf.Tensor:
        total = tf.zeros([])
        for part in tf.range(tf.shape(parts)[0]):
            sums = cross_entropies.target_sums(parameters, parts[part])
            found = cross_entropies.cross_entropies(parameters, sums, parts[part], contexts[part])
            total += tf.reduce_sum(found.softmax)
        return total / tf.cast(tf.size(parts), tf.float32)

    parts = tf.reshape(targets, [-1, 1000]), tf.reshape(contexts, [-1, 1000])
    once, per_pair = float(shared(parameters, targets, contexts).softmax), float(each(*parts))
    assert abs(once - per_pair) < 1e-3, (once, per_pair)
    started = time.perf_counter()
    float(shared(parameters, targets, contexts).softmax)
    between = time.perf_counter()
    float(each(*parts))
    ended = time.perf_counter()
    return {
        "pairs": int(tf.size(targets)),
        "distinct_targets": int(tf.size(tf.unique(targets)[0])),
        "per_pair_to_per_distinct_target_seconds": round(
            (ended - between) / (between - started), 1
        ),
    }


def _untrained(prepared: corpus.Corpus) -> tuple[Any, Any, Any]:
    """Parameters of a model of the corpus' vocabulary, and targets and contexts of some pairs."""
    import tensorflow as tf

    from trainer_module.evaluation import cross_entropies
    from trainer_module.input_pipeline import window_chunks
    from trainer_module.training.model import SkipGramModel

    known, _, split = trainers.transformed(prepared, seed=1)
    [chunk] = window_chunks.chunks(split, num_targets=8192).take(1)
    pairs = chunk.pairs_of(range(8192))
    unigram = tf.zeros([len(known.tokens)]).numpy()
    model = SkipGramModel(unigram, dim=100, bias_initializer="zeros", seed=1)
    tables = (model.target_table, model.context_weights, model.context_biases)
    parameters = cross_entropies.Parameters(*tables, None, False, 1.0)
    return parameters, *(ids[:PAIRS_EVALUATED] for ids in pairs)


def _table(results: dict[str, Any]) -> Table:
    table = Table(title="negative_sampling and gensim", title_justify="left")
    for name in ("epochs", "seed", "whose", "words/s", "seconds", "MB", *QUALITIES, "ratio"):
        table.add_column(name)
    for run in results["runs"]:
        for whose in ("gensim", "ours"):
            figures = run[whose]
            table.add_row(
                str(run["epochs"]),
                str(run["seed"]),
                whose,
                f"{figures['words_per_second']:,}",
                f"{figures['seconds_to_vectors']:,}",
                f"{figures['peak_megabytes']:,}",
                *(str(figures.get(name, "")) for name in QUALITIES),
                str(run["ratio"]) if whose == "ours" else "",
            )
    return table


if __name__ == "__main__":
    main()
