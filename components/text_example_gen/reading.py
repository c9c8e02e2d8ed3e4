"""From the bytes of a file to its documents, by the kind of the corpus.

Generators over bytes. Each makes one pass in memory that does not grow with the file. Nothing here
knows of Beam.
"""

from collections.abc import Iterator

from components.text_example_gen import files
from components.text_example_gen.account import (
    Options,
    ReadingCounts,
    bad_row,
    encoded,
    valid_utf8,
)
from components.text_example_gen.decompressing import Readable
from components.text_example_gen.rows import looks
from components.text_example_gen.rows.cutting import cut, cut_lines
from components.text_example_gen.rows.json_lines import json_texts
from components.text_example_gen.rows.pairs import Edge, edges_of
from components.text_example_gen.rows.records import (
    Record,
    records_of_edges,
    records_of_pairs,
    records_of_sessions,
)
from components.text_example_gen.rows.sessions import sessions_of
from components.text_example_gen.rows.tables import document_column, line_parts_of, rows_of
from components.text_example_gen.rows.whole_lines import Row


def read_documents(
    file: Readable, name: str, options: Options, counts: ReadingCounts
) -> Iterator[bytes]:
    """Yields the documents of a file of text: UTF-8, not empty, no blanks at either end.

    Args:
      file: the bytes as they are stored, compressed or not; of Parquet, it can be sought in.
      name: the path; its ending tells format and compression, and errors name it.
      options: how to read.
      counts: is added to; complete once the last document was taken.

    Raises:
      InputError: the file is damaged or not text, or a line is not what it should be or cannot be
        cut.
    """
    counts.files += 1
    yield from looks.watched(_documents(file, name, options, counts), options.kind, counts)


def _documents(
    file: Readable, name: str, options: Options, counts: ReadingCounts
) -> Iterator[bytes]:
    if files.format_of(name) not in (".txt", ".jsonl"):
        for row in rows_of(file, name, options, counts):
            yield from _cut_cell(row, name, options.max_document_bytes, counts)
        return
    parts = line_parts_of(file, name, counts)
    if files.format_of(name) == ".jsonl":
        parts = json_texts(parts, name, document_column(options), counts)
    for document in cut_lines(parts, name, options.max_document_bytes, counts):
        counts.documents += 1
        yield valid_utf8(document, counts)


def _cut_cell(row: Row, name: str, limit: int, counts: ReadingCounts) -> Iterator[bytes]:
    number, [cell] = row
    if not isinstance(cell, str | None):
        raise bad_row(
            name,
            number,
            f"has no string for a document but {str(cell)[:40]};"
            " set corpus.columns to a column of text",
        )
    text = encoded(cell or "", counts).strip()
    documents = list(cut(text, name, number, limit)) if text else []
    counts.documents += len(documents)
    counts.empty_lines += not documents
    counts.cut_lines += len(documents) > 1
    yield from documents


def read_records(
    file: Readable, name: str, options: Options, counts: ReadingCounts
) -> Iterator[Record | Edge]:
    """Yields the documents of a file of sessions, edges or pairs, behind what decides their split.

    Of edges that walks may take, it yields the edges. For the rest see read_documents.

    Raises:
      InputError: the file is damaged or not text, or a row is not what it should be.
    """
    counts.files += 1
    for record in _records(file, name, options, counts):
        counts.documents += not isinstance(record, Edge)
        yield record


def _records(
    file: Readable, name: str, options: Options, counts: ReadingCounts
) -> Iterator[Record | Edge]:
    rows = rows_of(file, name, options, counts)
    if options.kind == "sessions":
        sessions = looks.watched(sessions_of(rows, name, options, counts), options.kind, counts)
        return records_of_sessions(sessions, name, options, counts)
    edges = edges_of(rows, name, options, counts)
    if options.kind == "edges":
        return records_of_edges(edges, options, counts)
    return records_of_pairs(edges, options, counts)
