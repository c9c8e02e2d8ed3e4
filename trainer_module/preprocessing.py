"""Transform's entry point: text to pairs, as tokens with their windows or written out."""

import contextlib
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from trainer_module import features
from trainer_module.hyperparameters import PreprocessingHyperparameters
from trainer_module.text import (
    given_pairs,
    hashing,
    skip_grams,
    subsampling,
    vocabulary_analyzer,
    vocabulary_tables,
)
from trainer_module.text.given_pairs import GivenPairs
from trainer_module.text.subsampling import Windowed
from trainer_module.text.tokenization import tokenize
from trainer_module.text.words import Tokenization


def preprocessing_fn(
    inputs: Mapping[str, tf.Tensor], custom_config: Mapping[str, Any]
) -> dict[str, tf.Tensor | tf.RaggedTensor]:
    """Turns each document into its pairs: its tokens with their windows, or written out.

    Args:
      inputs: `text`, `[batch, 1]` UTF-8 strings, and `occurrence`, `[batch, 1]` int64.
      custom_config: `preprocessing`, the fields of PreprocessingHyperparameters; `seed`; and maybe
        `kind`, of the corpus: documents of any but `text` may be given pairs.

    Returns:
      `token_ids` and `window_sizes`, `[batch, (tokens)]` int64, and `document_hash`, `[batch]`
      int64; or `target` and `context`, `[batch, (pairs)]` int64; and `num_tokens`, `[batch]` int64:
      see features.py.
    """
    preprocessing = PreprocessingHyperparameters(**custom_config["preprocessing"])
    kind, seed = custom_config.get("kind", "text"), int(custom_config["seed"])
    documents = tf.reshape(inputs[features.TEXT], [-1])
    hashes = hashing.document_hashes(documents, tf.reshape(inputs[features.OCCURRENCE], [-1]))
    tokens = tokenize(documents, Tokenization.of(preprocessing))
    given, num_tokens = None, tokens.row_lengths()
    if kind != "text":
        given = given_pairs.among(documents, hashes, seed=seed)
        tokens = given.tokens(tokens)
        num_tokens = tokens.row_lengths() * given.times
    if given is not None and features.has_two_vocabularies(kind):
        return _written_out(_of_two_vocabularies(tokens, given, preprocessing), num_tokens)
    found = _windowed(tokens, given, hashes, preprocessing, seed)
    if preprocessing.emit == "pairs":
        return _written_out(skip_grams.pairs(found.token_ids, found.window_sizes), num_tokens)
    return {
        features.TOKEN_IDS: found.token_ids,
        features.WINDOW_SIZES: found.window_sizes,
        features.NUM_TOKENS: num_tokens,
        features.DOCUMENT_HASH: tf.bitcast(hashes, tf.int64),
    }


def _written_out(
    pairs: tuple[tf.RaggedTensor, tf.RaggedTensor], num_tokens: tf.Tensor
) -> dict[str, tf.Tensor | tf.RaggedTensor]:
    targets, contexts = pairs
    return {
        features.TARGET: targets,
        features.CONTEXT: contexts,
        features.NUM_TOKENS: num_tokens,
    }


def _windowed(
    tokens: tf.RaggedTensor,
    given: GivenPairs | None,
    hashes: tf.Tensor,
    preprocessing: PreprocessingHyperparameters,
    seed: int,
) -> Windowed:
    """The tokens that the vocabulary knows, with their windows."""
    times, windowed = None, subsampling.windowed
    if given is not None:
        times, windowed = tf.gather(given.times, skip_grams.documents_of(tokens)), given.windowed
    vocabulary, ids = _vocabulary(tokens.flat_values, times, preprocessing)
    counts, totals = tf.unstack(tft.apply_vocabulary(ids, vocabulary, lookup_fn=_lookup_counts))
    frequencies = tf.cast(counts, tf.float64) / tf.cast(totals, tf.float64)
    return windowed(
        hashes,
        tokens.with_values(ids),
        subsampling.keep_probability(frequencies, preprocessing.subsample),
        window=preprocessing.window,
        seed=seed,
    )


def _of_two_vocabularies(
    tokens: tf.RaggedTensor, given: GivenPairs, preprocessing: PreprocessingHyperparameters
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """The pairs that were given, each side by its own vocabulary: `[batch, (pairs)]` ids each."""
    sides = given.sides(tokens)
    _, targets = _vocabulary(sides.targets, sides.times, preprocessing)
    _, contexts = _vocabulary(
        sides.contexts, sides.times, preprocessing, features.CONTEXT_VOCABULARY
    )
    return given.written_out(sides, targets, contexts)


def _vocabulary(
    tokens: tf.Tensor,
    times: tf.Tensor | None,
    preprocessing: PreprocessingHyperparameters,
    name: str = features.VOCABULARY,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The path of the vocabulary of some tokens, and their ids in it, -1 for unknown ones."""
    path = vocabulary_analyzer.vocabulary(
        tokens,
        times,
        min_count=preprocessing.min_count,
        vocab_size=preprocessing.vocab_size,
        name=name,
    )
    return path, tft.apply_vocabulary(tokens, path, lookup_fn=_lookup_ids)


def _lookup_ids(tokens: tf.Tensor, vocabulary: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Each token's line in the vocabulary file, -1 if it has none; and the number of lines."""
    with _lifted(vocabulary):
        table = vocabulary_tables.ids_of_tokens(vocabulary)
        size = table.size()
    return table.lookup(tokens), size


def _lookup_counts(ids: tf.Tensor, vocabulary: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Each id's count and, as often, the sum of all counts, `[2, tokens]`; the number of lines.

    One tensor, because that is what `tft.apply_vocabulary` passes on; integers, because only those
    can it describe in the schema.
    """
    with _lifted(vocabulary):
        table = vocabulary_tables.counts_of_ids(vocabulary)
        size, total = table.size(), tf.reduce_sum(table.export()[1])
    counts = table.lookup(ids)
    return tf.stack([counts, tf.fill(tf.shape(counts), total)]), size


def _lifted(vocabulary: tf.Tensor) -> contextlib.AbstractContextManager[None]:
    """Out of the traced function once the file is known: else each batch would read it again."""
    return contextlib.nullcontext() if tf.is_symbolic_tensor(vocabulary) else tf.init_scope()
