"""Training in this process, on documents in memory."""

import itertools
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from pipeline.config_file import validated
from pipeline.corpus.documents import read_documents
from pipeline.failures import unknown_name
from pipeline.paths import expanded
from pipeline.results.embeddings import Embeddings
from trainer_module import features
from trainer_module.errors import InputError
from trainer_module.hyperparameters import (
    LAST_BLESSED,
    PreprocessingHyperparameters,
    TrainerHyperparameters,
)
from trainer_module.input_pipeline.documents import DocumentsInMemory
from trainer_module.input_pipeline.splits import Split
from trainer_module.text.hashing import document_hashes
from trainer_module.text.near_copies import near_copy_hash
from trainer_module.text.subsampling import windowed
from trainer_module.text.tokenization import tokenize
from trainer_module.text.words import Tokenization
from trainer_module.training.fit import Fitted, fit, keep_probabilities, split_of
from trainer_module.training.progress import Listener, say_nothing
from trainer_module.training.record import TrainingRecord
from trainer_module.vocabulary import Vocabulary, nothing_to_keep
from trainer_module.workers import group

Document = str | Sequence[str]
_AS_GIVEN = Tokenization("whitespace", "none")
# Documents that are tokenised at once.
_AT_ONCE = 4096


class _Document(NamedTuple):
    tokens: Sequence[bytes]
    near_copies: int  # near_copies.near_copy_hash
    nth: int  # which of its near-copies it is, from 0


class _Settings(NamedTuple):
    preprocessing: PreprocessingHyperparameters
    trainer: TrainerHyperparameters


class Trained(NamedTuple):
    """All that training gave."""

    fitted: Fitted
    vocabulary: Vocabulary
    tokenization: Tokenization
    distinct_tokens: int  # of the documents, also those without a vector


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
        Documents that differ by case, blanks and punctuation alone are held out together.
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
    found = train_model(
        documents, seed=seed, eval_fraction=eval_fraction, listener=listener, **settings
    )
    return Embeddings(
        [token.decode() for token in found.vocabulary.tokens],
        found.fitted.model.target_table.numpy(),
        found.vocabulary.counts.tolist(),
        TrainingRecord.of(found.fitted, found.distinct_tokens),
        found.tokenization,
    )


def train_model(
    documents: Any,
    *,
    seed: int = 1,
    eval_fraction: float = 0.05,
    listener: Listener = say_nothing,
    **settings: Any,
) -> Trained:
    """The same as `train`, for those who want the whole model: contexts and scores too."""
    chosen = _settings(settings)
    if not 0 < eval_fraction < 1:
        raise InputError(f"eval_fraction = {eval_fraction} is not between 0 and 1: 0.05 is usual")
    base = chosen.trainer.base_path
    # Before TensorFlow does anything else.
    workers = group.join(threads=chosen.trainer.threads)
    tokens, tokenization = _tokenized(documents, Tokenization.of(chosen.preprocessing))
    counted = Counter(token for document in tokens for token in document)
    known = _vocabulary(counted, chosen.preprocessing)
    train_split, eval_split = (
        _split(some, known, chosen.preprocessing, seed)
        for some in _dealt_out(_numbered(tokens, seed), eval_fraction)
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
            base=base and expanded(base),
            listener=listener,
        )
    return Trained(fitted, known, tokenization, len(counted))


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
    if config.trainer.warm_start == LAST_BLESSED:
        raise InputError(
            f"warm_start = {LAST_BLESSED} is for `run`, which blesses models: name a path, such as "
            "warm_start='output/vectors'"
        )
    if config.trainer.workers > 1:
        raise InputError(
            f"workers = {config.trainer.workers} is for `run`: train works in this process alone, "
            "leave it out"
        )
    return _Settings(config.preprocessing, config.trainer)


def _tokenized(
    documents: Any, tokenization: Tokenization
) -> tuple[list[list[bytes]], Tokenization]:
    """Each document's tokens, and how they were made: lists of tokens are taken as they are."""
    if isinstance(documents, str | os.PathLike):
        documents = [Path(documents)]
    tokens: list[list[bytes]] = []
    for some in _batched(documents):
        if isinstance(some[0], os.PathLike):
            names = [os.fspath(path) for path in some]
            tokens += _tokenized(read_documents(names), tokenization)[0]
        elif isinstance(some[0], str):
            tokens += tokenize(tf.constant(some), tokenization).to_list()
        else:
            tokens += [[token.encode() for token in document] for document in some]
            tokenization = _AS_GIVEN
    if not tokens:
        raise InputError(
            "there are no documents to train on: give strings, lists of tokens or files"
        )
    return tokens, tokenization


def _batched(documents: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(documents)
    while some := list(itertools.islice(iterator, _AT_ONCE)):
        yield some


def _numbered(documents: Sequence[Sequence[bytes]], seed: int) -> list[_Document]:
    """In a random order, each with its number among its near-copies."""
    met: Counter[int] = Counter()
    numbered = []
    for row in np.random.default_rng(seed).permutation(len(documents)):
        near_copies = near_copy_hash(b" ".join(documents[row]))
        numbered.append(_Document(documents[row], near_copies, met[near_copies]))
        met[near_copies] += 1
    return numbered


def _dealt_out(
    documents: Sequence[_Document], eval_fraction: float
) -> tuple[list[_Document], list[_Document]]:
    """Those to train on and those to hold out, no near-copies on both sides.

    Raises:
      InputError: all documents are near-copies of one.
    """
    sizes = Counter(document.near_copies for document in documents)
    if len(sizes) == 1:
        raise InputError(
            f"the {len(documents):,} documents differ by no more than case, blanks and "
            "punctuation, so that none can be held out: give others too"
        )
    left = max(round(len(documents) * eval_fraction), 1)
    held_out = set()
    for near_copies, size in sizes.items():
        if size <= left:
            held_out.add(near_copies)
            left -= size
    held_out = held_out or {min(sizes, key=sizes.__getitem__)}
    split: tuple[list[_Document], list[_Document]] = ([], [])
    for document in documents:
        split[document.near_copies in held_out].append(document)
    return split


def _vocabulary(
    counted: Mapping[bytes, int], preprocessing: PreprocessingHyperparameters
) -> Vocabulary:
    """As Transform makes it: by falling count, equal counts by falling bytes."""
    falling = sorted(((count, token) for token, count in counted.items()), reverse=True)
    min_count = preprocessing.min_count
    kept = [entry for entry in falling if entry[0] >= min_count][: preprocessing.vocab_size]
    if not kept:
        raise nothing_to_keep(
            falling[0] if falling else None,
            distinct=len(counted),
            occurrences=sum(counted.values()),
            min_count=min_count,
        )
    return Vocabulary([token for _, token in kept], np.array([n for n, _ in kept], np.int64))


def _split(
    documents: Sequence[_Document],
    vocabulary: Vocabulary,
    preprocessing: PreprocessingHyperparameters,
    seed: int,
) -> Split:
    """What Transform would emit of the documents."""
    rows = {token: row for row, token in enumerate(vocabulary.tokens)}
    ids = [rows.get(token, -1) for document in documents for token in document.tokens]
    num_tokens = [len(document.tokens) for document in documents]
    token_ids = tf.RaggedTensor.from_row_lengths(
        tf.constant(ids, tf.int64, [len(ids)]), tf.constant(num_tokens, tf.int64)
    )
    # The last is that of unknown tokens, -1, which are dropped.
    keep = np.append(keep_probabilities(vocabulary, preprocessing), 1.0)
    hashes = document_hashes(
        tf.constant([b" ".join(document.tokens) for document in documents]),
        tf.constant([document.nth for document in documents], tf.int64),
    )
    found = windowed(
        hashes,
        token_ids,
        tf.constant(keep[ids]),
        window=preprocessing.window,
        seed=seed,
    )
    in_memory = DocumentsInMemory(
        {
            **found._asdict(),
            features.NUM_TOKENS: tf.constant(num_tokens, tf.int64),
            features.DOCUMENT_HASH: tf.bitcast(hashes, tf.int64),
        }
    )
    return split_of(in_memory, vocabulary, preprocessing, seed)
