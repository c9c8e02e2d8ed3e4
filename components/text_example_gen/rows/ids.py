"""Ids of nodes, items and users: cells that become one token each."""

from typing import Any

from components.text_example_gen.account import Options, ReadingCounts, encoded


def as_id(cell: Any, options: Options, counts: ReadingCounts) -> bytes:
    """Returns an id as UTF-8, without the blanks at its ends.

    Args:
      cell: bytes, which are UTF-8; a string or an integer.
      options: of these, max_document_bytes is the longest id.
      counts: replaced characters are added to it.

    Raises:
      ValueError: with the end of a sentence about its row: it is empty, holds a blank, is too
        long, or is something else.
    """
    if cell is None:  # which Parquet has for what is missing
        cell = b""
    elif isinstance(cell, str):
        cell = encoded(cell, counts)
    elif isinstance(cell, int) and not isinstance(cell, bool):
        cell = b"%d" % cell
    elif not isinstance(cell, bytes):
        raise ValueError(f"has the id {str(cell)[:40]}; write ids as strings or integers")
    # Blanks of ASCII separate tokens, and the two tokens of a given pair.
    words: list[bytes] = cell.split()
    if not words:
        raise ValueError("has an empty id; leave the row out or name what it stands for")
    if len(words) > 1:
        shown = cell[:40].decode(errors="replace")
        raise ValueError(
            f"has an id with a blank, {shown!r}, which would be several tokens;"
            " replace the blank, as by '_'"
        )
    if len(cell) > options.max_document_bytes:
        raise ValueError(
            f"has an id of {len(cell)} bytes, and a document holds {options.max_document_bytes};"
            " raise corpus.max_document_bytes or give shorter ids"
        )
    return words[0]
