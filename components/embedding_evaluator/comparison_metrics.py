"""Formulas of two models: tonight's beside the last blessed one, on the same documents."""

import math

import numpy as np

from components.embedding_evaluator.totals import Numbers, Totals
from trainer_module import features
from trainer_module.features import COMPARED_OUTPUTS, of_last_blessed

# Standard errors by which the gate must be sure of a model.
SURE = 2.0


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
    return increase(totals) + SURE * _increase_sampling_error(totals)


def sure_increase(totals: Totals) -> float:
    """That less two of the standard errors that it has by documents: what is not by chance."""
    return most_increase(totals) - SURE * _increase_error_by_documents(totals)


def increase_error(totals: Totals) -> float:
    """The standard error of the increase, in nats, by documents, which both models have judged.

    What a sample of the targets adds to it is in it too.
    """
    return math.hypot(_increase_error_by_documents(totals), _increase_sampling_error(totals))


def _increase_error_by_documents(totals: Totals) -> float:
    """The part of which documents there are.

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
    return math.sqrt(max(float(weights @ totals.products @ weights), 0.0))


def _increase_sampling_error(totals: Totals) -> float:
    """The part of a sample of the targets: both models sum the same, so most of it cancels."""
    _, pairs, _, last_pairs = _compared(totals)
    if not (pairs and last_pairs):
        return 0.0
    sketch = totals.sketches[features.COMPARED_SKETCH] / pairs
    last_sketch = totals.sketches[of_last_blessed(features.COMPARED_SKETCH)] / last_pairs
    return sampling_error(sketch - last_sketch, 1)


def sampling_error(sketch: Numbers, pairs: float) -> float:
    """By target_sample.DrawnTargets.sketch of the sum over some pairs, that of their mean."""
    return float(np.linalg.norm(sketch)) / pairs if pairs else 0.0


def _compared(totals: Totals) -> list[float]:
    return [totals.sums[name] for name in COMPARED_OUTPUTS]


def _of_common(output: str, totals: Totals) -> float:
    pairs = num_common_pairs(totals)
    return totals.sums[output] / pairs if pairs else math.nan
