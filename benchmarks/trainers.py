"""Our Trainer and gensim's, each measured in a process of its own."""

import concurrent.futures
import dataclasses
import importlib.metadata
import multiprocessing
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.corpus import Corpus

if TYPE_CHECKING:
    from trainer_module.hyperparameters import PreprocessingHyperparameters

Figures = dict[str, Any]
Emit = Literal["windows", "pairs"]


def alone(function: Callable[..., Figures], *arguments: Any, **keywords: Any) -> Figures:
    """Calls a function in a process of its own; adds what its memory came to."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_with_memory, function, arguments, keywords).result()


def _with_memory(
    function: Callable[..., Figures], arguments: tuple[Any, ...], keywords: Figures
) -> Figures:
    figures = function(*arguments, **keywords)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**figures, "peak_megabytes": figures.pop("peak_megabytes", round(peak))}


def ours(
    corpus: Corpus, *, seed: int = 1, judge: bool = True, emit: Emit = "windows", **settings: Any
) -> Figures:
    """Trains by our Trainer, as run_fn does.

    Args:
      corpus: transformed.
      seed: of the model.
      judge: whether the vectors are evaluated.
      emit: in which form the corpus was transformed, preprocessing.emit.
      settings: of TrainerHyperparameters.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    group = begin(settings.get("threads", 1))
    known, train_split, eval_split = transformed(corpus, seed)
    figures = train(group, known, train_split, eval_split, seed=seed, emit=emit, **settings)
    table = figures.pop("table")
    return {**figures, **(_judged(known.tokens, table) if judge else {})}


def transformed(
    corpus: Corpus, seed: int, made_by: "PreprocessingHyperparameters | None" = None
) -> tuple[Any, Any, Any]:
    """The vocabulary, the train split and the eval split of a corpus.

    Args:
      corpus: transformed.
      seed: of later epochs.
      made_by: what Transform was told; None: the defaults.
    """
    import tensorflow_transform as tft

    from trainer_module import features, vocabulary
    from trainer_module.hyperparameters import PreprocessingHyperparameters
    from trainer_module.input_pipeline.documents import TransformedFiles
    from trainer_module.training import fit

    transform = tft.TFTransformOutput(corpus.transform_graph)
    known = vocabulary.read(transform.vocabulary_file_by_name(features.VOCABULARY))
    spec, made_by = transform.transformed_feature_spec(), made_by or PreprocessingHyperparameters()
    train_split, eval_split = (
        fit.split_of(TransformedFiles(files, spec), known, made_by, seed)
        for files in (corpus.train_files, corpus.eval_files)
    )
    return known, train_split, eval_split


def begin(threads: int = 1) -> Any:
    """The group: what TensorFlow must be told before it does anything else in a process."""
    from trainer_module.workers import cluster, group

    return group.join(cluster.this_worker(os.environ), threads=threads)


def train(
    group: Any,
    vocabulary: Any,
    train_split: Any,
    eval_split: Any,
    *,
    seed: int = 1,
    emit: Emit = "windows",
    **settings: Any,
) -> Figures:
    """Trains on transformed examples, by all workers of the group that TF_CONFIG names.

    Args:
      group: what begin returned.
      vocabulary: of the splits.
      train_split, eval_split: splits.Split.
      seed: of the model.
      emit: the form of the examples, preprocessing.emit.
      settings: of TrainerHyperparameters.

    Returns:
      Figures, and the target table as `table`.
    """
    from trainer_module.hyperparameters import PreprocessingHyperparameters, TrainerHyperparameters
    from trainer_module.training.fit import fit

    hyperparameters = TrainerHyperparameters(checkpoint_seconds=1e9, **settings)
    started, cpu_started = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        fitted = fit(
            vocabulary,
            train_split,
            eval_split,
            PreprocessingHyperparameters(window=train_split.window, emit=emit),
            hyperparameters,
            seed=seed,
            group=group,
            checkpoint_folder=folder,
        )
    ended, cpu_seconds = time.monotonic(), time.process_time() - cpu_started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts, result = fitted.train, fitted.training
    seconds, epochs = result.seconds, hyperparameters.epochs
    return {
        "words_per_second": round(counts.tokens * epochs / seconds),
        "pairs_per_second": round(counts.pairs * epochs / seconds),
        "seconds_to_vectors": round(ended - started, 1),
        "cpu_seconds_to_vectors": round(cpu_seconds, 1),
        "milliseconds_a_step": round(seconds / result.steps * 1e3, 2),
        "input_words_per_second": round(_reading(train_split._replace(worker=group.worker), emit)),
        "peak_megabytes": round(peak),
        "evaluations": [dataclasses.asdict(found) for found in result.evaluations],
        "full": _full(fitted),
        "words": counts.tokens,
        "pairs": counts.pairs,
        "batch_size": hyperparameters.batch_size,
        "vocabulary": len(counts.context_counts),
        "unigram_cross_entropy": round(_unigram(fitted), 4),
        "table": fitted.model.target_table.numpy(),
    }


def _reading(split: Any, emit: str) -> float:
    """Words a second of reading alone; from windows, of an epoch that draws its pairs anew."""
    from trainer_module.training.fit import FORMS

    words = FORMS[emit].count(split).tokens
    started = time.monotonic()
    for _ in FORMS[emit].chunks(split, num_targets=1 << 13, epoch=1):
        pass
    return words / (time.monotonic() - started)


def _full(fitted: Any) -> dict[str, float]:
    """The full cross-entropies on the held-out pairs."""
    import tensorflow as tf

    from trainer_module.evaluation import cross_entropies

    compute = tf.function(cross_entropies.mean_cross_entropies)
    found = compute(fitted.parameters, *fitted.held_out_pairs)
    return {name: round(float(value), 4) for name, value in found._asdict().items()}


def _unigram(fitted: Any) -> float:
    """The full softmax cross-entropy of the model that ignores the target."""
    return -float(fitted.unigram[fitted.held_out_pairs.contexts.numpy()].mean())


def _judged(tokens: list[bytes], table: Any) -> Figures:
    from benchmarks import quality

    return quality.evaluate([token.decode() for token in tokens], table)


def gensims(documents: str, *, seed: int, epochs: int) -> Figures:
    """Trains by gensim's Word2Vec.

    Args:
      documents: a file of tokens, a document a line, read into memory before the clock starts.
      seed: of the model.
      epochs: passes.
    """
    from gensim.models import Word2Vec

    from benchmarks import quality

    lines = [line.split() for line in Path(documents).read_text(encoding="utf-8").splitlines()]
    words = sum(map(len, lines))
    model = Word2Vec(
        sg=1, vector_size=100, window=5, negative=5, sample=1e-4, min_count=5,
        workers=os.cpu_count() or 1, seed=seed,
    )  # fmt: skip
    started, cpu_started = time.monotonic(), time.process_time()
    model.build_vocab(lines)
    before = time.monotonic()
    model.train(lines, total_examples=len(lines), epochs=epochs)
    ended, cpu_seconds = time.monotonic(), time.process_time() - cpu_started
    return {
        "words_per_second": round(words * epochs / (ended - before)),
        "seconds_to_vectors": round(ended - started, 1),
        "cpu_seconds_to_vectors": round(cpu_seconds, 1),
        "words": words,
        "vocabulary": len(model.wv),
        **quality.evaluate(model.wv.index_to_key, model.wv.vectors),
    }


def gensim_from_text(files: list[str], *, epochs: int) -> Figures:
    """Reads, tokenises and trains by gensim, as its user would."""
    from gensim.models import Word2Vec

    from benchmarks import corpus

    started = time.monotonic()
    lines = list(corpus.words_of_files([Path(file) for file in files]))
    Word2Vec(
        lines, sg=1, vector_size=100, window=5, negative=5, sample=1e-4, min_count=5,
        workers=os.cpu_count() or 1, seed=1, epochs=epochs,
    )  # fmt: skip
    return {"seconds": round(time.monotonic() - started, 1)}


def machine() -> Figures:
    """What the figures were measured on."""
    with open("/proc/cpuinfo") as lines:
        models = {line.split(":")[1].strip() for line in lines if line.startswith("model name")}
    return {
        "processor": ", ".join(sorted(models)) or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gigabytes": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("tensorflow", "gensim", "numpy")},
    }
