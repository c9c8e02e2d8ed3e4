"""TFMA metrics over totals, and their errors where targets or pairs were sampled.

A metric is a function here, or in comparison_metrics.py, and its line in metric_list.METRICS.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tensorflow_model_analysis.metrics import metric_types

from components.embedding_evaluator import comparison_metrics
from components.embedding_evaluator.comparison_metrics import SURE, sampling_error
from components.embedding_evaluator.metric_list import METRICS, RANK_METRICS
from components.embedding_evaluator.totals import (
    CALIBRATED,
    CALIBRATED_OF,
    CLASSES,
    HITS,
    LOG_PARTITION,
    LOG_PARTITION_DEVIATION,
    LOG_PARTITION_SQUARE,
    MASS,
    RANK_ERROR_SQUARES,
    RANK_ERROR_SUMS,
    RANK_SUMS,
    RANKED,
    RANKED_ERROR,
    Numbers,
    Totals,
    TotalsCombiner,
)
from trainer_module import features

# What the gate can compare: by the metric the output of the evaluate signature.
FULL_CROSS_ENTROPIES = {
    "full_softmax_cross_entropy": features.SOFTMAX_CROSS_ENTROPY,
    "full_sigmoid_cross_entropy": features.SIGMOID_CROSS_ENTROPY,
}
COMPARED_METRICS = ("common_cross_entropy", *FULL_CROSS_ENTROPIES)
# Not among the others, as it is a table: rows of bins, columns of CALIBRATION_COLUMNS.
CALIBRATION = "calibration"
CALIBRATION_COLUMNS = ("predicted", "observed", "share")

Formula = Callable[[Totals], float]


def full_softmax_cross_entropy(totals: Totals) -> float:
    """The mean over the pairs, in nats. Scores are taken as estimates of log p(c|t)."""
    return _mean(features.SOFTMAX_CROSS_ENTROPY, totals)


def full_sigmoid_cross_entropy(totals: Totals) -> float:
    """The mean over the pairs, in nats. Scores are taken as estimates of log p(c|t)."""
    return _mean(features.SIGMOID_CROSS_ENTROPY, totals)


def full_softmax_cross_entropy_error(totals: Totals) -> float:
    """Its standard error, in nats, from summing a sample of the targets; 0 where it is exact."""
    return sampling_error(totals.sketches[features.SOFTMAX_SKETCH], num_pairs(totals))


def full_sigmoid_cross_entropy_error(totals: Totals) -> float:
    """The same of the full sigmoid cross-entropy."""
    return sampling_error(totals.sketches[features.SIGMOID_SKETCH], num_pairs(totals))


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
    return gain_over_unigram(totals) - SURE * full_softmax_cross_entropy_error(totals)


def num_pairs(totals: Totals) -> float:
    """How many pairs were evaluated."""
    return totals.sums[features.NUM_PAIRS]


def mean_log_partition(totals: Totals) -> float:
    """The mean over the pairs of log Z(t), in nats; 0 of scores that are log p(c|t) already."""
    return _mean(LOG_PARTITION, totals)


def std_log_partition(totals: Totals) -> float:
    """Its standard deviation over the pairs, in nats."""
    mean = _mean(LOG_PARTITION_DEVIATION, totals)
    variance = _mean(LOG_PARTITION_SQUARE, totals) - mean**2
    # Rounding can take it below zero where all targets are alike.
    return math.sqrt(max(variance, 0.0)) if variance == variance else math.nan


def calibration(totals: Totals) -> Numbers:
    """Of each bin of probabilities its CALIBRATION_COLUMNS: `[bins, 3]`, no number if it is empty.

    A pair asks about all classes, each of which has a probability and may be the context. Of those
    in a bin: the mean of their probabilities, the share of them that were the context, and the
    share of all pairs whose context was one of them.
    """
    scale = _scale(totals)
    classes, hits = totals.arrays[CLASSES] * scale, totals.arrays[HITS]
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = [totals.arrays[MASS] * scale / classes, hits / classes, hits / num_pairs(totals)]
    return np.stack(columns, 1)


def expected_calibration_error(totals: Totals) -> float:
    """The sum over bins of how far the share of the pairs in it is from what was predicted.

    0 at best, 2 at worst. That is the expected calibration error of Guo et al. ("On calibration of
    modern neural networks", 2017) over all classes rather than over the most likely one: a bin's
    |observed - predicted|, weighted by the classes in it.
    """
    if not num_pairs(totals):
        return math.nan
    gaps = totals.arrays[HITS] - totals.arrays[MASS] * _scale(totals)
    return float(np.abs(gaps).sum()) / num_pairs(totals)


def _scale(totals: Totals) -> float:
    """What the sampled targets' pairs are multiplied by to stand for all."""
    calibrated = totals.sums[CALIBRATED]
    return totals.sums[CALIBRATED_OF] / calibrated if calibrated else math.nan


def _rank_metric(nth: int) -> Formula:
    """The mean over the ranked pairs."""

    def mean(totals: Totals) -> float:
        ranked = totals.sums[RANKED]
        return float(totals.arrays[RANK_SUMS][nth]) / ranked if ranked else math.nan

    return mean


def _rank_error(nth: int) -> Formula:
    """The standard error of that mean, if each pair was drawn by itself.

    Of a pair that was drawn with the probability p, and so stands for 1 / p of them, the variance
    is estimated by (1 - p) / p^2 times the square of its distance from the mean.
    """

    def error(totals: Totals) -> float:
        ranked = totals.sums[RANKED]
        if not ranked:
            return 0.0
        mean = totals.arrays[RANK_SUMS][nth] / ranked
        variance = (
            totals.arrays[RANK_ERROR_SQUARES][nth]
            - 2 * mean * totals.arrays[RANK_ERROR_SUMS][nth]
            + mean**2 * totals.sums[RANKED_ERROR]
        )
        return math.sqrt(max(float(variance), 0.0)) / ranked

    return error


def _mean(output: str, totals: Totals) -> float:
    return totals.sums[output] / num_pairs(totals) if num_pairs(totals) else math.nan


_RANKS = {name: _rank_metric(nth) for nth, name in enumerate(RANK_METRICS)} | {
    f"{name}_error": _rank_error(nth) for nth, name in enumerate(RANK_METRICS)
}
# In the order of the list.
FORMULAS: dict[str, Formula] = {
    name: _RANKS.get(name) or globals().get(name) or getattr(comparison_metrics, name)
    for name, *_ in METRICS
}
_FORMULAS: dict[str, Callable[[Totals], Any]] = FORMULAS | {CALIBRATION: calibration}


class TotalsMetric(metric_types.Metric):
    """A formula over the totals; TFMA finds the class by its module and name."""

    def __init__(
        self,
        name: str,
        compared_metric: str = "",
        max_targets: int = 0,
        allow_chance: bool = False,
        thresholds: Sequence[str] = (),
        code_fingerprint: str = "",
    ):
        """Creates the metric.

        Args:
          name: of the formula, one of FORMULAS, or CALIBRATION; TFMA reports the metric under it.
          compared_metric: one of COMPARED_METRICS; is not used here: predictions.py reads it.
          max_targets: how many may be summed over the vocabulary; for predictions.py too.
          allow_chance, thresholds: for those who read what the gate asked for.
          code_fingerprint: is not used; it makes TFX's cache key change with the code.
        """
        del compared_metric, max_targets, allow_chance, thresholds, code_fingerprint
        super().__init__(_computations, name=name, formula=_FORMULAS[name])


def _computations(
    name: str,
    formula: Callable[[Totals], Any],
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
