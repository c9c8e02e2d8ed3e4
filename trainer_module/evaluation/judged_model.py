"""A SavedModel as the Evaluator asks it: its tables in variables, and the sums of its targets."""

import functools
from typing import Any, Self

import tensorflow as tf

from trainer_module import vocabulary
from trainer_module.evaluation import cross_entropies, target_sample
from trainer_module.evaluation.cross_entropies import Parameters
from trainer_module.evaluation.ranks import Visitor
from trainer_module.evaluation.saved_model import ModelSettings, SavedModel
from trainer_module.evaluation.target_sample import DrawnTargets
from trainer_module.evaluation.vocabulary_sums import vocabulary_sums
from trainer_module.vocabulary import Vocabulary


class JudgedModel(tf.Module):
    """A model whose log partitions are the first of its targets' sums."""

    def __init__(
        self,
        settings: ModelSettings,
        vocabulary: Vocabulary,
        contexts: Vocabulary,
        parameters: Parameters,
        targets: DrawnTargets,
        visitor: Visitor | None = None,
    ):
        """Puts it together; the vocabularies of targets and contexts are those of the tables.

        With a visitor, its counter is shown all scores of the targets that are summed.
        """
        super().__init__()
        self.settings = settings
        self.vocabulary, self.contexts = vocabulary, contexts
        self.parameters, self.targets = parameters, targets
        self.visitor = visitor

    def draw(self, max_targets: int) -> None:
        """Draws its targets, if there are more than may be summed."""
        expected = target_sample.expected_occurrences(self.vocabulary, self.settings)
        drawn_with = target_sample.probabilities(expected, max_targets)
        self.targets.draw(self.vocabulary.tokens, drawn_with, seed=self.settings.seed)

    def corrected_scores(self, targets: tf.Tensor, contexts: tf.Tensor) -> tf.Tensor:
        """Estimates of log p(c|t) of pairs, up to a constant of t in a softmax: `[pairs]`."""
        corrected = self.parameters._replace(
            context_biases=tf.convert_to_tensor(self.parameters.corrected_biases), correction=None
        )
        return cross_entropies.scores(corrected, targets, contexts)

    @classmethod
    def of_tables(cls, model: SavedModel) -> Self:
        """One of which nothing but log partitions is asked."""
        settings = model.settings
        target_table, context_weights, context_biases = (
            tf.Variable(table, trainable=False)
            for table in (model.target_table, model.context_weights, model.corrected_biases)
        )
        parameters = Parameters(
            target_table,
            context_weights,
            context_biases,
            correction=None,  # it is in the biases
            softmax=settings.softmax,
            temperature=settings.temperature,
        )
        compute = functools.partial(_log_partitions, parameters)
        targets = DrawnTargets.all_of(len(model.vocabulary.tokens), 1, compute)
        return cls(settings, model.vocabulary, model.contexts, parameters, targets)

    @classmethod
    def of_loaded(cls, loaded: Any) -> Self:
        """One that tf.saved_model.load gave, whose signature uses the same variables.

        Nothing is copied, and what either sums is summed for both.
        """
        settings = ModelSettings.from_json(loaded.settings.numpy())
        parameters = Parameters(
            loaded.target_table,
            loaded.context_weights,
            loaded.context_biases,
            getattr(loaded, "correction", None),
            settings.softmax,
            settings.temperature,
        )
        visitor = Visitor()
        compute = functools.partial(cross_entropies.stacked_sums, parameters, visit=visitor)
        targets = DrawnTargets.of_loaded(loaded.targets, compute)
        known = contexts = vocabulary.read(loaded.vocabulary.asset_path.numpy().decode())
        if settings.has_two_vocabularies:
            contexts = vocabulary.read(loaded.context_vocabulary.asset_path.numpy().decode())
        return cls(settings, known, contexts, parameters, targets, visitor)


def _log_partitions(parameters: Parameters, targets: tf.Tensor) -> tf.Tensor:
    """`[targets, 1]`."""
    inputs = tf.gather(parameters.target_table, targets) / parameters.temperature
    weights = tf.convert_to_tensor(parameters.context_weights)
    [sums] = vocabulary_sums(inputs, weights, [parameters.context_biases], softplus=[False])
    return sums.log_partition[:, tf.newaxis]
