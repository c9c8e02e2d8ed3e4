"""Words in, words and vectors out: the signatures of a SavedModel that need no text."""

import tensorflow as tf

from trainer_module.evaluation.cross_entropies import Parameters
from trainer_module.evaluation.saved_model import ModelSettings
from trainer_module.text import vocabulary_tables
from trainer_module.text.tokenization import normalize

_WORDS = tf.TensorSpec([None], tf.string, name="words")
# Of any shape, so that TensorFlow Serving can put requests together: of what it batches each input
# must have a row a word.
_K = tf.TensorSpec(None, tf.int32, name="k")


class WordModel(tf.Module):
    """The trained tables and the vocabulary: looking up vectors, nearest neighbours, contexts."""

    def __init__(
        self,
        parameters: Parameters,
        vocabulary_file: str,
        context_vocabulary_file: str,
        settings: ModelSettings,
    ):
        """Copies the tables out of the distribution strategy; see export.ServingModel.

        The two files are one where targets and contexts have one vocabulary.
        """
        super().__init__()
        self.target_table = tf.Variable(parameters.target_table.numpy(), trainable=False)
        self.context_weights = tf.Variable(parameters.context_weights.numpy(), trainable=False)
        self.context_biases = tf.Variable(parameters.context_biases.numpy(), trainable=False)
        self.correction = None
        if parameters.correction is not None:
            self.correction = tf.Variable(parameters.correction, trainable=False)
        self.norms = tf.Variable(tf.norm(self.target_table, axis=1), trainable=False)
        self.parameters = parameters._replace(
            target_table=self.target_table,
            context_weights=self.context_weights,
            context_biases=self.context_biases,
            correction=self.correction,
        )
        self.vocabulary = tf.saved_model.Asset(vocabulary_file)
        self._ids = vocabulary_tables.ids_of_tokens(self.vocabulary.asset_path)
        self._words = vocabulary_tables.tokens_of_ids(self.vocabulary.asset_path)
        self.context_vocabulary, self._contexts = self.vocabulary, self._words
        if context_vocabulary_file != vocabulary_file:
            self.context_vocabulary = tf.saved_model.Asset(context_vocabulary_file)
            self._contexts = vocabulary_tables.tokens_of_ids(self.context_vocabulary.asset_path)
        self._tokenization = settings.tokenization
        self.settings = tf.Variable(settings.to_json(), trainable=False)

    # Nothing in a signature is Python's control flow on tensors: to look for it takes half of the
    # trace.
    @tf.function(input_signature=[_WORDS], autograph=False)
    def lookup(self, words: tf.Tensor) -> dict[str, tf.Tensor]:
        """The target vectors of words.

        Args:
          words: `[batch]` strings, any case where the tokenizer lower-cases.

        Returns:
          vectors: `[batch, dim]` float32, zeros for a word outside the vocabulary.
          known: `[batch]` bool.
        """
        ids = self._ids_of(words)
        known = ids >= 0
        vectors = tf.gather(self.target_table, tf.maximum(ids, 0))
        return {"vectors": tf.where(known[:, tf.newaxis], vectors, 0.0), "known": known}

    @tf.function(input_signature=[_WORDS, _K], autograph=False)
    def neighbors(self, words: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        """The nearest words by the cosine of their target vectors, the word itself left out.

        Args:
          words: `[batch]` strings.
          k: int32, how many; at most the vocabulary less one are returned. One number, or
            `[batch]`, of which the largest counts.

        Returns:
          neighbors: `[batch, k]` strings, empty for a word outside the vocabulary.
          cosines: `[batch, k]` float32, falling; 0 for a word outside the vocabulary.
        """
        ids = self._ids_of(words)
        known, rows = ids >= 0, tf.maximum(ids, 0)
        cosines = tf.matmul(
            tf.math.divide_no_nan(
                tf.gather(self.target_table, rows), tf.gather(self.norms, rows)[:, tf.newaxis]
            ),
            self.target_table,
            transpose_b=True,
        )
        cosines = tf.math.divide_no_nan(cosines, self.norms)
        own = tf.stack([tf.range(tf.size(rows, tf.int64)), rows], 1)
        cosines = tf.tensor_scatter_nd_update(cosines, own, tf.fill(tf.shape(rows), -float("inf")))
        found, values = _largest(self._words, cosines, k, tf.size(self.norms) - 1, known)
        return {"neighbors": found, "cosines": values}

    @tf.function(input_signature=[_WORDS, _K], autograph=False)
    def contexts(self, words: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        """The most probable contexts of words, of all that the contexts' vocabulary holds.

        For sessions they are the next items. A context c of the target t has the probability
        exp s(t, c) / Z(t), with s the corrected scores and Z(t) the sum of their exponentials over
        the whole vocabulary, not a sample of it. This is the distribution of which
        softmax_cross_entropy is the mean negative logarithm.

        It is given for the sigmoid family too. There exp s(t, c) estimates p(c|t) itself, but each
        class was trained alone and nothing made them sum to 1. Divided by Z they do, so that one
        word's can be held against another's, and one objective's against another's.

        Args:
          words: `[batch]` strings.
          k: int32, how many; at most the vocabulary. One number, or `[batch]`, of which the largest
            counts.

        Returns:
          contexts: `[batch, k]` strings, empty for a word outside the vocabulary.
          probabilities: `[batch, k]` float32, falling; 0 for a word outside the vocabulary.
        """
        ids = self._ids_of(words)
        inputs = tf.gather(self.target_table, tf.maximum(ids, 0)) / self.parameters.temperature
        scores = tf.matmul(inputs, self.context_weights, transpose_b=True)
        probabilities = tf.nn.softmax(scores + self.parameters.corrected_biases)
        num_contexts = tf.size(self.context_biases)
        found, values = _largest(self._contexts, probabilities, k, num_contexts, ids >= 0)
        return {"contexts": found, "probabilities": values}

    def most_frequent_words(self, how_many: int) -> list[bytes]:
        """The first tokens of the vocabulary; all where there are fewer."""
        return _first(self._words, how_many)

    def most_frequent_contexts(self, how_many: int) -> list[bytes]:
        """The first tokens of the contexts' vocabulary; all where there are fewer."""
        return _first(self._contexts, how_many)

    def _ids_of(self, words: tf.Tensor) -> tf.Tensor:
        """`[batch]` int64; -1 for what is not one token of the vocabulary."""
        return self._ids.lookup(tf.strings.strip(normalize(words, self._tokenization)))


def _first(words: tf.lookup.StaticHashTable, how_many: int) -> list[bytes]:
    found = words.lookup(tf.range(how_many, dtype=tf.int64)).numpy().tolist()
    return [word for word in found if word]


def _largest(
    words: tf.lookup.StaticHashTable,
    values: tf.Tensor,
    k: tf.Tensor,
    limit: tf.Tensor,
    known: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The words that have the k largest values, the more frequent first where they are equal.

    Args:
      words: by their ids.
      values: `[batch, vocab]`.
      k: how many, see the signatures; at most `limit`.
      limit: `[]`.
      known: `[batch]`; what is given of others is empty.

    Returns:
      Words and values, `[batch, k]` each.
    """
    top = tf.math.top_k(values, tf.clip_by_value(tf.reduce_max(k), 0, limit))
    found, known = words.lookup(tf.cast(top.indices, tf.int64)), known[:, tf.newaxis]
    return tf.where(known, found, ""), tf.where(known, top.values, 0.0)
