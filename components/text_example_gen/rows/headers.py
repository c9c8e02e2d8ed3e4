"""Whether the first row of a table names its columns, where nobody said so."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from components.text_example_gen import files
from components.text_example_gen.account import bad_row
from components.text_example_gen.rows.whole_lines import Row

_MOST_ROWS = 100
# Rows of numbers below words: fewer may be chance.
_FEWEST_ROWS = 3
_WORDS = (
    "target|context|weight|source|destination|src|dst|from|to|node|vertex|edge|user|item|customer|"
    "client|visitor|person|session|product|article|sku|movie|film|book|track|song|artist|query|"
    "document|doc|page|url|word|token|id|key|name"
)
# Such as user, Items, movie_id, movieId and FromNodeId.
_NAME = re.compile(rf"(?:(?:{_WORDS})s?[ _-]?)+", re.IGNORECASE)
# What the other rows must tell: node1, person.
_MAYBE_NAME = re.compile(r"[^\W\d][^\d]+\d?")


def refuse_header(rows: Iterable[Row], name: str) -> Iterator[Row]:
    """Yields the rows, of edges or pairs by the place of their cells.

    Args:
      rows: not blank.
      name: the file's, for errors.

    Raises:
      InputError: the first row looks like a header, which would become a pair.
    """
    rows = iter(rows)
    first = list(islice(rows, _MOST_ROWS))
    if first and is_header([[_text(cell) for cell in cells[:2]] for _, cells in first]):
        number, cells = first[0]
        raise bad_row(name, number, _what_to_do(name, [_text(cell) for cell in cells]))
    yield from chain(first, rows)


def is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first of some rows names the columns of two ids.

    Its cells are names that such columns have; or they are words that no other row has, and below
    one of them stand numbers alone.

    >>> is_header([["user_id", "item"], ["ann", "tea"]]), is_header([["ann", "tea"]])
    (True, False)
    >>> is_header([["person", "tea"], *3 * [["7", "green"]]])
    True
    """
    first, *others = rows
    if len(first) < 2 or first[0] == first[1]:
        return False
    if all(map(_NAME.fullmatch, first)):
        return True
    if len(others) < _FEWEST_ROWS or not all(map(_MAYBE_NAME.fullmatch, first)):
        return False
    if any(cell in first for row in others for cell in row):
        return False
    return any(all(len(row) > at and row[at].isdecimal() for row in others) for at in (0, 1))


def _what_to_do(name: str, cells: Sequence[str]) -> str:
    if files.format_of(name) == ".txt":
        return "looks like a header; drop it"
    named = ",".join(cell[:40] for cell in cells[:3])
    return f"looks like a header; name its columns, corpus.columns=[{named}], or drop it"


def _text(cell: Any) -> str:
    text = cell.decode(errors="replace") if isinstance(cell, bytes) else str(cell)
    return text.strip()
