"""Training in this process, on documents in memory."""

import itertools
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from pipeline.config_file import validated
from pipeline.corpus.documents import read_documents
from pipeline.failures import unknown_name
from pipeline.results.embeddings import Embeddings
from trainer_module.errors import InputError
from trainer_module.hyperparameters import (
    PreprocessingHyperparameters,
    Tokenizer,
    TrainerHyperparameters,
)
from trainer_module.input_pipeline.documents import DocumentsInMemory
from trainer_module.input_pipeline.splits import Split
from trainer_module.text import tokenization
from trainer_module.text.subsampling import windowed
from trainer_module.training.fit import fit, keep_probabilities, split_of
from trainer_module.training.progress import Listener, say_nothing
from trainer_module.training.record import TrainingRecord
from trainer_module.vocabulary import Vocabulary
from trainer_module.workers import group

Document = str | Sequence[str]
# Documents that are tokenised at once.
_AT_ONCE = 4096


class _Settings(NamedTuple):
    preprocessing: PreprocessingHyperparameters
    trainer: TrainerHyperparameters


def train(
    documents: Iterable[Document] | str | os.PathLike[str] | Sequence[os.PathLike[str]],
    *,
    seed: int = 1,
    eval_fraction: float = 0.05,
    listener: Listener = say_nothing,
    **settings: Any,
) -> Embeddings:
    """Trains embeddings on documents that fit into memory.

    It is the training of the pipeline, without its files: the same pairs, objectives, defaults and
    held-out losses. For a corpus of any size, a gate and a cache, see `run`.

    TensorFlow takes one thread for each op from then on, if nothing has run in this process yet.

    Args:
      documents: strings, or lists of tokens, which are then taken as they are. One string or path
        stands for files: a file, a folder or a glob, as `skipgram run --corpus` takes them; so do
        several paths.
      seed: of the order of documents, of what is held out, of the pairs, model and candidates.
      eval_fraction: share of the documents that is held out, in (0, 1): one document at least.
      listener: is told about once a second, and at each evaluation.
      settings: fields of `preprocessing` and `trainer` as the configuration has them, such as
        epochs=5, window=2, objective="sampled_softmax" (docs/configuration.md).

    Returns:
      The target vectors. Their `training` holds what training gave: losses on held-out pairs, the
      sampled losses beside the full one, pairs a second.

    Raises:
      InputError: a setting is not known or not allowed; there is nothing to train on; training
        diverges.

    >>> documents = [["ring", f"step{i % 12}", f"step{(i + 1) % 12}"] for i in range(600)]
    >>> embeddings = train(documents, dim=8, epochs=2, subsample=0)
    >>> len(embeddings), embeddings.vector("ring").shape, embeddings.tokens[0]
    (13, (8,), 'ring')
    """
    chosen = _settings(settings)
    if not 0 < eval_fraction < 1:
        raise InputError(f"eval_fraction = {eval_fraction} is not between 0 and 1: 0.05 is usual")
    workers = group.join()  # before TensorFlow does anything else
    tokens = _tokenized(documents, chosen.preprocessing.tokenizer)
    order = np.random.default_rng(seed).permutation(len(tokens))
    num_held_out = max(round(len(tokens) * eval_fraction), 1)
    train_tokens, eval_tokens = (
        [tokens[row] for row in rows] for rows in (order[num_held_out:], order[:num_held_out])
    )
    known = _vocabulary(train_tokens, chosen.preprocessing)
    train_split, eval_split = (
        _split(some, known, chosen.preprocessing, seed) for some in (train_tokens, eval_tokens)
    )
    with tempfile.TemporaryDirectory() as folder:
        fitted = fit(
            known,
            train_split,
            eval_split,
            chosen.preprocessing,
            chosen.trainer,
            seed=seed,
            group=workers,
            checkpoint_folder=folder,
            listener=listener,
        )
    return Embeddings(
        [token.decode() for token in known.tokens],
        fitted.model.target_table.numpy(),
        known.counts.tolist(),
        TrainingRecord.of(fitted),
    )


def _settings(given: dict[str, Any]) -> _Settings:
    sections = (PreprocessingHyperparameters, TrainerHyperparameters)
    known = [name for section in sections for name in section.model_fields]
    for name in given:
        if name not in known:
            raise InputError(unknown_name("field of preprocessing or trainer", name, known))
    chosen = [
        {name: value for name, value in given.items() if name in section.model_fields}
        for section in sections
    ]
    config = validated({"preprocessing": chosen[0], "trainer": chosen[1]})
    if config.preprocessing.emit != "windows":
        raise InputError(
            f"emit = {config.preprocessing.emit} is for `run`: it says what Transform writes, and "
            "train writes nothing, leave it out"
        )
    if config.trainer.workers > 1:
        raise InputError(
            f"workers = {config.trainer.workers} is for `run`: train works in this process alone, "
            "leave it out"
        )
    return _Settings(config.preprocessing, config.trainer)


def _tokenized(documents: Any, tokenizer: Tokenizer) -> list[list[bytes]]:
    """Each document's tokens."""
    if isinstance(documents, str | os.PathLike):
        documents = [Path(documents)]
    tokens: list[list[bytes]] = []
    for some in _batched(documents):
        if isinstance(some[0], os.PathLike):
            names = [os.fspath(path) for path in some]
            tokens += _tokenized(read_documents(names), tokenizer)
        elif isinstance(some[0], str):
            tokens += tokenization.tokenize(tf.constant(some), tokenizer).to_list()
        else:
            tokens += [[token.encode() for token in document] for document in some]
    if not tokens:
        raise InputError(
            "there are no documents to train on: give strings, lists of tokens or files"
        )
    return tokens


def _batched(documents: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(documents)
    while some := list(itertools.islice(iterator, _AT_ONCE)):
        yield some


def _vocabulary(
    documents: Iterable[Sequence[bytes]], preprocessing: PreprocessingHyperparameters
) -> Vocabulary:
    """As tft.vocabulary makes it: by falling count, equal counts by falling bytes."""
    counted = Counter(token for document in documents for token in document)
    kept = [(count, token) for token, count in counted.items() if count >= preprocessing.min_count]
    kept = sorted(kept, reverse=True)[: preprocessing.vocab_size]
    return Vocabulary([token for _, token in kept], np.array([n for n, _ in kept], np.int64))


def _split(
    documents: Sequence[Sequence[bytes]],
    vocabulary: Vocabulary,
    preprocessing: PreprocessingHyperparameters,
    seed: int,
) -> Split:
    """What Transform would emit of the documents."""
    rows = {token: row for row, token in enumerate(vocabulary.tokens)}
    ids = [rows.get(token, -1) for document in documents for token in document]
    num_tokens = [len(document) for document in documents]
    token_ids = tf.RaggedTensor.from_row_lengths(
        tf.constant(ids, tf.int64, [len(ids)]), tf.constant(num_tokens, tf.int64)
    )
    # The last is that of unknown tokens, -1, which are dropped.
    keep = np.append(keep_probabilities(vocabulary, preprocessing), 1.0)
    found = windowed(
        tf.constant([b" ".join(document) for document in documents]),
        token_ids,
        tf.constant(keep[ids]),
        window=preprocessing.window,
        seed=seed,
    )
    in_memory = DocumentsInMemory(*found, tf.constant(num_tokens, tf.int64))
    return split_of(in_memory, vocabulary, preprocessing, seed)
