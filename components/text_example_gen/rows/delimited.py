"""Comma- and tab-separated values, by Python's own csv: quoted fields and all."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from components.text_example_gen import files
from components.text_example_gen.account import ReadingCounts, bad_row
from components.text_example_gen.lines import LinePart
from components.text_example_gen.rows.headers import refuse_header
from components.text_example_gen.rows.whole_lines import Row, whole_lines

# A quote without its partner takes all that follows for one cell; memory ends it here.
_MAX_CELL = 1 << 24
_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def delimited_rows(
    parts: Iterable[LinePart],
    name: str,
    columns: Sequence[str],
    optional: Sequence[str],
    counts: ReadingCounts,
) -> Iterator[Row]:
    """Yields some cells of each row that is not blank.

    Args:
      parts: the lines. A quoted cell may hold line ends.
      name: the file's.
      columns: the cells to yield, by the names in the first row.
      optional: which of them, at the end, may be missing. If there are any, so may the header be:
        where the first row lacks one of the others, it is like all rows, and their cells go by
        their place.
      counts: is added to.

    Raises:
      InputError: a column is missing, a row has another number of cells than the header, what is
        quoted does not end, or a row that is read by places looks like a header.
    """
    rows = _all_rows(_Lines(parts, name, counts), name, counts)
    first, header = next(rows, (1, []))
    names = [cell.strip() for cell in header]
    if optional and not {*columns} - {*optional} <= {*names}:
        yield from refuse_header(chain([(first, header)] if header else [], rows), name)
        return
    columns = [column for column in columns if column in names or column not in optional]
    places = [_place(column, header, name, first) for column in columns if header]
    for number, cells in rows:
        if len(cells) != len(header):
            raise bad_row(
                name,
                number,
                f"has {len(cells)} columns, and the header has {len(header)}; mend it, and put"
                " quotes around what holds a separator",
            )
        yield number, [cells[place] for place in places]


class _Lines:
    """Lines for csv's reader, which takes as many as a row has."""

    def __init__(self, parts: Iterable[LinePart], name: str, counts: ReadingCounts) -> None:
        self.next_number = 1
        self.blank_behind = 0  # the last line
        self._lines = whole_lines(parts, name, counts)

    def __iter__(self) -> Iterator[str]:
        for number, line, ends in self._lines:
            self.next_number, self.blank_behind = number + ends, ends - 1
            yield line.decode() + "\n" * ends


def _all_rows(lines: _Lines, name: str, counts: ReadingCounts) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(_MAX_CELL)
    reader = csv.reader(lines, delimiter=_DELIMITERS[files.format_of(name)], strict=True)
    while True:
        number = lines.next_number
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise bad_row(
                name, number, f'is no row of {files.format_of(name)} ({error}); mend its "quotes"'
            ) from error
        if cells is None:
            return
        counts.empty_lines += (not cells) + lines.blank_behind
        if cells:
            yield number, cells


def _place(column: str, header: Sequence[str], name: str, number: int) -> int:
    places = [place for place, cell in enumerate(header) if cell.strip() == column]
    if len(places) == 1:
        return places[0]
    if len(header) == 1 and (sign := _other_delimiter(header[0], name)):
        problem = (
            f"parts its columns by {sign!r}; part them by {_DELIMITERS[files.format_of(name)]!r}"
        )
    else:
        how = "no column" if not places else "more than one column"
        known = files.name_few([cell[:40] for cell in header], 8)
        problem = f"has {how} {column!r} (it has {known}); set corpus.columns"
    raise bad_row(name, number, f"is the header and {problem}")


def _other_delimiter(cell: str, name: str) -> str | None:
    """A sign in the only cell of a header that may have been meant to part cells."""
    signs = {";", "|", *_DELIMITERS.values()} - {_DELIMITERS[files.format_of(name)]}
    return next((sign for sign in sorted(signs) if sign in cell), None)
