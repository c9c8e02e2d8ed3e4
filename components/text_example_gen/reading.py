"""From the bytes of a file to its documents: take lines, cut, make valid UTF-8.

Generators over bytes. Each makes one pass in constant memory, so a file with one line of 100 MB is
read like any other. Of a .jsonl file, one line is held. Nothing here knows of Beam.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from components.text_example_gen import files
from components.text_example_gen.decoding import split_mark, utf8_blocks
from components.text_example_gen.decompressing import (
    BLOCK_BYTES,
    Readable,
    decompressed,
    in_blocks,
)
from components.text_example_gen.lines import LinePart, line_parts
from trainer_module.errors import InputError

# What bytes.split() takes for a blank. None of them is part of a longer UTF-8 sequence, so a cut
# at a blank neither splits a character nor changes how invalid bytes are replaced.
BLANKS = b" \t\n\r\x0b\x0c"
_BLANK = re.compile(rb"\s")
_NO_BLANK = re.compile(rb"\S")
# A line of JSON is held, and takes several times its size while it is parsed.
_MAX_JSON_BYTES = 1 << 28
_REPLACEMENT = "\ufffd"
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Options:
    """How files are read.

    json_field: the field of a .jsonl line that holds its text.
    max_document_bytes: a longer line becomes several documents; counted as it is in the file.
    """

    json_field: str
    max_document_bytes: int


@dataclass
class ReadingCounts:
    """What was read, so far."""

    files: int = 0
    empty_files: int = 0
    documents: int = 0
    empty_lines: int = 0  # of blanks, or of a .jsonl text of blanks; skipped
    cut_lines: int = 0  # became more than one document
    replaced_characters: int = 0  # U+FFFD put in the place of what is not UTF-8
    bytes: int = 0  # after decompression


def read_documents(
    file: Readable, name: str, options: Options, counts: ReadingCounts
) -> Iterator[bytes]:
    """Yields the documents of a file: UTF-8, not empty, no blanks at either end.

    Args:
      file: the bytes as they are stored, compressed or not.
      name: the path; its ending tells kind and compression, and errors name it.
      options: how to read.
      counts: is added to; complete once the last document was taken.

    Raises:
      InputError: the file is damaged or not text, or a line is not the JSON it should be or
        cannot be cut.
    """
    counts.files += 1
    blocks = in_blocks(decompressed(file, name), BLOCK_BYTES)
    encoding, first = split_mark(next(blocks, b""))
    if not first:
        counts.empty_files += 1
        return
    content = _counted(chain([first], blocks), counts)
    parts = line_parts(utf8_blocks(content, encoding, name))
    if files.is_json_lines(name):
        parts = json_texts(parts, name, options.json_field, counts)
    for document in cut_lines(parts, name, options.max_document_bytes, counts):
        counts.documents += 1
        yield valid_utf8(document, counts)


def _counted(blocks: Iterable[bytes], counts: ReadingCounts) -> Iterator[bytes]:
    for block in blocks:
        counts.bytes += len(block)
        yield block


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
        if len(held) > _MAX_JSON_BYTES:
            raise _too_long(name, number)
        if ends:
            # No name holds a line or its text here, so each is freed as soon as it can be.
            yield from _text_parts(
                _json_text(_taken(held, counts), name, number, field), ends, counts
            )
            number += ends


def _too_long(name: str, number: int) -> InputError:
    return InputError(
        f"{name!r}, line {number}, is longer than {_MAX_JSON_BYTES >> 20} MiB;"
        " write one object a line, and a long text as several objects"
    )


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
        yield _encoded(text, counts), ends
        return
    for start in range(0, len(text), BLOCK_BYTES):
        yield _encoded(text[start : start + BLOCK_BYTES], counts), 0
    yield b"", ends


def _json_text(line: str, name: str, number: int, field: str) -> str:
    if not line:
        return ""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", str(error))  # msg: without json's own "line 1"
        raise InputError(f"{name!r}, line {number}, is not JSON ({reason}); mend it") from error
    if not isinstance(record, dict):
        raise InputError(
            f"{name!r}, line {number}, is JSON but not an object; write it as {{{field!r}: ...}}"
        )
    if field not in record:
        names = [key[:40] for key in record]
        known = f"its fields are {files.name_few(names, 8)}" if names else "it has no field"
        raise InputError(
            f"{name!r}, line {number}, has no field {field!r} ({known}); set corpus.json_field"
        )
    text = record[field]
    if not isinstance(text, str):
        raise InputError(
            f"{name!r}, line {number}: field {field!r} holds {json.dumps(text)[:40]}, not a string;"
            " set corpus.json_field to a field of text"
        )
    return text


def _encoded(text: str, counts: ReadingCounts) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # JSON can spell half of a surrogate pair: "\ud83d"
        text, replaced = _SURROGATES.subn(_REPLACEMENT, text)
        counts.replaced_characters += replaced
        return text.encode()


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
        *documents, rest = _cut(b"".join(held), name, number, limit)
        if ends and (rest := rest.rstrip()):
            documents.append(rest)
        yield from documents
        given += len(documents)
        held, size = [rest], len(rest)
        if ends:
            counts.empty_lines += (given == 0) + ends - 1
            counts.cut_lines += given > 1
            held, size, given, number = [], 0, 0, number + ends


def _cut(text: bytes, name: str, number: int, limit: int) -> Iterator[bytes]:
    """Yields documents as long as possible, last the rest: the first `limit` bytes or less."""
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
    return InputError(
        f"{name!r}, line {number}, cannot be cut: at least {length} bytes in a row without a blank,"
        f" and a document holds {limit}; raise corpus.max_document_bytes or break the line up"
    )


def valid_utf8(text: bytes, counts: ReadingCounts) -> bytes:
    """Returns `text` with U+FFFD, counted, for each sequence of bytes that is not UTF-8."""
    if text.isascii():
        return text
    try:
        text.decode()
    except UnicodeDecodeError:
        replaced = text.decode(errors="replace")
        already = text.count(_REPLACEMENT.encode())
        counts.replaced_characters += replaced.count(_REPLACEMENT) - already
        return replaced.encode()
    return text
