"""Cuts long lines into documents, at blanks.

One pass in constant memory, so a line of 100 MB is read like any other.
"""

import re
from collections.abc import Iterable, Iterator

from components.text_example_gen.account import ReadingCounts, bad_row
from components.text_example_gen.lines import LinePart
from trainer_module.errors import InputError

# What bytes.split() takes for a blank. None of them is part of a longer UTF-8 sequence, so a cut
# at a blank neither splits a character nor changes how invalid bytes are replaced.
BLANKS = b" \t\n\r\x0b\x0c"
_BLANK = re.compile(rb"\s")
_NO_BLANK = re.compile(rb"\S")


def cut_lines(
    parts: Iterable[LinePart], name: str, limit: int, counts: ReadingCounts
) -> Iterator[bytes]:
    """Yields each line without the blanks at its ends, a long one cut at blanks.

    Which documents come out depends on the lines alone, not on the parts they come in.

    Args:
      parts: the lines.
      name: the file's, for errors.
      limit: bytes that a document holds at most, >= 1.
      counts: empty and cut lines are added to it.

    Raises:
      InputError: more than `limit` bytes in a row without a blank.
    """
    held: list[bytes] = []
    size = given = 0
    number = 1
    for part, ends in parts:
        if ends and not held and len(part) <= limit:  # nearly always
            if document := part.strip():
                yield document
            counts.empty_lines += (not document) + ends - 1
            number += ends
            continue
        held.append(part)
        size += len(part)
        if not ends and size <= limit:
            continue
        *documents, rest = cut(b"".join(held), name, number, limit)
        if ends and (rest := rest.rstrip()):
            documents.append(rest)
        yield from documents
        given += len(documents)
        held, size = [rest], len(rest)
        if ends:
            counts.empty_lines += (given == 0) + ends - 1
            counts.cut_lines += given > 1
            held, size, given, number = [], 0, 0, number + ends


def cut(text: bytes, name: str, number: int, limit: int) -> Iterator[bytes]:
    """Yields documents as long as possible, last the rest: `limit` bytes or less.

    Raises:
      InputError: more than `limit` bytes in a row without a blank.
    """
    start = _skip_blanks(text, 0)
    while len(text) - start > limit:
        end = max(text.rfind(blank, start, start + limit + 1) for blank in BLANKS)
        if end < 0:
            raise _cannot_cut(text, start, name, number, limit)
        yield text[start:end].rstrip()
        start = _skip_blanks(text, end)
    yield text[start:]


def _skip_blanks(text: bytes, start: int) -> int:
    found = _NO_BLANK.search(text, start)
    return found.start() if found else len(text)


def _cannot_cut(text: bytes, start: int, name: str, number: int, limit: int) -> InputError:
    found = _BLANK.search(text, start)
    length = (found.start() if found else len(text)) - start
    return bad_row(
        name,
        number,
        f"cannot be cut: at least {length} bytes in a row without a blank, and a document holds"
        f" {limit}; raise corpus.max_document_bytes or break it up",
    )
