"""TFMA metrics over the totals of all documents, and their errors where targets were sampled."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from tensorflow_model_analysis.metrics import metric_types

from components.embedding_evaluator.totals import Numbers, Totals, TotalsCombiner
from trainer_module import features
from trainer_module.features import COMPARED_OUTPUTS, of_last_blessed

# What the gate can compare: by the metric the output of the evaluate signature.
FULL_CROSS_ENTROPIES = {
    "full_softmax_cross_entropy": features.SOFTMAX_CROSS_ENTROPY,
    "full_sigmoid_cross_entropy": features.SIGMOID_CROSS_ENTROPY,
}
COMPARED_METRICS = ("common_cross_entropy", *FULL_CROSS_ENTROPIES)


Formula = Callable[[Totals], float]

# Standard errors by which the gate must be sure of a model.
_SURE = 2.0


def full_softmax_cross_entropy(totals: Totals) -> float:
    """The mean over the pairs, in nats. Scores are taken as estimates of log p(c|t)."""
    return _mean(features.SOFTMAX_CROSS_ENTROPY, totals)


def full_sigmoid_cross_entropy(totals: Totals) -> float:
    """The mean over the pairs, in nats. Scores are taken as estimates of log p(c|t)."""
    return _mean(features.SIGMOID_CROSS_ENTROPY, totals)


def full_softmax_cross_entropy_error(totals: Totals) -> float:
    """Its standard error, in nats, from summing a sample of the targets; 0 where it is exact."""
    return _sampling_error(totals.sketches[features.SOFTMAX_SKETCH], num_pairs(totals))


def full_sigmoid_cross_entropy_error(totals: Totals) -> float:
    """The same of the full sigmoid cross-entropy."""
    return _sampling_error(totals.sketches[features.SIGMOID_SKETCH], num_pairs(totals))


def raw_full_softmax_cross_entropy(totals: Totals) -> float:
    """The mean over the pairs, in nats. Scores are taken as they were trained."""
    return _mean(features.RAW_SOFTMAX_CROSS_ENTROPY, totals)


def raw_full_sigmoid_cross_entropy(totals: Totals) -> float:
    """The mean over the pairs, in nats. Scores are taken as they were trained."""
    return _mean(features.RAW_SIGMOID_CROSS_ENTROPY, totals)


def unigram_cross_entropy(totals: Totals) -> float:
    """The mean over the pairs, in nats, of a model that ignores the target."""
    return _mean(features.UNIGRAM_CROSS_ENTROPY, totals)


def perplexity(totals: Totals) -> float:
    """`exp` of the full softmax cross-entropy."""
    mean = full_softmax_cross_entropy(totals)
    return math.exp(mean) if mean < math.log(np.finfo(np.float64).max) else math.inf


def gain_over_unigram(totals: Totals) -> float:
    """By how many nats the full softmax cross-entropy is below the unigram model's."""
    return unigram_cross_entropy(totals) - full_softmax_cross_entropy(totals)


def least_gain_over_unigram(totals: Totals) -> float:
    """That gain less two standard errors, so that no model passes by the luck of a sample."""
    return gain_over_unigram(totals) - _SURE * full_softmax_cross_entropy_error(totals)


def num_pairs(totals: Totals) -> float:
    """How many pairs were evaluated."""
    return totals.sums[features.NUM_PAIRS]


def common_cross_entropy(totals: Totals) -> float:
    """The mean over the pairs, in nats, that are the same for the last blessed model."""
    return _of_common(features.COMMON_CROSS_ENTROPY, totals)


def common_cross_entropy_of_last_blessed(totals: Totals) -> float:
    """That model's mean over them."""
    return _of_common(of_last_blessed(features.COMMON_CROSS_ENTROPY), totals)


def common_coverage(totals: Totals) -> float:
    """The share of these pairs of which the model knows both tokens."""
    return _of_common(features.COMMON_KNOWN_PAIRS, totals)


def common_coverage_of_last_blessed(totals: Totals) -> float:
    """The share of which the last blessed model does."""
    return _of_common(of_last_blessed(features.COMMON_KNOWN_PAIRS), totals)


def num_common_pairs(totals: Totals) -> float:
    """How many of these pairs there are; 0 without another model."""
    return totals.sums[features.NUM_COMMON_PAIRS]


def compared(totals: Totals) -> float:
    """The compared metric, in nats, over the documents that both models have held out."""
    loss, pairs, _, _ = _compared(totals)
    return loss / pairs if pairs else math.nan


def compared_of_last_blessed(totals: Totals) -> float:
    """The last blessed model's."""
    _, _, loss, pairs = _compared(totals)
    return loss / pairs if pairs else math.nan


def increase(totals: Totals) -> float:
    """By how many nats the compared metric is above the last blessed model's.

    0 where either of them has no pair: there is nothing to hold against the new model then. As no
    number it would withhold every later one.
    """
    loss, pairs, last_loss, last_pairs = _compared(totals)
    return loss / pairs - last_loss / last_pairs if pairs and last_pairs else 0.0


def most_increase(totals: Totals) -> float:
    """That increase and two of the standard errors that it has from a sample of the targets."""
    return increase(totals) + _SURE * _increase_sampling_error(totals)


def increase_error(totals: Totals) -> float:
    """The standard error of the increase, in nats, by documents, which both models have judged.

    What a sample of the targets adds to it is in it too.

    An increase is the difference of two quotients of sums over documents, a / n - b / m. Its error
    is that of the sum of what each document adds to it (the delta method),
    (a_i - A n_i) / n - (b_i - B m_i) / m, with the means A and B. Where the pairs are the same it
    is the root of sum (d_i - delta n_i)^2 over n, where d_i = a_i - b_i and delta is the increase.
    Products of two of a document's four numbers, summed over the documents, are enough for it: the
    square of w . (a_i, n_i, b_i, m_i) is w' P w.
    """
    loss, pairs, last_loss, last_pairs = _compared(totals)
    if not (pairs and last_pairs):
        return 0.0
    weights = np.array([1 / pairs, -loss / pairs**2, -1 / last_pairs, last_loss / last_pairs**2])
    # Rounding can take it below zero where the models are the same.
    by_documents = math.sqrt(max(float(weights @ totals.products @ weights), 0.0))
    return math.hypot(by_documents, _increase_sampling_error(totals))


def _increase_sampling_error(totals: Totals) -> float:
    """The part of a sample of the targets: both models sum the same, so most of it cancels."""
    _, pairs, _, last_pairs = _compared(totals)
    if not (pairs and last_pairs):
        return 0.0
    sketch = totals.sketches[features.COMPARED_SKETCH] / pairs
    last_sketch = totals.sketches[of_last_blessed(features.COMPARED_SKETCH)] / last_pairs
    return _sampling_error(sketch - last_sketch, 1)


def _sampling_error(sketch: Numbers, pairs: float) -> float:
    """By target_sample.DrawnTargets.sketch of the sum over some pairs, that of their mean."""
    return float(np.linalg.norm(sketch)) / pairs if pairs else 0.0


def _compared(totals: Totals) -> list[float]:
    return [totals.sums[name] for name in COMPARED_OUTPUTS]


def _mean(output: str, totals: Totals) -> float:
    return totals.sums[output] / num_pairs(totals) if num_pairs(totals) else math.nan


def _of_common(output: str, totals: Totals) -> float:
    pairs = num_common_pairs(totals)
    return totals.sums[output] / pairs if pairs else math.nan


# Of two models; without another one they are no numbers.
COMPARISONS: dict[str, Formula] = {
    formula.__name__: formula
    for formula in (
        common_cross_entropy,
        common_cross_entropy_of_last_blessed,
        compared,
        compared_of_last_blessed,
        increase,
        most_increase,
        increase_error,
        common_coverage,
        common_coverage_of_last_blessed,
        num_common_pairs,
    )
}
# A metric is a function above and its line here; TFMA reports it under the function's name.
FORMULAS: dict[str, Formula] = {
    formula.__name__: formula
    for formula in (
        full_softmax_cross_entropy,
        full_softmax_cross_entropy_error,
        full_sigmoid_cross_entropy,
        full_sigmoid_cross_entropy_error,
        raw_full_softmax_cross_entropy,
        raw_full_sigmoid_cross_entropy,
        unigram_cross_entropy,
        perplexity,
        gain_over_unigram,
        least_gain_over_unigram,
        num_pairs,
    )
} | COMPARISONS


class TotalsMetric(metric_types.Metric):
    """A formula over the totals; TFMA finds the class by its module and name."""

    def __init__(
        self,
        name: str,
        compared_metric: str = "",
        max_targets: int = 0,
        code_fingerprint: str = "",
    ):
        """Creates the metric.

        Args:
          name: of the formula, one of FORMULAS; TFMA reports the metric under it.
          compared_metric: one of COMPARED_METRICS; is not used here: predictions.py reads it.
          max_targets: how many may be summed over the vocabulary; for predictions.py too.
          code_fingerprint: is not used; it makes TFX's cache key change with the code.
        """
        del compared_metric, max_targets, code_fingerprint
        super().__init__(_computations, name=name, formula=FORMULAS[name])


def _computations(
    name: str,
    formula: Formula,
    model_names: list[str] | None = None,
    **unused: Any,
) -> list[metric_types.MetricComputation | metric_types.DerivedMetricComputation]:
    """Each metric has the same totals to start from, which TFMA computes once."""
    [model_name] = model_names or [""]
    # TFMA keeps to itself what begins with an underscore.
    totals_key = metric_types.MetricKey(name="_totals", model_name=model_name)
    key = metric_types.MetricKey(name=name, model_name=model_name)

    def result(metrics: dict[metric_types.MetricKey, Any]) -> dict[metric_types.MetricKey, float]:
        return {key: formula(Totals.of_vector(metrics[totals_key]))}

    return [
        metric_types.MetricComputation(
            keys=[totals_key], preprocessors=[], combiner=TotalsCombiner(totals_key)
        ),
        metric_types.DerivedMetricComputation(keys=[key], result=result),
    ]
