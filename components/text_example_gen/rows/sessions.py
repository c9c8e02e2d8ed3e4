"""Rows of one session each: its items, in their order."""

from collections.abc import Iterable, Iterator
from typing import Any

from components.text_example_gen.account import Options, ReadingCounts, bad_row, encoded
from components.text_example_gen.rows.ids import as_id
from components.text_example_gen.rows.whole_lines import Row


def sessions_of(
    rows: Iterable[Row], name: str, options: Options, counts: ReadingCounts
) -> Iterator[tuple[int, list[bytes]]]:
    """Yields the number of each session's row and its items, at least one.

    Args:
      rows: of the items themselves, as bytes; or of one cell with all of them: a string of items
        between blanks, or a list of strings or integers. An empty session counts as an empty line.
      name: the file's, for errors.
      options: how to read.
      counts: is added to.

    Raises:
      InputError: a cell is something else, or an item of a list is no id, see as_id.
    """
    for number, cells in rows:
        try:
            items = _items(cells, options, counts)
        except ValueError as problem:
            raise bad_row(name, number, str(problem)) from None
        if items:
            counts.sessions += 1
            yield number, items
        else:
            counts.empty_lines += 1


def _items(cells: Any, options: Options, counts: ReadingCounts) -> list[bytes]:
    if isinstance(cells[0], bytes):
        return list(cells)
    [cell] = cells
    match cell:
        case str():
            return encoded(cell, counts).split()
        case list():
            return [as_id(item, options, counts) for item in cell]
        case None:
            return []
    raise ValueError(
        f"has {str(cell)[:40]} for a session; give its items as a string with blanks between them,"
        " or as a list, or set corpus.columns"
    )
