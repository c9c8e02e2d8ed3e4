"""Two models with different vocabularies, on the same pairs over the same classes.

A full cross-entropy is a figure of its vocabulary too: with fewer words the softmax has fewer
classes to spend on, and the pairs of rare words, which are hard, are gone. So a model that drops
words looks better, and one that learns more words looks worse.

Here both are asked for a distribution over all tokens that either of them knows, U. Where a model M
knows target and context, its softmax has a part of the probability, `1 - eps_M`; what it does not
know has the rest, spread by how often it comes:

    p_M(c|t) = (1 - eps_M) softmax_M(c|t)   if M knows t and c
    p_M(c|t) = q_c                          else

`q` are the shares of U's tokens after subsampling, and `eps_M` is their sum over what M does not
know. For each t both sum to 1 over U, so dropping words does not pay. With one vocabulary eps is 0,
and this is the full softmax cross-entropy.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module import features
from trainer_module.evaluation import cross_entropies
from trainer_module.evaluation.cross_entropies import Parameters
from trainer_module.evaluation.saved_model import SavedModel
from trainer_module.evaluation.vocabulary_sums import vocabulary_sums
from trainer_module.text import hashing, skip_grams, subsampling
from trainer_module.text.tokenization import tokenize
from trainer_module.vocabulary import Vocabulary

Shares = npt.NDArray[np.float64]


class CommonVocabulary(NamedTuple):
    """The tokens of two vocabularies, U: those of the first in their order, then the others."""

    tokens: list[bytes]
    keep: Shares  # [common], subsampling.keep_probability
    classes: Shares  # [common], q: shares of the contexts; they sum to 1
    rows: tuple[npt.NDArray[np.int32], ...]  # [common] of each model: the id in it, or -1

    def unknown(self, model: int) -> float:
        """eps: the share of the contexts that a model does not know."""
        return float(self.classes[self.rows[model] < 0].sum())


def common_vocabulary(first: Vocabulary, second: Vocabulary, subsample: float) -> CommonVocabulary:
    """Puts two vocabularies together.

    Args:
      first, second: of the models.
      subsample: the threshold of subsampling for the pairs on which they are compared.

    A token has the larger one of its shares, so that none is thinned out less than where it is
    frequent. Without subsampling, with shares of 3/4 and 1/4 beside 1:

    >>> first = Vocabulary([b"sea", b"ship"], np.array([3, 1]))
    >>> common = common_vocabulary(first, Vocabulary([b"sand"], np.array([5])), 0)
    >>> common.tokens, common.classes.tolist()
    ([b'sea', b'ship', b'sand'], [0.375, 0.125, 0.5])
    >>> common.unknown(0), common.unknown(1)
    (0.5, 0.5)
    """
    vocabularies = (first, second)
    tokens = list(dict.fromkeys([*first.tokens, *second.tokens]))
    place = {token: nth for nth, token in enumerate(tokens)}
    shares = np.zeros(len(tokens))
    rows = tuple(np.full(len(tokens), -1, np.int32) for _ in vocabularies)
    for vocabulary, of_model in zip(vocabularies, rows, strict=True):
        places = [place[token] for token in vocabulary.tokens]
        shares[places] = np.maximum(shares[places], vocabulary.frequencies)
        of_model[places] = np.arange(len(places))
    keep = subsampling.keep_probability(tf.constant(shares / shares.sum()), subsample).numpy()
    contexts = shares * keep
    return CommonVocabulary(tokens, keep, contexts / contexts.sum(), rows)


class CommonCrossEntropy(tf.Module):
    """Tonight's model and the last blessed one, held against each other on documents."""

    def __init__(self, tonight: SavedModel, last: SavedModel):
        """Takes the tokenizer, subsampling, windows and seed of tonight's model for both."""
        super().__init__()
        self._settings = tonight.settings
        common = common_vocabulary(tonight.vocabulary, last.vocabulary, tonight.settings.subsample)
        places = tf.lookup.KeyValueTensorInitializer(
            tf.constant(common.tokens), tf.range(len(common.tokens), dtype=tf.int64)
        )
        self._places = tf.lookup.StaticHashTable(places, -1)
        self._keep = tf.constant(common.keep)
        self._tonight, self._last = (
            _ModelOverCommon(model, common, which) for which, model in enumerate((tonight, last))
        )

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.int64)]
    )
    def __call__(self, documents: tf.Tensor, occurrences: tf.Tensor) -> dict[str, tf.Tensor]:
        """Sums over the pairs of each document.

        Args:
          documents: `[batch]` UTF-8 strings.
          occurrences: `[batch]`, features.OCCURRENCE.

        Returns:
          By features.COMPARISON_OUTPUTS `[batch]` float32: how many pairs there are, and of either
          model the sum of their cross-entropies, in nats, and of how many it knows both tokens.
        """
        targets, contexts = self._pairs(documents, occurrences)

        def by_document(of_pairs: tf.Tensor) -> tf.Tensor:
            return tf.reduce_sum(contexts.with_flat_values(of_pairs), axis=1)

        found = {features.NUM_COMMON_PAIRS: tf.cast(contexts.row_lengths(), tf.float32)}
        for model, named in ((self._tonight, str), (self._last, features.of_last_blessed)):
            losses_of_pairs, known = model.losses(targets.flat_values, contexts.flat_values)
            found[named(features.COMMON_CROSS_ENTROPY)] = by_document(losses_of_pairs)
            found[named(features.COMMON_KNOWN_PAIRS)] = by_document(tf.cast(known, tf.float32))
        return found

    def _pairs(
        self, documents: tf.Tensor, occurrences: tf.Tensor
    ) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """As Transform draws them, of the tokens of U: `[batch, (pairs)]` places in it each."""
        tokens = tokenize(documents, self._settings.tokenization)
        places = tokens.with_values(self._places.lookup(tokens.flat_values))
        found = subsampling.windowed(
            hashing.document_hashes(documents, occurrences),
            places,
            tf.gather(self._keep, tf.maximum(places.flat_values, 0)),
            window=self._settings.window,
            seed=self._settings.seed,
        )
        return skip_grams.pairs(found.token_ids, found.window_sizes)


class _ModelOverCommon(tf.Module):
    """A model's distribution over the common vocabulary."""

    def __init__(self, model: SavedModel, common: CommonVocabulary, which: int):
        super().__init__()
        target_table, context_weights, context_biases = (
            tf.Variable(table, trainable=False)
            for table in (model.target_table, model.context_weights, model.corrected_biases)
        )
        self._parameters = Parameters(
            target_table,
            context_weights,
            context_biases,
            correction=None,  # it is in the biases
            softmax=model.settings.softmax,
            temperature=model.settings.temperature,
        )
        self._rows = tf.constant(common.rows[which])
        self._log_classes = tf.constant(np.log(common.classes), tf.float32)
        self._log_known = tf.constant(np.log1p(-common.unknown(which)), tf.float32)
        self._log_partitions = tf.Variable(
            tf.fill([len(model.vocabulary.tokens), 1], float("nan")), trainable=False
        )

    def losses(self, targets: tf.Tensor, contexts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """-log p(c|t) of each pair and whether the model knows both tokens, `[pairs]` each."""
        target_rows, context_rows = tf.gather(self._rows, targets), tf.gather(self._rows, contexts)
        known = (target_rows >= 0) & (context_rows >= 0)
        losses_of_known = self._softmax_losses(
            tf.boolean_mask(target_rows, known), tf.boolean_mask(context_rows, known)
        )
        found = tf.tensor_scatter_nd_update(
            -tf.gather(self._log_classes, contexts),
            tf.cast(tf.where(known), tf.int32),
            losses_of_known - self._log_known,
        )
        return found, known

    def _softmax_losses(self, targets: tf.Tensor, contexts: tf.Tensor) -> tf.Tensor:
        found = cross_entropies.remembered(self._log_partitions, targets, self._log_partition)
        return found[:, 0] - cross_entropies.scores(self._parameters, targets, contexts)

    def _log_partition(self, targets: tf.Tensor) -> tf.Tensor:
        parameters = self._parameters
        inputs = tf.gather(parameters.target_table, targets) / parameters.temperature
        weights = tf.convert_to_tensor(parameters.context_weights)
        [sums] = vocabulary_sums(inputs, weights, [parameters.context_biases], softplus=[False])
        return sums.log_partition[:, tf.newaxis]
