"""Pairs by the bands of frequency of their target and of their context: a cell of both a row.

Each pair is in one cell. So a slice, and the whole, is the sum of cells.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow_model_analysis as tfma

from components.embedding_evaluator.metric_list import BAND_ENDS, BANDS, SLICES
from components.embedding_evaluator.totals import TOTALS, Totals

Numbers = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

NUM_CELLS = len(BANDS) ** 2


def bands_of(ids: Ids) -> Ids:
    """The band of each token, 0 the most frequent: `[...]`."""
    return np.searchsorted(BAND_ENDS, ids, side="right")


def cells_of(targets: Ids, contexts: Ids) -> Ids:
    """The cell of each pair, `[pairs]` of NUM_CELLS."""
    return bands_of(targets) * len(BANDS) + bands_of(contexts)


def sums_by(cells: Ids, values: Numbers, num_cells: int = NUM_CELLS) -> Numbers:
    """Sums in double precision: `[pairs]` to `[cells]`, or `[pairs, n]` to `[cells, n]`."""
    if values.ndim == 1:
        return np.bincount(cells, values, num_cells).astype(np.float64)
    columns = [np.bincount(cells, column, num_cells) for column in values.T]
    return np.stack(columns, 1)


class Cells(NamedTuple):
    """Sums of some pairs by cell."""

    found: Mapping[str, Numbers]  # as in Totals.of_pairs, each with NUM_CELLS rows

    def rows(self, which: Iterable[int], model_name: str | None) -> dict[str, Any]:
        """TFMA's rows of some cells, with their bands as features."""
        which = [*which]
        totals = [
            Totals.of_pairs({name: values[cell] for name, values in self.found.items()}).vector
            for cell in which
        ]
        bands = [divmod(cell, len(BANDS)) for cell in which]
        by_slice = zip(SLICES, zip(*bands, strict=True), strict=True)
        features = {
            name: np.array([[BANDS[band].encode()] for band in of_slice], object)
            for name, of_slice in by_slice
        }
        return rows_of(np.stack(totals), model_name) | {tfma.FEATURES_KEY: features}


def rows_of(totals: Numbers, model_name: str | None) -> dict[str, Any]:
    """Rows as TFMA's extractors give them, `[rows, Totals.vector]` as the one prediction.

    Args:
      totals: of each row.
      model_name: TFMA's name of the model, where there are two.
    """
    predictions = {TOTALS: totals}
    return {
        tfma.INPUT_KEY: np.full(len(totals), b"", object),
        tfma.LABELS_KEY: None,  # there are none, but TFMA asks for them
        tfma.PREDICTIONS_KEY: {model_name: predictions} if model_name else predictions,
    }
