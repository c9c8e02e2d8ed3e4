"""The Trainer's entry point: transformed examples in, SavedModel out."""

import functools
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import tensorflow as tf
import tensorflow_transform as tft

from trainer_module import features, vocabulary
from trainer_module.errors import InputError
from trainer_module.evaluation import export, saved_model
from trainer_module.evaluation.saved_model import ModelSettings
from trainer_module.hyperparameters import PreprocessingHyperparameters, TrainerHyperparameters
from trainer_module.input_pipeline.documents import TransformedFiles
from trainer_module.training import checkpoints, progress
from trainer_module.training.fit import Fitted, fit, split_of
from trainer_module.training.record import TrainingRecord
from trainer_module.vocabulary import Vocabulary
from trainer_module.workers import cluster, group
from trainer_module.workers.cluster import Worker

# Written into the model_run artifact.
TRAINING_FILE = "training.json"

# Of custom_config what does not change the model.
_OF_THE_PLACE = ("checkpoint_root", "tensorboard_root", "run")


class FnArgs(Protocol):
    """What is used of TFX's FnArgs."""

    train_files: list[str]  # patterns
    eval_files: list[str]
    transform_graph_path: str
    serving_model_dir: str
    model_run_dir: str
    base_model: str | None  # path of what a warm start takes over from, base_model.read
    custom_config: Mapping[str, Any]


class _Settings(NamedTuple):
    preprocessing: PreprocessingHyperparameters
    trainer: TrainerHyperparameters
    seed: int
    eval_fraction: float
    kind: str
    # Strings: a Path would take a slash from a URI.
    checkpoint_root: str
    tensorboard_root: str
    run: str | None


def run_fn(fn_args: FnArgs) -> None:
    """Trains on the train split and exports the model.

    Args:
      fn_args: its custom_config holds `preprocessing` and `trainer`, the fields of their
        hyperparameters; `seed`; `eval_fraction`, the share of the documents that was held out;
        maybe `kind`, of the corpus; `checkpoint_root` and `tensorboard_root`, folders that
        outlive a killed run (by default inside the artifact model_run); and maybe `run`, which
        names the folder below the latter (by default what names the checkpoints).

    Raises:
      InputError: there is nothing to train on, training diverges, or the base model does not fit.
    """
    settings, worker = _settings(fn_args), cluster.this_worker(os.environ)
    _require_for(settings.trainer, worker)
    # Before TensorFlow does anything else.
    workers = group.join(worker, threads=settings.trainer.threads)
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    known = _read_vocabulary(transform_output, features.VOCABULARY)
    contexts = known
    if features.has_two_vocabularies(settings.kind):
        contexts = _read_vocabulary(transform_output, features.CONTEXT_VOCABULARY)
    train, evaluated = (
        TransformedFiles(_matched(patterns), transform_output.transformed_feature_spec())
        for patterns in (fn_args.train_files, fn_args.eval_files)
    )
    run = _fingerprint(fn_args, [known, contexts], [train, evaluated])
    split = functools.partial(
        split_of,
        vocabulary=contexts,
        preprocessing=settings.preprocessing,
        seed=settings.seed,
        may_have_given_pairs=settings.kind != "text",
    )
    fitted = fit(
        known,
        split(train),
        split(evaluated),
        settings.preprocessing,
        settings.trainer,
        seed=settings.seed,
        group=workers,
        checkpoint_folder=checkpoints.folder_of(settings.checkpoint_root, run),
        base=fn_args.base_model,
        contexts=contexts,
        listener=_listener(worker, os.path.join(settings.tensorboard_root, settings.run or run)),
    )
    if worker.is_chief:
        _export(fn_args, settings, transform_output, fitted)
        totals = transform_output.vocabulary_file_by_name(features.VOCABULARY_TOTALS)
        record = TrainingRecord.of(fitted, vocabulary.read_distinct_tokens(totals))
        _write_record(fn_args.model_run_dir, record)
    workers.barrier()  # none leaves the group while the chief writes


def _settings(fn_args: FnArgs) -> _Settings:
    config = fn_args.custom_config
    return _Settings(
        PreprocessingHyperparameters(**config["preprocessing"]),
        TrainerHyperparameters(**config["trainer"]),
        int(config["seed"]),
        float(config["eval_fraction"]),
        str(config.get("kind", "text")),
        str(config.get("checkpoint_root", fn_args.model_run_dir)),
        str(config.get("tensorboard_root", fn_args.model_run_dir)),
        config.get("run"),
    )


def _require_for(hyperparameters: TrainerHyperparameters, worker: Worker) -> None:
    """What is checked of `workers` must hold of a cluster that TF_CONFIG names."""
    try:
        hyperparameters.require_for(worker.num_workers)
    except ValueError as error:
        raise InputError(
            f"TF_CONFIG names {worker.num_workers} workers: trainer.{error}"
        ) from error


def _matched(patterns: Sequence[str]) -> list[str]:
    return sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))


def _read_vocabulary(transform_output: tft.TFTransformOutput, name: str) -> Vocabulary:
    return vocabulary.read(transform_output.vocabulary_file_by_name(name))


def _fingerprint(
    fn_args: FnArgs, known: Sequence[Vocabulary], splits: Sequence[TransformedFiles]
) -> str:
    """Names what is trained: checkpoints are for one model, begun alike, on one data set.

    By content, not by path: where the same was made again elsewhere, as after a change of the
    image, training goes on.
    """
    config = {k: v for k, v in fn_args.custom_config.items() if k not in _OF_THE_PLACE}
    tokens = [
        hashlib.sha256(b"\n".join(each.tokens) + each.counts.tobytes()).hexdigest()
        for each in known
    ]
    base = fn_args.base_model and saved_model.content_of(fn_args.base_model)
    named = [config, tokens, [split.digest() for split in splits], base]
    described = json.dumps(named, sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()[:12]


def _listener(worker: Worker, tensorboard_folder: str) -> progress.Listener:
    """The chief speaks for all workers."""
    return progress.tell(tensorboard_folder) if worker.is_chief else progress.say_nothing


def _export(
    fn_args: FnArgs, settings: _Settings, transform_output: tft.TFTransformOutput, fitted: Fitted
) -> None:
    serving = export.ServingModel(
        fitted.parameters, fitted.unigram, transform_output, _model_settings(settings, fitted)
    )
    export.save(serving, fn_args.serving_model_dir)


def _model_settings(settings: _Settings, fitted: Fitted) -> ModelSettings:
    preprocessing, parameters = settings.preprocessing, fitted.parameters
    # A space of its own; its name depends on nothing but the model.
    space_id = hashlib.sha256(parameters.target_table.numpy().tobytes()).hexdigest()[:12]
    return ModelSettings(
        tokenizer=preprocessing.tokenizer,
        normalization=preprocessing.normalization,
        subsample=preprocessing.subsample,
        window=preprocessing.window,
        seed=settings.seed,
        eval_fraction=settings.eval_fraction,
        softmax=parameters.softmax,
        temperature=parameters.temperature,
        space_id=space_id,
        kind=settings.kind,
        held_out_pairs=fitted.held_out.pairs,
    )


def _write_record(folder: str, record: TrainingRecord) -> None:
    tf.io.gfile.makedirs(folder)
    with tf.io.gfile.GFile(os.path.join(folder, TRAINING_FILE), "w") as file:
        file.write(record.to_json())
