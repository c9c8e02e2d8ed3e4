"""Lines as rows: each held whole, as its columns have to be seen together."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from components.text_example_gen.account import ReadingCounts, bad_row, valid_utf8
from components.text_example_gen.lines import LinePart

# A row and where it begins: the number of its line, or of the row in Parquet, from 1.
Row = tuple[int, Sequence[Any]]

# A line of JSON takes several times its size while it is parsed.
MAX_LINE_BYTES = 1 << 28


def whole_lines(
    parts: Iterable[LinePart], name: str, counts: ReadingCounts
) -> Iterator[tuple[int, bytes, int]]:
    """Yields the number of each line, its text as UTF-8, and how many lines end with it.

    Raises:
      InputError: a line is longer than 256 MiB.
    """
    held = bytearray()
    number = 1
    for part, ends in parts:
        if ends and not held:  # nearly always
            yield number, valid_utf8(part, counts), ends
            number += ends
            continue
        held += part
        if len(held) > MAX_LINE_BYTES:
            raise bad_row(name, number, f"is longer than {MAX_LINE_BYTES >> 20} MiB; break it up")
        if ends:
            yield number, valid_utf8(bytes(held), counts), ends
            held.clear()
            number += ends


def blank_separated_rows(
    parts: Iterable[LinePart], name: str, counts: ReadingCounts
) -> Iterator[Row]:
    """Yields what stands between blanks, of each line that is not blank.

    Raises:
      InputError: a line is longer than 256 MiB.
    """
    for number, line, ends in whole_lines(parts, name, counts):
        cells = line.split()
        counts.empty_lines += (not cells) + ends - 1
        if cells:
            yield number, cells
