"""The SavedModel with its signatures: looking up vectors, nearest neighbours, evaluation."""

import functools
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_transform as tft

from trainer_module import features
from trainer_module.evaluation import cross_entropies
from trainer_module.evaluation.cross_entropies import Parameters, TargetSums
from trainer_module.evaluation.saved_model import ModelSettings
from trainer_module.evaluation.target_sample import DrawnTargets
from trainer_module.text import skip_grams, vocabulary_tables
from trainer_module.text.tokenization import normalize

LOOKUP_SIGNATURE = "serving_default"
NEIGHBORS_SIGNATURE = "neighbors"
EVALUATE_SIGNATURE = "evaluate"


class ServingModel(tf.Module):
    """The trained tables with everything needed to use them: vocabulary and Transform's graph."""

    def __init__(
        self,
        parameters: Parameters,
        unigram: npt.NDArray[np.float32],
        transform_output: tft.TFTransformOutput,
        settings: ModelSettings,
    ):
        """Copies the tables out of the distribution strategy.

        Args:
          parameters: the trained tables, and what evaluation needs to know of the objective.
          unigram: `[vocab]` float32, model.unigram_log_probabilities.
          transform_output: whose vocabulary and graph become part of the SavedModel.
          settings: go into the SavedModel for those who read it. They say too how words are brought
            to the form in which the vocabulary holds them.
        """
        super().__init__()
        self.target_table = tf.Variable(parameters.target_table.numpy(), trainable=False)
        self.context_weights = tf.Variable(parameters.context_weights.numpy(), trainable=False)
        self.context_biases = tf.Variable(parameters.context_biases.numpy(), trainable=False)
        self.correction = None
        if parameters.correction is not None:
            self.correction = tf.Variable(parameters.correction, trainable=False)
        self.unigram = tf.Variable(unigram, trainable=False)
        self.norms = tf.Variable(tf.norm(self.target_table, axis=1), trainable=False)
        self._parameters = parameters._replace(
            target_table=self.target_table,
            context_weights=self.context_weights,
            context_biases=self.context_biases,
            correction=self.correction,
        )
        self.targets = DrawnTargets.all_of(
            len(unigram),
            len(TargetSums._fields),
            functools.partial(cross_entropies.stacked_sums, self._parameters),
        )
        # The graph itself, not tft's layer around it: Keras would trace and save it twice more.
        self.transform = tf.saved_model.load(transform_output.transform_savedmodel_dir)
        self.vocabulary = tf.saved_model.Asset(
            transform_output.vocabulary_file_by_name(features.VOCABULARY)
        )
        self._ids = vocabulary_tables.ids_of_tokens(self.vocabulary.asset_path)
        self._words = vocabulary_tables.tokens_of_ids(self.vocabulary.asset_path)
        self._tokenization = settings.tokenization
        self.settings = tf.Variable(settings.to_json(), trainable=False)

    # Nothing in a signature is Python's control flow on tensors: to look for it takes half of the
    # trace.
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="words")], autograph=False)
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

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="words"),
            tf.TensorSpec([], tf.int32, name="k"),
        ],
        autograph=False,
    )
    def neighbors(self, words: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        """The nearest words by the cosine of their target vectors, the word itself left out.

        Args:
          words: `[batch]` strings.
          k: how many; at most the vocabulary less one are returned.

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
        others = tf.one_hot(rows, tf.size(self.norms), on_value=-float("inf"), off_value=0.0)
        top = tf.math.top_k(cosines + others, tf.minimum(k, tf.size(self.norms) - 1))
        found = self._words.lookup(tf.cast(top.indices, tf.int64))
        return {
            "neighbors": tf.where(known[:, tf.newaxis], found, ""),
            "cosines": tf.where(known[:, tf.newaxis], top.values, 0.0),
        }

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, name="examples")], autograph=False
    )
    def evaluate(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """The full cross-entropies of documents, over the whole vocabulary.

        They are exact, unless the Evaluator has drawn some of the targets.

        The documents are text, not ids: this model's own vocabulary and graph make the pairs, so a
        model with another vocabulary can be held against it on the same documents.

        Args:
          examples: `[batch]` serialized tf.Examples with the features `text` and, 0 where it is
            missing, `occurrence`.

        Returns:
          softmax_cross_entropy, sigmoid_cross_entropy: `[batch]` float32, each the sum over the
            document's pairs, in nats, of the scores as estimates of log p(c|t).
          raw_softmax_cross_entropy, raw_sigmoid_cross_entropy: the same of the scores as trained.
          unigram_cross_entropy: the same of the unigram model.
          num_pairs: `[batch]` float32.
          softmax_sketch, sigmoid_sketch: `[batch, target_sample.BUCKETS]` float32, for the error of
            the first two; 0 where they are exact.
        """
        targets, contexts = self._pairs_of(examples)
        rows = self.targets(targets.flat_values)
        found = cross_entropies.cross_entropies(
            self._parameters,
            TargetSums(*tf.unstack(rows, axis=1)),
            targets.flat_values,
            contexts.flat_values,
        )
        sketches = self.targets.sketch(
            rows, targets.flat_values, targets.value_rowids(), targets.nrows()
        )

        def by_document(losses_of_pairs: tf.Tensor) -> tf.Tensor:
            return tf.reduce_sum(contexts.with_flat_values(losses_of_pairs), axis=1)

        return {
            features.SOFTMAX_CROSS_ENTROPY: by_document(found.softmax),
            features.SIGMOID_CROSS_ENTROPY: by_document(found.sigmoid),
            features.RAW_SOFTMAX_CROSS_ENTROPY: by_document(found.raw_softmax),
            features.RAW_SIGMOID_CROSS_ENTROPY: by_document(found.raw_sigmoid),
            features.UNIGRAM_CROSS_ENTROPY: by_document(
                -tf.gather(self.unigram, contexts.flat_values)
            ),
            features.NUM_PAIRS: tf.cast(contexts.row_lengths(), tf.float32),
            features.SOFTMAX_SKETCH: sketches[:, :, 0],
            features.SIGMOID_SKETCH: sketches[:, :, 1],
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def pairs(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """The pairs of documents, for the Evaluator, which takes more of them than their sums.

        Args:
          examples: as of `evaluate`.

        Returns:
          target, context: `[pairs]` int64 ids.
          document: `[pairs]` int64, rising: which of the examples each pair is of.
        """
        targets, contexts = self._pairs_of(examples)
        return {
            features.TARGET: targets.flat_values,
            features.CONTEXT: contexts.flat_values,
            features.DOCUMENT: targets.value_rowids(),
        }

    def _pairs_of(self, examples: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Targets and contexts, `[batch, (pairs)]` each."""
        documents, occurrences = parse_documents(examples)
        transformed: Mapping[str, tf.RaggedTensor] = self.transform.transform_fn(
            {
                features.TEXT: documents[:, tf.newaxis],
                features.OCCURRENCE: occurrences[:, tf.newaxis],
            }
        )
        return _pairs(transformed)

    def _ids_of(self, words: tf.Tensor) -> tf.Tensor:
        """`[batch]` int64; -1 for what is not one token of the vocabulary."""
        return self._ids.lookup(tf.strings.strip(normalize(words, self._tokenization)))


def parse_documents(examples: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Reads documents as TextExampleGen writes them.

    Args:
      examples: `[batch]` serialized tf.Examples.

    Returns:
      Their texts, `[batch]` strings, and occurrences, `[batch]` int64, 0 where it is missing.
    """
    parsed = tf.io.parse_example(
        examples,
        {
            features.TEXT: tf.io.FixedLenFeature([], tf.string),
            features.OCCURRENCE: tf.io.FixedLenFeature([], tf.int64, default_value=0),
        },
    )
    return parsed[features.TEXT], parsed[features.OCCURRENCE]


def _pairs(transformed: Mapping[str, tf.RaggedTensor]) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Targets and contexts, `[batch, (pairs)]` each, whatever preprocessing.emit was."""
    if features.TARGET in transformed:
        return transformed[features.TARGET], transformed[features.CONTEXT]
    return skip_grams.pairs(transformed[features.TOKEN_IDS], transformed[features.WINDOW_SIZES])


def save(serving: ServingModel, folder: str) -> None:
    """Writes the SavedModel with its three signatures into `folder`."""
    tf.saved_model.save(
        serving,
        folder,
        signatures={
            LOOKUP_SIGNATURE: serving.lookup,
            NEIGHBORS_SIGNATURE: serving.neighbors,
            EVALUATE_SIGNATURE: serving.evaluate,
        },
    )
