"""The rows of a file of any format, by the columns that a kind of corpus has."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, cast

from components.text_example_gen import files
from components.text_example_gen.account import Options, ReadingCounts
from components.text_example_gen.decoding import split_mark, utf8_blocks
from components.text_example_gen.decompressing import (
    BLOCK_BYTES,
    Readable,
    decompressed,
    in_blocks,
)
from components.text_example_gen.lines import LinePart, line_parts
from components.text_example_gen.rows import pairs
from components.text_example_gen.rows.delimited import delimited_rows
from components.text_example_gen.rows.headers import refuse_header
from components.text_example_gen.rows.json_lines import json_rows
from components.text_example_gen.rows.parquet import parquet_rows
from components.text_example_gen.rows.whole_lines import Row, blank_separated_rows

# What holds a document, where nothing else is said.
DOCUMENT_COLUMN = "text"


def document_column(options: Options) -> str:
    """The column of a text or a session."""
    return options.columns[0] if options.columns else DOCUMENT_COLUMN


def rows_of(file: Readable, name: str, options: Options, counts: ReadingCounts) -> Iterator[Row]:
    """Yields rows: of texts and sessions one cell, of edges and pairs two or three.

    Args:
      file: the bytes as they are stored; of Parquet, it can be sought in.
      name: the path; its ending tells format and compression.
      options: kind and columns.
      counts: is added to.

    Raises:
      InputError: see the reader of each format.
    """
    of_pairs = options.kind in ("edges", "pairs")
    names = options.columns or (pairs.COLUMNS if of_pairs else (DOCUMENT_COLUMN,))
    optional = pairs.COLUMNS[2:] if of_pairs and not options.columns else ()
    kind_of_file = files.format_of(name)
    if kind_of_file == files.PARQUET:
        return parquet_rows(cast(BinaryIO, file), name, names, optional, counts)
    parts = line_parts_of(file, name, counts)
    if kind_of_file == ".jsonl":
        return json_rows(parts, name, names, optional, counts)
    if kind_of_file == ".txt":
        rows = blank_separated_rows(parts, name, counts)
        return refuse_header(rows, name) if of_pairs else rows
    return delimited_rows(parts, name, names, optional, counts)


def line_parts_of(file: Readable, name: str, counts: ReadingCounts) -> Iterator[LinePart]:
    """Returns the lines of a file, see line_parts.

    Raises:
      InputError: it is damaged or not text.
    """
    blocks = in_blocks(decompressed(file, name), BLOCK_BYTES)
    encoding, first = split_mark(next(blocks, b""))
    if not first:
        counts.empty_files += 1
        return iter(())
    return line_parts(utf8_blocks(_counted(chain([first], blocks), counts), encoding, name))


def _counted(blocks: Iterable[bytes], counts: ReadingCounts) -> Iterator[bytes]:
    for block in blocks:
        counts.bytes += len(block)
        yield block
