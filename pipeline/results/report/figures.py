"""How figures of a run are called, and written: their units, and which way is better."""

from typing import Any, Literal, NamedTuple

from pipeline.results.report.contents import Result, Tile, Tone, decimal, share, whole

Better = Literal["higher", "lower"]


class Figure(NamedTuple):
    """A field of summary.json that is a number."""

    name: str
    unit: str
    better: Better | None

    @property
    def label(self) -> str:
        """Its name as words."""
        return self.name.replace("_", " ").replace("cross entropy", "cross-entropy")

    @property
    def is_count(self) -> bool:
        """Whether it is a whole number."""
        return self.unit in _COUNTS

    def text(self, value: float) -> str:
        """A value as people read it, without the unit."""
        if self.is_count:
            return whole(value)
        return share(value) if self.unit == "share" else decimal(value)

    def tone(self, difference: float) -> Tone:
        """Whether it is good that a value has grown by so much."""
        if self.better is None or difference == 0:
            return "neutral"
        return "good" if (difference > 0) == (self.better == "higher") else "bad"


_COUNTS = ("pairs", "documents", "tokens", "pairs a second")
_METRICS = (
    Figure("full_softmax_cross_entropy", "nats", "lower"),
    Figure("full_sigmoid_cross_entropy", "nats", "lower"),
    Figure("unigram_cross_entropy", "nats", None),
    Figure("perplexity", "contexts", "lower"),
    Figure("common_cross_entropy", "nats", "lower"),
    Figure("recall_at_1", "share", "higher"),
    Figure("recall_at_10", "share", "higher"),
    Figure("recall_at_100", "share", "higher"),
    Figure("mean_reciprocal_rank", "reciprocal rank", "higher"),
    Figure("mean_rank", "rank", "lower"),
    Figure("mean_log_partition", "nats", None),
    Figure("std_log_partition", "nats", "lower"),
    Figure("expected_calibration_error", "share", "lower"),
)
_OTHERS = (
    Figure("documents", "documents", None),
    Figure("tokens", "tokens", None),
    Figure("vocabulary_size", "tokens", None),
    Figure("pairs_train", "pairs", None),
    Figure("pairs_eval", "pairs", None),
    Figure("train_loss", "nats", None),
    Figure("pairs_per_second", "pairs a second", "higher"),
)
ALL = {figure.name: figure for figure in (*_METRICS, *_OTHERS)}
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
    label = f"{figure.label}, {figure.unit}" if figure.unit in ("nats", "tokens") else figure.label
    if before is None:
        return Tile(label, figure.text(value), "", "neutral")
    difference = value - before
    note = f"{figure.text(before)} in run {last['run']}" if difference else "as before"
    return Tile(label, figure.text(value), note, figure.tone(difference))


def _number(result: Result, name: str) -> float | None:
    value: Any = result.get(name)
    return float(value) if isinstance(value, int | float) else None
