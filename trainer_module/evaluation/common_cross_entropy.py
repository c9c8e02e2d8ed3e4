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

Where contexts have a vocabulary of their own, U and eps are of contexts, and the targets of the
pairs are those that either model knows.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module import features
from trainer_module.errors import InputError
from trainer_module.evaluation import cross_entropies, target_sample
from trainer_module.evaluation.judged_model import JudgedModel
from trainer_module.evaluation.saved_model import ModelSettings
from trainer_module.text import given_pairs, hashing, skip_grams, subsampling
from trainer_module.text.given_pairs import GivenPairs, Sides
from trainer_module.text.tokenization import tokenize
from trainer_module.vocabulary import Vocabulary

Shares = npt.NDArray[np.float64]


class CommonVocabulary(NamedTuple):
    """The tokens of two vocabularies, U: those of the first in their order, then the others."""

    tokens: list[bytes]
    keep: Shares  # [common], subsampling.keep_probability
    classes: Shares  # [common], q: shares of the contexts; they sum to 1
    rows: tuple[npt.NDArray[np.int32], ...]  # [common] of each model: the id in it, or -1

    def of_model(self, model: int, values: Shares) -> Shares:
        """Values of the common tokens, `[common]`, for a model's own: `[vocab]`."""
        known = self.rows[model] >= 0
        found = np.empty(int(known.sum()))
        found[self.rows[model][known]] = values[known]
        return found

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

    def __init__(self, tonight: JudgedModel, last: JudgedModel):
        """Takes the tokenizer, subsampling, windows and seed of tonight's model for both.

        Raises:
          InputError: one of them has two vocabularies and the other one has one.
        """
        super().__init__()
        self._settings = settings = tonight.settings
        _require_alike(settings, last.settings)
        self._models = (tonight, last)
        self._common = common_vocabulary(tonight.vocabulary, last.vocabulary, settings.subsample)
        self._places = _places_in(self._common)
        contexts, self._context_places = self._common, self._places
        if settings.has_two_vocabularies:
            contexts = common_vocabulary(tonight.contexts, last.contexts, settings.subsample)
            self._context_places = _places_in(contexts)
        self._keep = tf.constant(self._common.keep)
        self._tonight, self._last = (
            _ModelOverCommon(model, self._common, contexts, which)
            for which, model in enumerate(self._models)
        )

    def draw(self, max_targets: int) -> None:
        """Draws the targets of both models: the same ones, with the same probabilities."""
        tonight, _ = self._models
        expected = target_sample.expected_occurrences(tonight.vocabulary, self._settings)
        drawn_with = target_sample.probabilities(self._common.classes * expected.sum(), max_targets)
        for which, model in enumerate(self._models):
            model.targets.draw(
                model.vocabulary.tokens,
                self._common.of_model(which, drawn_with),
                seed=self._settings.seed,
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
          model the sum of their cross-entropies, in nats, and of how many it knows both tokens. By
          features.COMMON_SKETCH of either model, `[batch, target_sample.BUCKETS]` float32.
        """
        targets, contexts = self._pairs(documents, occurrences)

        def by_document(of_pairs: tf.Tensor) -> tf.Tensor:
            return tf.reduce_sum(contexts.with_flat_values(of_pairs), axis=1)

        found = {features.NUM_COMMON_PAIRS: tf.cast(contexts.row_lengths(), tf.float32)}
        for model, named in ((self._tonight, str), (self._last, features.of_last_blessed)):
            losses_of_pairs, known, sketch = model.losses(targets, contexts)
            found[named(features.COMMON_CROSS_ENTROPY)] = by_document(losses_of_pairs)
            found[named(features.COMMON_SKETCH)] = sketch
            found[named(features.COMMON_KNOWN_PAIRS)] = by_document(tf.cast(known, tf.float32))
        return found

    def _pairs(
        self, documents: tf.Tensor, occurrences: tf.Tensor
    ) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """As Transform draws them, of the tokens of U: `[batch, (pairs)]` places in it each."""
        settings, hashes = self._settings, hashing.document_hashes(documents, occurrences)
        tokens, windowed = tokenize(documents, settings.tokenization), subsampling.windowed
        if settings.kind != "text":
            given = given_pairs.among(documents, hashes, seed=settings.seed)
            tokens, windowed = given.tokens(tokens), given.windowed
            if settings.has_two_vocabularies:
                return self._pairs_of(given, given.sides(tokens))
        places = tokens.with_values(self._places.lookup(tokens.flat_values))
        found = windowed(
            hashes,
            places,
            tf.gather(self._keep, tf.maximum(places.flat_values, 0)),
            window=settings.window,
            seed=settings.seed,
        )
        return skip_grams.pairs(found.token_ids, found.window_sizes)

    def _pairs_of(self, given: GivenPairs, sides: Sides) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        targets = self._places.lookup(sides.targets)
        return given.written_out(sides, targets, self._context_places.lookup(sides.contexts))


def _require_alike(tonight: ModelSettings, last: ModelSettings) -> None:
    if tonight.has_two_vocabularies != last.has_two_vocabularies:
        raise InputError(
            f"this model is of corpus.kind={tonight.kind} and the last blessed one of "
            f"corpus.kind={last.kind}: one alone has a vocabulary of contexts, so they cannot be "
            "held against each other, name another --output"
        )


def _places_in(common: CommonVocabulary) -> tf.lookup.StaticHashTable:
    """The place of each token, int64; -1 of one that is not there."""
    places = tf.range(len(common.tokens), dtype=tf.int64)
    initializer = tf.lookup.KeyValueTensorInitializer(tf.constant(common.tokens), places)
    return tf.lookup.StaticHashTable(initializer, -1)


class _ModelOverCommon(tf.Module):
    """A model's distribution over the common vocabulary."""

    def __init__(
        self,
        model: JudgedModel,
        targets: CommonVocabulary,
        contexts: CommonVocabulary,
        which: int,
    ):
        super().__init__()
        self._targets = model.targets
        self._parameters = model.parameters._replace(
            context_biases=tf.convert_to_tensor(model.parameters.corrected_biases), correction=None
        )
        self._rows = self._context_rows = tf.constant(targets.rows[which])
        if contexts is not targets:
            self._context_rows = tf.constant(contexts.rows[which])
        self._log_classes = tf.constant(np.log(contexts.classes), tf.float32)
        self._log_known = tf.constant(np.log1p(-contexts.unknown(which)), tf.float32)

    def losses(
        self, targets: tf.RaggedTensor, contexts: tf.RaggedTensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Of pairs, `[batch, (pairs)]` places in the common vocabulary each.

        Returns:
          -log p(c|t) of each pair, and whether the model knows both tokens, `[pairs]` each; the
          sketch of the documents, `[batch, target_sample.BUCKETS]`.
        """
        target_rows = tf.gather(self._rows, targets.flat_values)
        context_rows = tf.gather(self._context_rows, contexts.flat_values)
        known = (target_rows >= 0) & (context_rows >= 0)
        target_rows, context_rows, documents = (
            tf.boolean_mask(of_pairs, known)
            for of_pairs in (target_rows, context_rows, targets.value_rowids())
        )
        standing = self._targets(target_rows)
        scores = cross_entropies.scores(self._parameters, target_rows, context_rows)
        found = tf.tensor_scatter_nd_update(
            -tf.gather(self._log_classes, contexts.flat_values),
            tf.cast(tf.where(known), tf.int32),
            standing[:, 0] - scores - self._log_known,
        )
        sketch = self._targets.sketch(standing, target_rows, documents, targets.nrows())
        return found, known, sketch[:, :, 0]
