"""TFMA metrics over the sums that the model's evaluate signature returns for each document."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types

from trainer_module import features
from trainer_module.features import EVALUATE_OUTPUTS

Sums = Sequence[float]  # in the order of EVALUATE_OUTPUTS, over the documents of a slice
Formula = Callable[[Sums], float]


def full_softmax_cross_entropy(sums: Sums) -> float:
    """The mean over the pairs, in nats. Scores are taken as estimates of log p(c|t)."""
    return _mean(_of(features.SOFTMAX_CROSS_ENTROPY, sums), sums)


def full_sigmoid_cross_entropy(sums: Sums) -> float:
    """The mean over the pairs, in nats. Scores are taken as estimates of log p(c|t)."""
    return _mean(_of(features.SIGMOID_CROSS_ENTROPY, sums), sums)


def raw_full_softmax_cross_entropy(sums: Sums) -> float:
    """The mean over the pairs, in nats. Scores are taken as they were trained."""
    return _mean(_of(features.RAW_SOFTMAX_CROSS_ENTROPY, sums), sums)


def raw_full_sigmoid_cross_entropy(sums: Sums) -> float:
    """The mean over the pairs, in nats. Scores are taken as they were trained."""
    return _mean(_of(features.RAW_SIGMOID_CROSS_ENTROPY, sums), sums)


def unigram_cross_entropy(sums: Sums) -> float:
    """The mean over the pairs, in nats, of a model that ignores the target."""
    return _mean(_of(features.UNIGRAM_CROSS_ENTROPY, sums), sums)


def perplexity(sums: Sums) -> float:
    """`exp` of the full softmax cross-entropy."""
    mean = full_softmax_cross_entropy(sums)
    return math.exp(mean) if mean < math.log(np.finfo(np.float64).max) else math.inf


def gain_over_unigram(sums: Sums) -> float:
    """By how many nats the full softmax cross-entropy is below the unigram model's."""
    return unigram_cross_entropy(sums) - full_softmax_cross_entropy(sums)


def num_pairs(sums: Sums) -> float:
    """How many pairs were evaluated."""
    return _of(features.NUM_PAIRS, sums)


def _of(output: str, sums: Sums) -> float:
    return sums[EVALUATE_OUTPUTS.index(output)]


def _mean(total: float, sums: Sums) -> float:
    return total / num_pairs(sums) if num_pairs(sums) else math.nan


# A metric is a function above and its line here; TFMA reports it under the function's name.
FORMULAS: dict[str, Formula] = {
    formula.__name__: formula
    for formula in (
        full_softmax_cross_entropy,
        full_sigmoid_cross_entropy,
        raw_full_softmax_cross_entropy,
        raw_full_sigmoid_cross_entropy,
        unigram_cross_entropy,
        perplexity,
        gain_over_unigram,
        num_pairs,
    )
}


class SumsCombiner(beam.CombineFn):
    """Adds up the documents' sums and turns them into one metric."""

    def __init__(self, formula: Formula, key: metric_types.MetricKey):
        self._formula = formula
        self._key = key

    def create_accumulator(self) -> tuple[float, ...]:
        """All zero."""
        return (0.0,) * len(EVALUATE_OUTPUTS)

    def add_input(
        self, accumulator: tuple[float, ...], element: metric_types.StandardMetricInputs
    ) -> tuple[float, ...]:
        """Adds one document, in double precision: a split has millions of pairs."""
        predictions = element.get_predictions(model_name=self._key.model_name)
        values = (float(np.sum(predictions[name], dtype=np.float64)) for name in EVALUATE_OUTPUTS)
        return tuple(a + b for a, b in zip(accumulator, values, strict=True))

    def merge_accumulators(self, accumulators: Iterable[tuple[float, ...]]) -> tuple[float, ...]:
        """Adds them up."""
        return tuple(math.fsum(column) for column in zip(*accumulators, strict=True))

    def extract_output(self, accumulator: tuple[float, ...]) -> dict[metric_types.MetricKey, float]:
        """The metric."""
        return {self._key: self._formula(accumulator)}


class SumsMetric(metric_types.Metric):
    """A formula over the sums; TFMA finds the class by its module and name."""

    def __init__(self, name: str, code_fingerprint: str = ""):
        """Creates the metric.

        Args:
          name: of the formula, one of FORMULAS; TFMA reports the metric under it.
          code_fingerprint: is not used; it makes TFX's cache key change with the code.
        """
        del code_fingerprint
        super().__init__(_computations, name=name, formula=FORMULAS[name])


def _computations(
    name: str,
    formula: Formula,
    model_names: list[str] | None = None,
    **unused: Any,
) -> list[metric_types.MetricComputation]:
    keys = [metric_types.MetricKey(name=name, model_name=model) for model in model_names or [""]]
    return [
        metric_types.MetricComputation(
            keys=[key], preprocessors=[], combiner=SumsCombiner(formula, key)
        )
        for key in keys
    ]
