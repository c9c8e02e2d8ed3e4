"""Our Trainer and gensim's, each measured in a process of its own."""

import concurrent.futures
import functools
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

    from trainer_module import run_fn
    from trainer_module.hyperparameters import PreprocessingHyperparameters

    strategy = begin()
    transform = tft.TFTransformOutput(corpus.transform_graph)
    vocabulary = run_fn.read_vocabulary(transform)
    train_split, eval_split = (
        run_fn.split_of(files, transform, vocabulary, PreprocessingHyperparameters(), seed)
        for files in (corpus.train_files, corpus.eval_files)
    )
    figures = train(strategy, train_split, eval_split, seed=seed, **settings)
    table = figures.pop("table")
    return {**figures, **(_judged(vocabulary.tokens, table) if judge else {})}


def begin() -> Any:
    """The strategy: what TensorFlow must be told before it does anything else in a process."""
    import tensorflow as tf

    from trainer_module.training import loop

    loop.one_thread_per_op()
    return tf.distribute.MultiWorkerMirroredStrategy()


def train(
    strategy: Any, train_split: Any, eval_split: Any, *, seed: int = 1, **settings: Any
) -> Figures:
    """Trains on transformed examples, by all workers of the group that TF_CONFIG names.

    Args:
      strategy: what begin returned.
      train_split, eval_split: input_pipeline.Split.
      seed: of the model.
      settings: of TrainerHyperparameters.

    Returns:
      Figures, and the target table as `table`.
    """
    import tensorflow as tf

    from trainer_module import run_fn
    from trainer_module.evaluation import cross_entropies
    from trainer_module.hyperparameters import TrainerHyperparameters
    from trainer_module.training import input_pipeline, loop
    from trainer_module.training.model import SkipGramModel, unigram_log_probabilities
    from trainer_module.workers import cluster

    worker = cluster.this_worker(os.environ)
    train_split = train_split._replace(worker=worker)
    hyperparameters = TrainerHyperparameters(checkpoint_seconds=1e9, **settings)
    held_out = run_fn.held_out_pairs(eval_split, input_pipeline.count(eval_split))
    started = time.monotonic()
    own = input_pipeline.count(train_split, epochs=hyperparameters.epochs)
    counts = run_fn.counts_of_all(strategy, worker, own)
    with strategy.scope():
        model = SkipGramModel(
            unigram_log_probabilities(counts.context_counts),
            dim=hyperparameters.dim,
            bias_initializer=hyperparameters.bias_initializer,
            seed=seed,
        )
    trainer = loop.Trainer(
        strategy,
        model,
        hyperparameters,
        counts=counts,
        window=train_split.window,
        seed=seed,
        held_out=held_out,
        worker=worker,
    )
    chunks = functools.partial(input_pipeline.chunks, train_split)
    before = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        result = trainer.train(chunks, folder, lambda _: None)
    ended = time.monotonic()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    read = time.monotonic()
    for _ in chunks(num_targets=1 << 13, epoch=1):  # which draws its pairs anew
        pass
    reading = time.monotonic() - read
    full = tf.function(cross_entropies.mean_cross_entropies)(trainer.step.parameters, *held_out)
    words = counts.tokens * hyperparameters.epochs
    return {
        "words_per_second": round(words / (ended - before)),
        "pairs_per_second": round(counts.pairs * hyperparameters.epochs / (ended - before)),
        "seconds_to_vectors": round(ended - started, 1),
        "milliseconds_a_step": round((ended - before) / result.steps * 1e3, 2),
        "input_words_per_second": round(own.tokens / reading),
        "peak_megabytes": round(peak),
        "evaluations": [found._asdict() for found in result.evaluations],
        "full": {name: round(float(value), 4) for name, value in full._asdict().items()},
        "words": counts.tokens,
        "pairs": counts.pairs,
        "vocabulary": len(counts.context_counts),
        "unigram_cross_entropy": round(_unigram(counts.context_counts, held_out.contexts), 4),
        "table": model.target_table.numpy(),
    }


def _unigram(context_counts: Any, contexts: Any) -> float:
    """The full softmax cross-entropy of the model that ignores the target."""
    from trainer_module.training.model import unigram_log_probabilities

    return -float(unigram_log_probabilities(context_counts)[contexts.numpy()].mean())


def _judged(tokens: list[bytes], table: Any) -> Figures:
    from gensim.models import KeyedVectors

    from benchmarks import quality

    vectors = KeyedVectors(table.shape[1])
    vectors.add_vectors([token.decode() for token in tokens], table)
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
