r"""From blocks of a file's content to its lines.

A line ends with "\n", "\r\n" or "\r", as Python's universal newlines have it.
"""

import re
from collections.abc import Iterable, Iterator

# A piece of a line, and how many lines end with it: none where the line goes on, several where
# lines of blanks follow. So a million blank lines are one part.
LinePart = tuple[bytes, int]

_BLANK_LINES = re.compile(rb"\n[ \t\n\x0b\x0c]*\n")


def line_parts(blocks: Iterable[bytes]) -> Iterator[LinePart]:
    """Yields lines without what ends them, a line that spans blocks in several parts.

    What follows the last line end is a line if there is anything.
    """
    part = b""
    for block in _unix_line_ends(blocks):
        start = 0
        for blank in _BLANK_LINES.finditer(block):
            *ended, part = block[start : blank.start()].split(b"\n")
            for text in ended:
                yield text, 1
            yield part, blank.group().count(b"\n")
            start = blank.end()
        *ended, part = block[start:].split(b"\n")
        for text in ended:
            yield text, 1
        if part:
            yield part, 0
    if part:
        yield b"", 1


def _unix_line_ends(blocks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yields blocks in which "\n" alone ends lines."""
    after_cr = False
    for block in filter(None, blocks):
        if after_cr:
            block = block.removeprefix(b"\n")  # the rest of a "\r\n" that the blocks cut
        after_cr = block.endswith(b"\r")
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if block:
            yield block
