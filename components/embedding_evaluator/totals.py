"""What the metrics are taken of: sums over all documents, which add up batch by batch."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

import apache_beam as beam
import numpy as np
import numpy.typing as npt
from tensorflow_model_analysis.metrics import metric_types

from trainer_module import features
from trainer_module.evaluation.target_sample import BUCKETS
from trainer_module.features import (
    COMPARED_OUTPUTS,
    COMPARISON_OUTPUTS,
    EVALUATE_OUTPUTS,
    of_last_blessed,
)

Numbers = npt.NDArray[np.float64]

OUTPUTS = (*EVALUATE_OUTPUTS, *COMPARISON_OUTPUTS, *COMPARED_OUTPUTS)
SKETCHES = (
    *features.SKETCHES.values(),
    features.COMPARED_SKETCH,
    of_last_blessed(features.COMPARED_SKETCH),
)
# The one prediction of a batch: its Totals.vector.
TOTALS = "totals"

_NUM_PRODUCTS = len(COMPARED_OUTPUTS) ** 2
_SIZE = len(OUTPUTS) + _NUM_PRODUCTS + len(SKETCHES) * BUCKETS


class Totals(NamedTuple):
    """What is known of some documents together."""

    sums: Mapping[str, float]  # by OUTPUTS
    # [4, 4]: each product of two of a document's COMPARED_OUTPUTS, summed over the documents.
    products: Numbers
    sketches: Mapping[str, Numbers]  # by SKETCHES, [BUCKETS] each

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
        )

    @classmethod
    def of_vector(cls, vector: Numbers) -> Self:
        """Reads what `vector` wrote."""
        ends = len(OUTPUTS), len(OUTPUTS) + _NUM_PRODUCTS
        sums, products, sketches = np.split(vector, ends)
        return cls(
            dict(zip(OUTPUTS, sums.tolist(), strict=True)),
            products.reshape(len(COMPARED_OUTPUTS), -1),
            dict(zip(SKETCHES, sketches.reshape(len(SKETCHES), -1), strict=True)),
        )

    @property
    def vector(self) -> Numbers:
        """All numbers one behind the other; those of two batches may be added."""
        none = np.zeros(BUCKETS)
        sketches = [self.sketches.get(name, none) for name in SKETCHES]
        return np.concatenate([[*self.sums.values()], self.products.ravel(), *sketches])


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
