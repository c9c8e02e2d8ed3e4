"""What the metrics are taken of: sums over documents and pairs, which add up row by row."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

import apache_beam as beam
import numpy as np
import numpy.typing as npt
from tensorflow_model_analysis.metrics import metric_types

from components.embedding_evaluator.metric_list import RANK_METRICS
from trainer_module import features
from trainer_module.evaluation.calibration import NUM_BINS
from trainer_module.evaluation.target_sample import BUCKETS
from trainer_module.features import (
    COMPARED_OUTPUTS,
    COMPARISON_OUTPUTS,
    EVALUATE_OUTPUTS,
    of_last_blessed,
)

Numbers = npt.NDArray[np.float64]

# Of pairs, beside what the evaluate signature gives: log Z of the target, and how far it is from
# the typical one, with its square. Both are weighted as target_sample says, so that means have no
# bias where targets were sampled.
LOG_PARTITION = "log_partition"
LOG_PARTITION_DEVIATION = "log_partition_deviation"
LOG_PARTITION_SQUARE = "log_partition_square"
# Of ranked pairs, how many pairs they stand for; and what the error of a mean over them takes.
RANKED, RANKED_ERROR = "ranked", "ranked_error"
# Pairs of targets whose classes were binned by probability: how many they stand for, and how many
# there are of all targets.
CALIBRATED, CALIBRATED_OF = "calibrated", "calibrated_of"
PAIR_OUTPUTS = (
    *EVALUATE_OUTPUTS,
    *(LOG_PARTITION, LOG_PARTITION_DEVIATION, LOG_PARTITION_SQUARE),
    *(RANKED, RANKED_ERROR, CALIBRATED, CALIBRATED_OF),
)
OUTPUTS = (*PAIR_OUTPUTS, *COMPARISON_OUTPUTS, *COMPARED_OUTPUTS)
# Some numbers each. By RANK_METRICS: the sum of it over ranked pairs, and for its error those of it
# and of its square, weighted as RANKED_ERROR is.
RANK_SUMS, RANK_ERROR_SUMS, RANK_ERROR_SQUARES = "ranks", "rank_error_sums", "rank_error_squares"
# By bin of calibration: pairs whose context is in it; the probability that lies in it, and its
# classes, each summed over the pairs of CALIBRATED.
HITS, MASS, CLASSES = "hits", "mass", "classes"
ARRAYS = {
    **dict.fromkeys((RANK_SUMS, RANK_ERROR_SUMS, RANK_ERROR_SQUARES), len(RANK_METRICS)),
    **dict.fromkeys((HITS, MASS, CLASSES), NUM_BINS),
}
SKETCHES = (
    *features.SKETCHES.values(),
    features.COMPARED_SKETCH,
    of_last_blessed(features.COMPARED_SKETCH),
)
# The one prediction of a batch: its Totals.vector.
TOTALS = "totals"

_NUM_PRODUCTS = len(COMPARED_OUTPUTS) ** 2
_SIZE = len(OUTPUTS) + _NUM_PRODUCTS + len(SKETCHES) * BUCKETS + sum(ARRAYS.values())


class Totals(NamedTuple):
    """What is known of some documents together."""

    sums: Mapping[str, float]  # by OUTPUTS
    # [4, 4]: each product of two of a document's COMPARED_OUTPUTS, summed over the documents.
    products: Numbers
    sketches: Mapping[str, Numbers]  # by SKETCHES, [BUCKETS] each
    arrays: Mapping[str, Numbers]  # by ARRAYS

    @classmethod
    def of_documents(cls, documents: Mapping[str, Numbers]) -> Self:
        """Adds documents up, in double precision: a split has millions of pairs.

        Args:
          documents: by OUTPUTS `[batch]`, by SKETCHES `[batch, BUCKETS]`. What is missing is 0.
        """
        none = np.zeros([])
        compared = np.stack([documents.get(name, none).T for name in COMPARED_OUTPUTS], -1)
        return cls(
            {name: float(documents.get(name, none).sum()) for name in OUTPUTS},
            np.atleast_2d(compared).T @ np.atleast_2d(compared),
            {name: documents[name].sum(0) for name in SKETCHES if name in documents},
            {},
        )

    @classmethod
    def of_pairs(cls, pairs: Mapping[str, Numbers]) -> Self:
        """Takes what is known of some pairs together.

        Args:
          pairs: by PAIR_OUTPUTS a number, by SKETCHES and ARRAYS some. What is missing is 0.
        """
        return cls(
            {name: float(pairs.get(name, 0.0)) for name in OUTPUTS},
            np.zeros([len(COMPARED_OUTPUTS)] * 2),
            {name: pairs[name] for name in SKETCHES if name in pairs},
            {name: pairs[name] for name in ARRAYS if name in pairs},
        )

    @classmethod
    def of_vector(cls, vector: Numbers) -> Self:
        """Reads what `vector` wrote."""
        sizes = (len(OUTPUTS), _NUM_PRODUCTS, len(SKETCHES) * BUCKETS, *ARRAYS.values())
        sums, products, sketches, *arrays = np.split(vector, np.cumsum(sizes)[:-1])
        return cls(
            dict(zip(OUTPUTS, sums.tolist(), strict=True)),
            products.reshape(len(COMPARED_OUTPUTS), -1),
            dict(zip(SKETCHES, sketches.reshape(len(SKETCHES), -1), strict=True)),
            dict(zip(ARRAYS, arrays, strict=True)),
        )

    @property
    def vector(self) -> Numbers:
        """All numbers one behind the other; those of two batches may be added."""
        none = np.zeros(BUCKETS)
        sketches = [self.sketches.get(name, none) for name in SKETCHES]
        arrays = [self.arrays.get(name, np.zeros(size)) for name, size in ARRAYS.items()]
        return np.concatenate([[*self.sums.values()], self.products.ravel(), *sketches, *arrays])


class TotalsCombiner(beam.CombineFn):
    """Adds up what Predict makes of batches."""

    def __init__(self, key: metric_types.MetricKey):
        self._key = key

    def create_accumulator(self) -> Numbers:
        """All zero."""
        return np.zeros(_SIZE)

    def add_input(
        self, accumulator: Numbers, element: metric_types.StandardMetricInputs
    ) -> Numbers:
        """Adds one batch."""
        predictions = element.get_predictions(model_name=self._key.model_name)
        return accumulator + np.ravel(predictions[TOTALS])

    def merge_accumulators(self, accumulators: Iterable[Numbers]) -> Numbers:
        """Adds them up."""
        return np.asarray(sum(accumulators, self.create_accumulator()))

    def extract_output(self, accumulator: Numbers) -> dict[metric_types.MetricKey, Numbers]:
        """The totals."""
        return {self._key: accumulator}
