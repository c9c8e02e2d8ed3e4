"""A threshold that somebody sets on a metric, of all pairs or of a slice.

Light: the configuration is checked with it.
"""

import re
from typing import NamedTuple, Self

from components.embedding_evaluator.metric_list import BANDS, METRICS, SLICES

_PATTERN = re.compile(
    r"(?P<metric>\w+)\s*(?:\[\s*(?P<feature>\w+)\s*=\s*(?P<band>[\w-]+)\s*\])?"
    r"\s*(?P<sign><=|>=)\s*(?P<bound>\S+)"
)
EXAMPLE = "recall_at_10[target_frequency=10001-] >= 0.05"


class Threshold(NamedTuple):
    """What a metric must at least or at most be."""

    metric: str
    slice: tuple[str, str] | None  # one of SLICES and of BANDS; None: of all pairs
    is_least: bool
    bound: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads one.

        >>> Threshold.parse("mean_rank <= 900")
        Threshold(metric='mean_rank', slice=None, is_least=False, bound=900.0)
        >>> str(Threshold.parse("recall_at_10[target_frequency=10001-]>=0.05"))
        'recall_at_10[target_frequency=10001-] >= 0.05'

        Raises:
          ValueError: with what is wrong, and what there is.
        """
        found = _PATTERN.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no threshold: write one as {EXAMPLE!r}")
        _check_metric(text, found["metric"], found["sign"], sliced=bool(found["feature"]))
        if found["feature"]:
            _check_slice(text, found["feature"], found["band"])
        try:
            bound = float(found["bound"])
        except ValueError:
            raise ValueError(f"{text!r}: {found['bound']!r} is no number") from None
        named = (found["feature"], found["band"]) if found["feature"] else None
        return cls(found["metric"], named, found["sign"] == ">=", bound)

    @property
    def name(self) -> str:
        """The metric, with its slice."""
        return self.metric + ("[{}={}]".format(*self.slice) if self.slice else "")

    def __str__(self) -> str:
        """As `parse` reads it."""
        return f"{self.name} {'>=' if self.is_least else '<='} {self.bound:g}"

    def is_met(self, value: float) -> bool:
        """As TFMA decides it: no number meets none."""
        return value >= self.bound if self.is_least else value <= self.bound


def _check_metric(text: str, name: str, sign: str, *, sliced: bool) -> None:
    known = {one.name: one for one in METRICS if one.written and (one.sliced or not sliced)}
    if name not in known:
        of_slices = "a slice has" if sliced else "there are"
        raise ValueError(f"{text!r}: there is no {name}; {of_slices} {', '.join(known)}")
    better = known[name].better
    if better is not None and (better == "higher") is not (sign == ">="):
        raise ValueError(
            f"{text!r}: {name} is better the {better} it is, so a threshold on it has "
            f"{'>=' if better == 'higher' else '<='}"
        )


def _check_slice(text: str, feature: str, band: str) -> None:
    if feature not in SLICES:
        raise ValueError(f"{text!r}: there are no slices {feature}; there are {', '.join(SLICES)}")
    if band not in BANDS:
        raise ValueError(f"{text!r}: there is no {feature} {band}; there are {', '.join(BANDS)}")
