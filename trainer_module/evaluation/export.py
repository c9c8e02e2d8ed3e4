"""The SavedModel with its signatures: vectors, nearest neighbours, contexts, evaluation."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_transform as tft

from trainer_module import features
from trainer_module.evaluation import cross_entropies
from trainer_module.evaluation.cross_entropies import Parameters, TargetSums
from trainer_module.evaluation.saved_model import ModelSettings
from trainer_module.evaluation.serving import warm_up
from trainer_module.evaluation.serving.word_signatures import WordModel
from trainer_module.evaluation.target_sample import DrawnTargets
from trainer_module.text import skip_grams

LOOKUP_SIGNATURE = "serving_default"
NEIGHBORS_SIGNATURE = "neighbors"
CONTEXTS_SIGNATURE = "contexts"
EVALUATE_SIGNATURE = "evaluate"
EVALUATE_TEXT_SIGNATURE = "evaluate_text"

_SKETCHES = {features.SOFTMAX_SKETCH, features.SIGMOID_SKETCH}


class ServingModel(WordModel):
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
          unigram: `[contexts]` float32, model.unigram_log_probabilities.
          transform_output: whose vocabularies and graph become part of the SavedModel.
          settings: go into the SavedModel for those who read it. They say too how words are brought
            to the form in which the vocabulary holds them.
        """
        vocabulary = transform_output.vocabulary_file_by_name(features.VOCABULARY)
        contexts = vocabulary
        if settings.has_two_vocabularies:
            contexts = transform_output.vocabulary_file_by_name(features.CONTEXT_VOCABULARY)
        super().__init__(parameters, vocabulary, contexts, settings)
        self.unigram = tf.Variable(unigram, trainable=False)
        self.targets = DrawnTargets.all_of(
            parameters.target_table.shape[0],
            len(TargetSums._fields),
            functools.partial(cross_entropies.stacked_sums, self.parameters),
        )
        # The graph itself, not tft's layer around it: Keras would trace and save it twice more.
        self.transform = tf.saved_model.load(transform_output.transform_savedmodel_dir)

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
        return dict(self._cross_entropies(*parse_documents(examples)))

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, name="documents")], autograph=False
    )
    def evaluate_text(self, documents: tf.Tensor) -> dict[str, tf.Tensor]:
        """As `evaluate`, of plain strings: a document is what one line of a corpus is.

        Args:
          documents: `[batch]` strings, UTF-8. Each counts as the first occurrence of its text.

        Returns:
          What `evaluate` does, without the sketches.
        """
        found = self._cross_entropies(documents, tf.zeros_like(documents, tf.int64))
        return {name: value for name, value in found.items() if name not in _SKETCHES}

    # Traced and saved once for both signatures that call it.
    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.int64)],
        autograph=False,
    )
    def _cross_entropies(
        self, documents: tf.Tensor, occurrences: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """All outputs of `evaluate`."""
        targets, contexts = self._pairs_of(documents, occurrences)
        rows = self.targets(targets.flat_values)
        found = cross_entropies.cross_entropies(
            self.parameters,
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
        targets, contexts = self._pairs_of(*parse_documents(examples))
        return {
            features.TARGET: targets.flat_values,
            features.CONTEXT: contexts.flat_values,
            features.DOCUMENT: targets.value_rowids(),
        }

    def _pairs_of(
        self, documents: tf.Tensor, occurrences: tf.Tensor
    ) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Targets and contexts, `[batch, (pairs)]` each."""
        transformed: Mapping[str, tf.RaggedTensor] = self.transform.transform_fn(
            {
                features.TEXT: documents[:, tf.newaxis],
                features.OCCURRENCE: occurrences[:, tf.newaxis],
            }
        )
        return _pairs(transformed)


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
    """Writes the SavedModel into `folder`, with its signatures and what warms them up."""
    tf.saved_model.save(
        serving,
        folder,
        signatures={
            LOOKUP_SIGNATURE: serving.lookup,
            NEIGHBORS_SIGNATURE: serving.neighbors,
            CONTEXTS_SIGNATURE: serving.contexts,
            EVALUATE_SIGNATURE: serving.evaluate,
            EVALUATE_TEXT_SIGNATURE: serving.evaluate_text,
        },
    )
    words = serving.most_frequent_words(2)
    document = b" ".join(words)
    if ModelSettings.from_json(serving.settings.numpy()).has_two_vocabularies:
        document = b"\t".join([*words[:1], *serving.most_frequent_contexts(1)])
    warm_up.write(folder, _usual_requests(words[:1], document))


def _usual_requests(word: Sequence[bytes], document: bytes) -> dict[str, dict[str, Any]]:
    """One of each signature, small, with a word and a document that the model knows."""
    text = tf.train.Feature(bytes_list=tf.train.BytesList(value=[document]))
    example = tf.train.Example(features=tf.train.Features(feature={features.TEXT: text}))
    return {
        LOOKUP_SIGNATURE: {"words": word},
        NEIGHBORS_SIGNATURE: {"words": word, "k": np.array([10], np.int32)},
        CONTEXTS_SIGNATURE: {"words": word, "k": np.array([10], np.int32)},
        EVALUATE_SIGNATURE: {"examples": [example.SerializeToString()]},
        EVALUATE_TEXT_SIGNATURE: {"documents": [document]},
    }
