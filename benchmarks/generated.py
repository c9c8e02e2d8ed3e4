"""Transformed examples of a generated corpus, for sizes at which no text is at hand."""

from typing import Any

import numpy as np

_WORDS_OF_DOCUMENT = 100
_DOCUMENTS_AT_ONCE = 10_000
_SUBSAMPLE = 1e-4
_TOPICS = 100
_WORDS_OF_TOPIC = 1_000


def write(path: str, vocabulary_size: int, words: int, *, seed: int) -> None:
    """Writes documents of one topic each, subsampled as Transform does.

    Half of the words follow Zipf's law on the vocabulary, half on the 1,000 words of the document's
    topic, so that contexts tell more than frequencies do.

    Args:
      path: of a gzipped TFRecord file.
      vocabulary_size: tokens.
      words: a multiple of 100.
      seed: of the documents; the topics are always the same.
    """
    import tensorflow as tf

    generator = np.random.default_rng(seed)
    size = min(_WORDS_OF_TOPIC, vocabulary_size)
    every = np.tile(np.arange(vocabulary_size), (_TOPICS, 1))
    of_topics = np.random.default_rng(0).permuted(every, axis=1)[:, :size]
    keep = keep_probability(vocabulary_size)
    common, own = _cumulative(vocabulary_size), _cumulative(size)
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for begin in range(0, words // _WORDS_OF_DOCUMENT, _DOCUMENTS_AT_ONCE):
            number = min(_DOCUMENTS_AT_ONCE, words // _WORDS_OF_DOCUMENT - begin)
            shape = (number, _WORDS_OF_DOCUMENT)
            topics = generator.integers(0, _TOPICS, number)[:, np.newaxis]
            ids = np.where(
                generator.random(shape) < 0.5,
                np.searchsorted(common, generator.random(shape)),
                of_topics[topics, np.searchsorted(own, generator.random(shape))],
            )
            kept = generator.random(shape) < keep[ids]
            windows = kept * generator.integers(1, 6, shape)
            hashes = generator.integers(0, 1 << 63, number)
            for row in zip(ids, windows, hashes, strict=True):
                writer.write(_example(*row))


def _cumulative(size: int) -> Any:
    from trainer_module.objectives import distributions

    cumulative = np.cumsum(distributions.log_uniform_probabilities(size))
    return cumulative / cumulative[-1]


def _example(ids: Any, windows: Any, document_hash: Any) -> bytes:
    import tensorflow as tf

    feature = {
        "token_ids$ragged_values": ids,
        "window_sizes$ragged_values": windows,
        "num_tokens": [len(ids)],
        "document_hash": [document_hash],
    }
    features = {
        name: tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        for name, values in feature.items()
    }
    serialized: bytes = tf.train.Example(
        features=tf.train.Features(feature=features)
    ).SerializeToString()
    return serialized


def keep_probability(vocabulary_size: int) -> Any:
    """`[vocab]`, taking Zipf's law for the frequencies."""
    import tensorflow as tf

    from trainer_module.objectives import distributions
    from trainer_module.text import subsampling

    frequencies = distributions.log_uniform_probabilities(vocabulary_size)
    return subsampling.keep_probability(tf.constant(frequencies), _SUBSAMPLE).numpy()


def split_of(path: str, vocabulary_size: int) -> Any:
    """The Split of a file that write wrote."""
    import tensorflow as tf

    from trainer_module.input_pipeline.documents import TransformedFiles
    from trainer_module.input_pipeline.splits import Split

    def ragged(name: str) -> tf.io.RaggedFeature:
        return tf.io.RaggedFeature(tf.int64, f"{name}$ragged_values", row_splits_dtype=tf.int64)

    spec = {
        "token_ids": ragged("token_ids"),
        "window_sizes": ragged("window_sizes"),
        "num_tokens": tf.io.FixedLenFeature([], tf.int64),
        "document_hash": tf.io.FixedLenFeature([], tf.int64),
    }
    documents = TransformedFiles([path], spec)
    return Split(documents, keep_probability(vocabulary_size), window=5, seed=1)


def vocabulary(vocabulary_size: int) -> Any:
    """The Vocabulary of ids by their numbers, as often as Zipf's law has them."""
    from trainer_module.objectives import distributions
    from trainer_module.vocabulary import Vocabulary

    shares = distributions.log_uniform_probabilities(vocabulary_size)
    tokens = [str(token).encode() for token in range(vocabulary_size)]
    return Vocabulary(tokens, (shares / shares.min()).astype(int))
