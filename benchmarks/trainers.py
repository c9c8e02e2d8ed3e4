"""Our Trainer and gensim's, each measured in a process of its own."""

import concurrent.futures
import importlib.metadata
import multiprocessing
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.corpus import Corpus

Figures = dict[str, Any]


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


def ours(corpus: Corpus, *, seed: int = 1, judge: bool = True, **settings: Any) -> Figures:
    """Trains by our Trainer, as run_fn does.

    Args:
      corpus: transformed.
      seed: of the model.
      judge: whether the vectors are evaluated.
      settings: of TrainerHyperparameters.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow_transform as tft

    from trainer_module import features

    transform = tft.TFTransformOutput(corpus.transform_graph)
    spec = transform.transformed_feature_spec()
    size = transform.vocabulary_size_by_name(features.VOCABULARY)
    figures = train(corpus.train_files, corpus.eval_files, spec, size, seed=seed, **settings)
    table = figures.pop("table")
    return {**figures, **(_judged(transform, table) if judge else {})}


def train(
    train_files: list[str],
    eval_files: list[str],
    spec: dict[str, Any],
    size: int,
    *,
    seed: int = 1,
    **settings: Any,
) -> Figures:
    """Trains on transformed examples; see ours.

    Args:
      train_files, eval_files: gzipped TFRecords.
      spec: of their features.
      size: of the vocabulary.
      seed: of the model.
      settings: of TrainerHyperparameters.

    Returns:
      Figures, and the target table as `table`.
    """
    import tensorflow as tf

    from trainer_module import evaluation, input_pipeline, run_fn, training
    from trainer_module.hyperparameters import PreprocessingHyperparameters, TrainerHyperparameters
    from trainer_module.model import SkipGramModel, unigram_log_probabilities

    training.one_thread_per_op()
    hyperparameters = TrainerHyperparameters(checkpoint_seconds=1e9, **settings)
    window = PreprocessingHyperparameters().window
    held_out_counts = input_pipeline.count(eval_files, spec, size)
    held_out = run_fn._held_out(eval_files, spec, held_out_counts, window)
    started = time.monotonic()
    counts = input_pipeline.count(train_files, spec, size)
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope():
        model = SkipGramModel(
            unigram_log_probabilities(counts.context_counts),
            dim=hyperparameters.dim,
            bias_initializer=hyperparameters.bias_initializer,
            seed=seed,
        )
    trainer = training.Trainer(
        strategy,
        model,
        hyperparameters,
        counts=counts,
        window=window,
        seed=seed,
        held_out=held_out,
    )

    def chunks(epoch: Any) -> Any:  # AutoGraph looks names of annotations up elsewhere
        return input_pipeline.chunks(
            train_files,
            spec,
            num_targets=trainer.chunk_targets,
            window=window,
            epoch=epoch,
            seed=seed,
        )

    before = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        result = trainer.train(chunks, folder, lambda _: None)
    ended = time.monotonic()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    read = time.monotonic()
    for _ in chunks(tf.constant(0, tf.int64)):
        pass
    reading = time.monotonic() - read
    full = tf.function(evaluation.mean_cross_entropies)(trainer.parameters, *held_out)
    words = counts.tokens * hyperparameters.epochs
    return {
        "words_per_second": round(words / (ended - before)),
        "pairs_per_second": round(counts.pairs * hyperparameters.epochs / (ended - before)),
        "seconds_to_vectors": round(ended - started, 1),
        "input_words_per_second": round(counts.tokens / reading),
        "peak_megabytes": round(peak),
        "evaluations": [found._asdict() for found in result.evaluations],
        "full": {name: round(float(value), 4) for name, value in full._asdict().items()},
        "words": counts.tokens,
        "pairs": counts.pairs,
        "vocabulary": size,
        "table": model.target_table.numpy(),
    }


def _judged(transform: Any, table: Any) -> Figures:
    from gensim.models import KeyedVectors

    from benchmarks import quality
    from trainer_module import run_fn

    vectors = KeyedVectors(table.shape[1])
    vectors.add_vectors([word.decode() for word in run_fn._vocabulary(transform)], table)
    return quality.evaluate(vectors)


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
    started = time.monotonic()
    model.build_vocab(lines)
    before = time.monotonic()
    model.train(lines, total_examples=len(lines), epochs=epochs)
    ended = time.monotonic()
    return {
        "words_per_second": round(words * epochs / (ended - before)),
        "seconds_to_vectors": round(ended - started, 1),
        "words": words,
        "vocabulary": len(model.wv),
        **quality.evaluate(model.wv),
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
