"""JSON lines: one text of each object, or some of its fields."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from components.text_example_gen import files
from components.text_example_gen.account import ReadingCounts, bad_row, encoded, valid_utf8
from components.text_example_gen.decompressing import BLOCK_BYTES
from components.text_example_gen.lines import LinePart
from components.text_example_gen.rows.whole_lines import MAX_LINE_BYTES, Row, whole_lines


def json_rows(
    parts: Iterable[LinePart],
    name: str,
    columns: Sequence[str],
    optional: Sequence[str],
    counts: ReadingCounts,
) -> Iterator[Row]:
    """Yields some fields of each line's JSON object.

    Args:
      parts: the lines.
      name: the file's, for errors.
      columns: the fields, in the order of the cells.
      optional: which of them, at the end, an object may lack.
      counts: is added to.

    Raises:
      InputError: a line that is not blank is no JSON object with these fields, or is too long.
    """
    for number, line, ends in whole_lines(parts, name, counts):
        is_blank = not line or line.isspace()
        counts.empty_lines += is_blank + ends - 1
        if is_blank:
            continue
        record = _object(line.decode(), name, number, columns[0])
        yield (
            number,
            [
                _field(record, name, number, column)
                for column in columns
                if column in record or column not in optional
            ],
        )


def json_texts(
    parts: Iterable[LinePart], name: str, field: str, counts: ReadingCounts
) -> Iterator[LinePart]:
    """Yields, for each line, the text in the field `field` of its JSON object.

    Raises:
      InputError: a line that is not blank is no JSON object with a string in that field, or is
        longer than 256 MiB.
    """
    held = bytearray()
    number = 1
    for part, ends in parts:
        held += part
        if len(held) > MAX_LINE_BYTES:
            raise bad_row(
                name,
                number,
                f"is longer than {MAX_LINE_BYTES >> 20} MiB;"
                " write one object a line, and a long text as several objects",
            )
        if ends:
            # No name holds a line or its text here, so each is freed as soon as it can be.
            yield from _text_parts(
                _json_text(_taken(held, counts), name, number, field), ends, counts
            )
            number += ends


def _taken(held: bytearray, counts: ReadingCounts) -> str:
    """Returns the line in `held`, "" for one of blanks, and empties `held`."""
    try:
        line = "" if held.isspace() else held.decode()
    except UnicodeDecodeError:
        line = valid_utf8(bytes(held), counts).decode()
    held.clear()
    return line


def _text_parts(text: str, ends: int, counts: ReadingCounts) -> Iterator[LinePart]:
    if len(text) <= BLOCK_BYTES:
        yield encoded(text, counts), ends
        return
    for start in range(0, len(text), BLOCK_BYTES):
        yield encoded(text[start : start + BLOCK_BYTES], counts), 0
    yield b"", ends


def _json_text(line: str, name: str, number: int, field: str) -> str:
    if not line:
        return ""
    text = _field(_object(line, name, number, field), name, number, field)
    if not isinstance(text, str):
        raise bad_row(
            name,
            number,
            f"has no string in the field {field!r} but {json.dumps(text)[:40]};"
            " set corpus.columns to a field of text",
        )
    return text


def _object(line: str, name: str, number: int, field: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", str(error))  # msg: without json's own "line 1"
        raise bad_row(name, number, f"is not JSON ({reason}); mend it") from error
    if not isinstance(record, dict):
        raise bad_row(name, number, f"is JSON but not an object; write it as {{{field!r}: ...}}")
    return record


def _field(record: Mapping[str, Any], name: str, number: int, field: str) -> Any:
    if field not in record:
        names = [key[:40] for key in record]
        known = f"its fields are {files.name_few(names, 8)}" if names else "it has no field"
        raise bad_row(name, number, f"has no field {field!r} ({known}); set corpus.columns")
    return record[field]
