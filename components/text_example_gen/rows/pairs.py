"""Rows of two ids and maybe a weight: edges of a graph, pairs of a target and a context."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from components.text_example_gen.account import Options, ReadingCounts, bad_row
from components.text_example_gen.rows.ids import as_id
from components.text_example_gen.rows.whole_lines import Row

# The names of columns where none are given.
COLUMNS = ("target", "context", "weight")
# A weight says how often something occurs, and each occurrence is a pair of its own.
MAX_WEIGHT = 65_536


class Edge(NamedTuple):
    """An edge or a pair."""

    target: bytes
    context: bytes
    weight: float = 1.0


def edges_of(
    rows: Iterable[Row], name: str, options: Options, counts: ReadingCounts
) -> Iterator[Edge]:
    """Yields the edge of each row.

    Args:
      rows: of two or three cells.
      name: the file's, for errors.
      options: how to read.
      counts: replaced characters are added to it.

    Raises:
      InputError: a row has another number of columns, an id that is none (see as_id), or a weight
        that is no number above 0 and up to MAX_WEIGHT.
    """
    for number, cells in rows:
        try:
            yield _edge(cells, options, counts)
        except ValueError as problem:
            raise bad_row(name, number, str(problem)) from None


def _edge(cells: Sequence[Any], options: Options, counts: ReadingCounts) -> Edge:
    if len(cells) == 1:
        raise ValueError(
            "has one column; give the two ends of an edge or a pair, and maybe a weight"
        )
    if len(cells) > 3:
        raise ValueError(
            f"has {len(cells)} columns, and an edge or a pair has two, or three with a weight;"
            " set corpus.kind to sessions or text for lines of items or words"
        )
    ends = as_id(cells[0], options, counts), as_id(cells[1], options, counts)
    return Edge(*ends, *map(_weight, cells[2:]))


def _weight(cell: Any) -> float:
    text = cell.decode() if isinstance(cell, bytes) else cell
    # Python reads 1_000 too, and True is a 1.
    if isinstance(text, bool) or "_" in str(text):
        raise _no_number(text)
    try:
        weight = float(text)
    except (TypeError, ValueError):
        raise _no_number(text) from None
    if not math.isfinite(weight) or weight <= 0:
        raise ValueError(
            f"has the weight {str(text)[:40]}; give a number above 0, or leave the row out"
        )
    if weight > MAX_WEIGHT:
        raise ValueError(
            f"has the weight {str(text)[:40]}, above {MAX_WEIGHT:,}; scale all weights down"
        )
    return weight


def _no_number(cell: Any) -> ValueError:
    return ValueError(
        f"has the weight {str(cell)[:40]!r}, which is no number; mend it, or name another"
        " column in corpus.columns"
    )
