"""What the Evaluator wrote: the figures of the new model, of all pairs and of slices."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import tensorflow_model_analysis as tfma

from components.embedding_evaluator.metric_list import BANDS, BY_NAME, METRICS, SLICES
from components.embedding_evaluator.metrics import CALIBRATION, CALIBRATION_COLUMNS
from components.embedding_evaluator.thresholds import Threshold
from trainer_module.evaluation.calibration import EDGES

Values = dict[str, float]
# By what pairs are sliced by, each band with its figures, the most frequent first.
Slices = Mapping[str, list[dict[str, Any]]]


class Figures(NamedTuple):
    """Of the new model."""

    metrics: Values  # by METRICS
    slices: Slices
    calibration: list[Values]  # bin by bin, the least probable first
    compared: bool  # whether there was a last blessed model to compare with

    @classmethod
    def read(cls, uri: str) -> Self:
        """From the URI of the Evaluator's artifact."""
        specs = tfma.load_eval_result(uri).config.model_specs
        compared = any(spec.is_baseline for spec in specs)
        result = tfma.load_eval_result(uri, model_name=tfma.CANDIDATE_KEY if compared else "")
        found = {key: values[""][""] for key, values in result.slicing_metrics}
        return cls(
            _numbers(found[()]),
            {name: _bands(name, found) for name in SLICES},
            _calibration(found[()]),
            compared,
        )

    def value_of(self, threshold: Threshold) -> float | None:
        """Of its metric, in its slice; None if no pair is in that."""
        if threshold.slice is None:
            return self.metrics[threshold.metric]
        feature, band = threshold.slice
        found = (row for row in self.slices[feature] if row["slice"] == band)
        row = next(found, None)
        if row is None:
            return None
        # What is left out is an error of 0, or a mean over none of the sampled pairs.
        missing = 0.0 if BY_NAME[threshold.metric].is_error else math.nan
        return float(row.get(threshold.metric, missing))

    @property
    def reported(self) -> Values:
        """The metrics that a summary has, in the order of the list, by which TFMA does not go."""
        compared = self.metrics["num_common_pairs"] > 0
        return {
            one.name: self.metrics[one.name]
            for one in METRICS
            if one.written
            and (compared or not one.is_comparison)
            and (self.metrics[one.name] or not one.is_error)
        }


def _numbers(values: Mapping[str, Any]) -> Values:
    return {
        name: float(value["doubleValue"])
        for name, value in values.items()
        if "doubleValue" in value
    }


def _bands(feature: str, found: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """Of bands with pairs the figures that are of slices."""
    rows = []
    for band in BANDS:
        values = _numbers(found.get(((feature, band),), {}))
        if values.get("num_pairs"):
            figures = {
                one.name: values[one.name]
                for one in METRICS
                if one.sliced and one.written and (values[one.name] or not one.is_error)
                if not math.isnan(values[one.name])
            }
            rows.append({"slice": band, "num_pairs": round(values["num_pairs"]), **figures})
    return rows


def _calibration(values: Mapping[str, Any]) -> list[Values]:
    """Of bins with classes: from and to which probability, and metrics.CALIBRATION_COLUMNS."""
    array = values[CALIBRATION]["arrayValue"]
    table = np.array(array["float64Values"], float).reshape(-1, len(CALIBRATION_COLUMNS))
    edges = (0.0, *EDGES, 1.0)
    return [
        {"from": first, "to": end, **dict(zip(CALIBRATION_COLUMNS, row.tolist(), strict=True))}
        for first, end, row in zip(edges[:-1], edges[1:], table, strict=True)
        if not math.isnan(row[0])
    ]
