"""The Trainer's entry point: transformed examples in, SavedModel out."""

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_transform as tft

from trainer_module import features
from trainer_module.errors import InputError
from trainer_module.evaluation import cross_entropies, export
from trainer_module.hyperparameters import PreprocessingHyperparameters, TrainerHyperparameters
from trainer_module.text import subsampling
from trainer_module.training import input_pipeline, loop
from trainer_module.training.documents import TransformedFiles
from trainer_module.training.input_pipeline import Pairs
from trainer_module.training.model import SkipGramModel, unigram_log_probabilities
from trainer_module.workers import cluster, exchange
from trainer_module.workers.cluster import Worker

# Written into the model_run artifact.
TRAINING_FILE = "training.json"
# Of what the sampled loss is shown beside the full one.
_NUMBERS_OF_CANDIDATES = (5, 20, 100, 500)
# Scores that one evaluation during training may take: about a second's work. The most targets are
# for a small vocabulary; their 20,000 pairs give the mean to about 0.02 nats.
_SCORES_PER_EVALUATION = 1 << 26
_TARGETS_PER_EVALUATION = 3_500


class FnArgs(Protocol):
    """What is used of TFX's FnArgs."""

    train_files: list[str]  # patterns
    eval_files: list[str]
    transform_graph_path: str
    serving_model_dir: str
    model_run_dir: str
    custom_config: Mapping[str, Any]


class Vocabulary(NamedTuple):
    """What Transform kept, by falling frequency."""

    tokens: list[bytes]
    counts: npt.NDArray[np.int64]  # [vocab], occurrences in the corpus


class _Settings(NamedTuple):
    preprocessing: PreprocessingHyperparameters
    trainer: TrainerHyperparameters
    seed: int
    # Strings: a Path would take a slash from a URI.
    checkpoint_root: str
    tensorboard_root: str


def run_fn(fn_args: FnArgs) -> None:
    """Trains on the train split and exports the model.

    Args:
      fn_args: its custom_config holds `preprocessing` and `trainer`, the fields of their
        hyperparameters; `seed`; `checkpoint_root` and `tensorboard_root`, folders that outlive a
        killed run (by default inside the artifact model_run).

    Raises:
      InputError: there is nothing to train on, or training diverges.
    """
    settings = _settings(fn_args)
    with contextlib.suppress(RuntimeError):  # TensorFlow has run in this process: slower, no worse
        loop.one_thread_per_op()
    worker = cluster.this_worker(os.environ)
    _require_for(settings.trainer, worker)
    strategy = tf.distribute.MultiWorkerMirroredStrategy()  # before TensorFlow does anything else
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    vocabulary = read_vocabulary(transform_output)
    train_split, eval_split = (
        split_of(
            _matched(patterns),
            transform_output,
            vocabulary,
            settings.preprocessing,
            settings.seed,
        )
        for patterns in (fn_args.train_files, fn_args.eval_files)
    )
    own = input_pipeline.count(train_split._replace(worker=worker), epochs=settings.trainer.epochs)
    train = counts_of_all(strategy, worker, own)
    counts_held_out = input_pipeline.count(eval_split)
    _require_data(vocabulary.tokens, train, counts_held_out, settings.preprocessing)

    unigram = unigram_log_probabilities(train.context_counts)
    with strategy.scope():
        model = SkipGramModel(
            unigram,
            dim=settings.trainer.dim,
            bias_initializer=settings.trainer.bias_initializer,
            seed=settings.seed,
        )
    held_out = held_out_pairs(eval_split, counts_held_out)
    trainer = loop.Trainer(
        strategy,
        model,
        settings.trainer,
        counts=train,
        window=settings.preprocessing.window,
        seed=settings.seed,
        held_out=held_out,
        worker=worker,
    )
    sizes = [(path, tf.io.gfile.stat(path).length) for path in _matched(fn_args.train_files)]
    run = _fingerprint(fn_args, sizes)
    result = trainer.train(
        functools.partial(input_pipeline.chunks, train_split._replace(worker=worker)),
        os.path.join(settings.checkpoint_root, run),
        _reporter(os.path.join(settings.tensorboard_root, run))
        if worker.is_chief
        else _say_nothing,
    )
    approximation = _approximation(trainer, result, held_out, settings.seed)
    if worker.is_chief:
        _export(fn_args, settings, transform_output, trainer, unigram)
        content = {
            **_described(len(vocabulary.tokens), train, counts_held_out),
            **_described_training(result),
            **approximation,
        }
        _write_training_file(fn_args.model_run_dir, content)
    wait_for_all(strategy, worker)


def _export(
    fn_args: FnArgs,
    settings: _Settings,
    transform_output: tft.TFTransformOutput,
    trainer: loop.Trainer,
    unigram: npt.NDArray[np.float32],
) -> None:
    serving = export.ServingModel(
        trainer.step.parameters, unigram, transform_output, settings.preprocessing.tokenizer
    )
    export.save(serving, fn_args.serving_model_dir)


def counts_of_all(
    strategy: tf.distribute.Strategy, worker: Worker, own: input_pipeline.Counts
) -> input_pipeline.Counts:
    """Adds up the counts of all workers' shares; `targets` is that of the largest share."""

    numbers = tf.constant([own.documents, own.tokens, own.targets, own.pairs], tf.int64)

    def in_replica() -> tuple[tf.Tensor, tf.Tensor]:
        counts = tf.constant(own.context_counts)
        return exchange.all_gather(worker, numbers), exchange.all_reduce_sum(worker, counts)

    exchanged = tf.function(lambda: strategy.run(in_replica))()
    of_each, context_counts = (part.numpy() for part in exchanged)
    documents, tokens, _, pairs = of_each.sum(0).tolist()
    return input_pipeline.Counts(documents, tokens, int(of_each[:, 2].max()), pairs, context_counts)


def wait_for_all(strategy: tf.distribute.Strategy, worker: Worker) -> None:
    """Returns when all workers have called it: none leaves the group while the chief writes."""

    def in_replica() -> tf.Tensor:
        return exchange.all_reduce_sum(worker, tf.constant(1))

    meet = tf.function(lambda: strategy.run(in_replica))
    meet()
    # Who leaves now may take with it what another has not fetched yet. Once more, then: to come so
    # far, all must have met before.
    with contextlib.suppress(tf.errors.OpError):
        meet()


def _settings(fn_args: FnArgs) -> _Settings:
    config = fn_args.custom_config
    return _Settings(
        PreprocessingHyperparameters(**config["preprocessing"]),
        TrainerHyperparameters(**config["trainer"]),
        int(config["seed"]),
        str(config.get("checkpoint_root", fn_args.model_run_dir)),
        str(config.get("tensorboard_root", fn_args.model_run_dir)),
    )


def _require_for(hyperparameters: TrainerHyperparameters, worker: Worker) -> None:
    """What is checked of `workers` must hold of a cluster that TF_CONFIG names."""
    try:
        hyperparameters.require_for(worker.num_workers)
    except ValueError as error:
        raise InputError(
            f"TF_CONFIG names {worker.num_workers} workers: trainer.{error}"
        ) from error


def _matched(patterns: list[str]) -> list[str]:
    return sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))


def read_vocabulary(transform_output: tft.TFTransformOutput) -> Vocabulary:
    """The vocabulary; without the single made-up token that TFX writes where there is none."""
    path = transform_output.vocabulary_file_by_name(features.VOCABULARY)
    with tf.io.gfile.GFile(path, "rb") as file:
        lines = [line.split(b" ", 1) for line in file.read().splitlines()]
    lines = [line for line in lines if int(line[0]) > 0]
    return Vocabulary(
        [token for _, token in lines], np.array([int(count) for count, _ in lines], np.int64)
    )


def split_of(
    files: list[str],
    transform_output: tft.TFTransformOutput,
    vocabulary: Vocabulary,
    preprocessing: PreprocessingHyperparameters,
    seed: int,
) -> input_pipeline.Split:
    """A split of what Transform emitted with these hyperparameters."""
    counts = vocabulary.counts
    keep_probability = subsampling.keep_probability(
        tf.constant(counts / counts.sum(), tf.float64), preprocessing.subsample
    )
    return input_pipeline.Split(
        TransformedFiles(files, transform_output.transformed_feature_spec()),
        keep_probability.numpy(),
        preprocessing.window,
        seed,
    )


def _require_data(
    vocabulary: list[bytes],
    train: input_pipeline.Counts,
    held_out: input_pipeline.Counts,
    preprocessing: PreprocessingHyperparameters,
) -> None:
    """A run never succeeds on nothing."""
    if not vocabulary:
        raise InputError(
            f"no token occurs {preprocessing.min_count} times in the {train.documents:,} documents "
            f"({train.tokens:,} tokens) of the train split: lower preprocessing.min_count or add "
            "text"
        )
    if len(vocabulary) == 1:
        raise InputError(
            f"the vocabulary holds one token alone, {vocabulary[0].decode()!r}, and a candidate "
            f"needs another: lower preprocessing.min_count ({preprocessing.min_count}) or add text"
        )
    for split, counts in (("train", train), ("eval", held_out)):
        if not counts.pairs:
            raise InputError(
                f"the {split} split gives no pair: {counts.documents:,} documents, "
                f"{counts.tokens:,} tokens, of which too few are left in any document by "
                f"preprocessing.min_count ({preprocessing.min_count}) and preprocessing.subsample "
                f"({preprocessing.subsample}): add text or change one of them"
            )


def _fingerprint(fn_args: FnArgs, sizes: list[tuple[str, int]]) -> str:
    """Names what is trained: checkpoints are taken up by the same model on the same data alone."""
    config = {k: v for k, v in fn_args.custom_config.items() if not k.endswith("_root")}
    described = json.dumps([config, fn_args.transform_graph_path, sizes], sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()[:12]


def _reporter(tensorboard_folder: str) -> loop.Report:
    writer = tf.summary.create_file_writer(tensorboard_folder)

    def report(news: loop.Progress | loop.Evaluation) -> None:
        with writer.as_default(step=news.step):
            if isinstance(news, loop.Evaluation):
                tf.summary.scalar("held_out/full_softmax_cross_entropy", news.softmax)
                tf.summary.scalar("held_out/full_sigmoid_cross_entropy", news.sigmoid)
            else:
                tf.summary.scalar("train/loss", news.loss)
                tf.summary.scalar("train/pairs_per_second", sum(news.pairs_per_second))
                for index, of_worker in enumerate(news.pairs_per_second):
                    tf.summary.scalar(f"train/pairs_per_second/worker_{index}", of_worker)
        writer.flush()
        print(describe(news), flush=True)

    return report


def _say_nothing(news: loop.Progress | loop.Evaluation) -> None:
    """The chief speaks for all workers."""


def describe(progress: loop.Progress | loop.Evaluation) -> str:
    """One line for people."""
    if isinstance(progress, loop.Evaluation):
        return (
            f"step {progress.step:,}: held-out full softmax cross-entropy {progress.softmax:.4f}, "
            f"sigmoid {progress.sigmoid:.4f}"
        )
    minutes, seconds = divmod(round(progress.seconds_left), 60)
    number = len(progress.pairs_per_second)
    return (
        f"epoch {progress.epoch}/{progress.epochs}  {progress.step / progress.steps:4.0%}  "
        f"{sum(progress.pairs_per_second):,.0f} pairs/s"
        f"{f' of {number} workers' if number > 1 else ''}  loss {progress.loss:.4f}  "
        f"{minutes}:{seconds:02d} left"
    )


def held_out_pairs(split: input_pipeline.Split, counts: input_pipeline.Counts) -> Pairs:
    """Pairs of the eval split, of targets evenly spread over it: as many as can be paid."""
    most = min(_SCORES_PER_EVALUATION // len(counts.context_counts), _TARGETS_PER_EVALUATION)
    return input_pipeline.spread_pairs(split, counts, max(most, 1))


def _approximation(
    trainer: loop.Trainer, result: loop.Result, held_out: Pairs, seed: int
) -> dict[str, Any]:
    """The sampled loss at several numbers of candidates, and the full one, on the same pairs."""
    step = trainer.step
    sampled = cross_entropies.sampled_losses(
        step.parameters, step.sampler, *held_out, numbers=_NUMBERS_OF_CANDIDATES, seed=seed
    )
    taken = [found for found in result.evaluations if found.step == result.kept_step]
    full = taken[0] if taken else trainer.evaluate()
    return {
        "sampled_losses": {str(number): loss for number, loss in sampled.items()},
        "full_loss": full.softmax if step.objective.softmax else full.sigmoid,
    }


def _described(
    vocabulary_size: int, train: input_pipeline.Counts, held_out: input_pipeline.Counts
) -> dict[str, Any]:
    return {
        "documents": train.documents + held_out.documents,
        "tokens": train.tokens + held_out.tokens,
        "vocabulary_size": vocabulary_size,
        "pairs_train": train.pairs,
        "pairs_eval": held_out.pairs,
    }


def _described_training(result: loop.Result) -> dict[str, Any]:
    return {
        "train_loss": result.train_loss,
        "steps": result.steps,
        "kept_step": result.kept_step,
        "resumed_at_step": result.resumed_at_step,
        "pairs_per_second": sum(result.pairs_per_second),
        "pairs_per_second_of_workers": result.pairs_per_second,
        "evaluations": [found._asdict() for found in result.evaluations],
    }


def _write_training_file(folder: str, content: dict[str, Any]) -> None:
    tf.io.gfile.makedirs(folder)
    with tf.io.gfile.GFile(os.path.join(folder, TRAINING_FILE), "w") as file:
        file.write(json.dumps(content, indent=2))
