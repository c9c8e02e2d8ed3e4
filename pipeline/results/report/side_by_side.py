"""Two runs side by side: figures and which is better, and what differs in what they were given."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import rich.table
from rich.text import Text

from pipeline.results.records import RunRecord
from pipeline.results.report.contents import Table
from pipeline.results.report.figures import ALL, METRIC_NAMES, Figure, figures_of
from pipeline.results.report.sections.lineage import leaves
from pipeline.terminal import shown

Side = Literal["first", "second"]


class FigurePair(NamedTuple):
    """A figure of both runs; None: that run has none."""

    figure: Figure
    first: float | None
    second: float | None
    better: Side | None  # None: neither, or none can tell

    @property
    def name(self) -> str:
        """Of the figure."""
        return self.figure.name

    @property
    def difference(self) -> float | None:
        """Of the second run to the first."""
        if self.first is None or self.second is None:
            return None
        return self.second - self.first


class SideBySide(NamedTuple):
    """What is to be said of two runs."""

    first: RunRecord
    second: RunRecord
    figures: list[FigurePair]
    differing: dict[str, tuple[Any, Any]]  # dotted fields of the configuration, versions, corpus

    @property
    def caution(self) -> str | None:
        """Why cross-entropies and ranks of the two do not tell which is better, if they do not."""
        if _have_the_same_pairs(self.first.result, self.second.result):
            return None
        return (
            "they have other vocabularies or other held-out pairs, so their own cross-entropies "
            "and ranks do not tell which model is better; the gate's common_cross_entropy does, "
            "of a run and the last blessed model before it"
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "runs": [self.first.name, self.second.name],
            "figures": {
                one.name: {
                    "name": one.name,
                    "first": one.first,
                    "second": one.second,
                    "better": one.better,
                    "difference": one.difference,
                }
                for one in self.figures
            },
            "differing": {name: list(pair) for name, pair in self.differing.items()},
            "caution": self.caution,
        }


def side_by_side(first: RunRecord, second: RunRecord) -> SideBySide:
    """Puts two runs that came to figures beside each other."""
    return SideBySide(first, second, list(_figures(first.result, second.result)),
                      dict(_differing(first, second)))  # fmt: skip


def _have_the_same_pairs(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    return all(first.get(name) == second.get(name) for name in ("vocabulary_size", "pairs_eval"))


def _figures(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[FigurePair]:
    of_first, of_second = figures_of(first), figures_of(second)
    can_tell = _have_the_same_pairs(first, second)
    for name in dict.fromkeys([*ALL, *of_first, *of_second]):
        if name not in of_first | of_second:
            continue
        figure, _ = (of_first | of_second)[name]
        one, other = (found[name][1] if name in found else None for found in (of_first, of_second))
        is_told = can_tell or name not in METRIC_NAMES
        yield FigurePair(figure, one, other, _better(figure, one, other) if is_told else None)


def _better(figure: Figure, one: float | None, other: float | None) -> Side | None:
    if figure.better is None or one is None or other is None or one == other:
        return None
    return "second" if (other > one) == (figure.better == "higher") else "first"


def _differing(first: RunRecord, second: RunRecord) -> Iterator[tuple[str, tuple[Any, Any]]]:
    one, other = _described(first), _described(second)
    for name in dict.fromkeys([*one, *other]):
        if one.get(name) != other.get(name):
            yield name, (one.get(name), other.get(name))


def _described(record: RunRecord) -> dict[str, Any]:
    """What a run was given, by dotted names; of older versions there is no configuration."""
    result = record.result
    return {
        "result": record.status,
        "corpus": record.corpus,
        "corpus.date": result.get("corpus", {}).get("date"),
        **dict(leaves(result.get("configuration") or {})),
        **{f"version of {name}": one for name, one in (result.get("versions") or {}).items()},
    }


def figures_table(found: SideBySide) -> Table:
    """The figures, and in which run each is better."""
    rows = []
    for one in found.figures:
        figure = one.figure
        values = ["" if v is None else figure.text(v) for v in (one.first, one.second)]
        change = one.difference
        sign = "+" if change and change > 0 else ""
        changed = "" if change is None else "0" if change == 0 else f"{sign}{figure.text(change)}"
        rows.append((one.name, *values, changed, one.better or ""))
    return Table(("figure", found.first.name, found.second.name, "difference", "better"), rows)


def differing_table(found: SideBySide) -> Table:
    """What they were given, where it differs."""
    rows = [
        (name, *("none" if value is None else str(value) for value in pair))
        for name, pair in found.differing.items()
    ]
    return Table(("given", found.first.name, found.second.name), rows)


def as_rich(table: Table, title: str) -> rich.table.Table:
    """For the terminal; cells are text of strangers, and stay what they are."""
    heads = (rich.table.Column(Text(shown(head)), overflow="fold") for head in table.head)
    drawn = rich.table.Table(*heads, title=title, title_justify="left")
    for row in table.rows:
        drawn.add_row(*(Text(shown(cell)) for cell in row))
    return drawn
