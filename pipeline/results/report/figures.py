"""How figures of a run are called, and written: their units, and which way is better."""

import math
from typing import NamedTuple

from components.embedding_evaluator.metric_list import METRICS, Better, label, metric_of_set
from pipeline.results.records import set_figures
from pipeline.results.report.contents import Result, Tile, decimal, share, whole

_COUNTS = ("pairs", "documents", "tokens", "pairs a second")


class Figure(NamedTuple):
    """A field of summary.json that is a number."""

    name: str
    unit: str
    better: Better | None

    @property
    def label(self) -> str:
        """Its name as words."""
        return label(self.name)

    @property
    def is_count(self) -> bool:
        """Whether it is a whole number."""
        return self.unit in _COUNTS

    @property
    def unit_if_any(self) -> str:
        """The unit, for people: a pure number has none."""
        return "" if self.unit == "1" else self.unit

    def text(self, value: float) -> str:
        """A value as people read it, without the unit."""
        if self.is_count:
            return whole(value)
        return share(value) if self.unit == "share" else decimal(value)


_OF_METRICS = [
    Figure(metric.name, metric.unit, metric.better) for metric in METRICS if metric.shown
]
# Of a summary, beside the metrics.
_OTHERS = (
    Figure("documents", "documents", None),
    Figure("tokens", "tokens", None),
    Figure("vocabulary_size", "tokens", None),
    Figure("pairs_train", "pairs", None),
    Figure("pairs_eval", "pairs", None),
    Figure("train_loss", "nats", None),
    Figure("pairs_per_second", "pairs a second", "higher"),
)
# What the model is, as against its corpus and its machine.
METRIC_NAMES = tuple(figure.name for figure in _OF_METRICS)
ALL = {figure.name: figure for figure in (*_OF_METRICS, *_OTHERS)}


def figures_of(result: Result) -> dict[str, tuple[Figure, float]]:
    """All that a run has, by name: its metrics, those of its intrinsic sets, and what is in ALL."""
    found = {name: (figure, result.get(name)) for name, figure in ALL.items()}
    for name, value in set_figures(result).items():
        metric = metric_of_set(name)
        assert metric is not None
        found[name] = Figure(name, metric.unit, metric.better), value
    return {
        name: (figure, float(value))
        for name, (figure, value) in found.items()
        if isinstance(value, int | float) and math.isfinite(value)
    }


# Those that show how runs went, beside the cross-entropies.
OF_RUNS = (
    *("recall_at_10", "mean_reciprocal_rank", "expected_calibration_error"),
    *("vocabulary_size", "tokens", "pairs_per_second"),
)
_TILES = (
    *("full_softmax_cross_entropy", "perplexity", "recall_at_10", "mean_reciprocal_rank"),
    *("expected_calibration_error", "vocabulary_size"),
)


def tiles(result: Result, last: Result) -> list[Tile]:
    """The figures at the top, beside those of the last blessed run.

    Args:
      result: of the run.
      last: of that one; empty if there is none.
    """
    return [_tile(ALL[name], result, last) for name in _TILES if _number(result, name) is not None]


def _tile(figure: Figure, result: Result, last: Result) -> Tile:
    value, before = float(result[figure.name]), _number(last, figure.name)
    of = f"{figure.label}, {figure.unit}" if figure.unit in ("nats", "tokens") else figure.label
    if before is None:
        return Tile(of, figure.text(value), "")
    note = "as before" if value == before else f"last blessed: {figure.text(before)}"
    return Tile(of, figure.text(value), note)


def _number(result: Result, name: str) -> float | None:
    value = result.get(name)
    return float(value) if isinstance(value, int | float) else None
