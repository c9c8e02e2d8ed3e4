"""Parquet by Arrow: some columns, one piece of a row group at a time."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from components.text_example_gen import files
from components.text_example_gen.account import ReadingCounts
from components.text_example_gen.rows.whole_lines import Row
from trainer_module.errors import InputError

if TYPE_CHECKING:
    import pyarrow

_ROWS_AT_ONCE = 4096


def parquet_rows(
    file: BinaryIO,
    name: str,
    columns: Sequence[str],
    optional: Sequence[str],
    counts: ReadingCounts,
) -> Iterator[Row]:
    """Yields some columns of each row.

    Args:
      file: can be sought in, as the table of contents is at the end.
      name: the file's, for errors.
      columns: names, in the order of the cells.
      optional: which of them, at the end, may be missing.
      counts: is added to.

    Raises:
      InputError: the file is damaged or no Parquet, or a column is missing.
    """
    if not file.read(1):
        counts.empty_files += 1
        return
    file.seek(0)
    number = 1
    for cells in _batches(file, name, columns, optional, counts):
        yield from enumerate(zip(*cells, strict=True), number)
        number += len(cells[0])


def _batches(
    file: BinaryIO,
    name: str,
    columns: Sequence[str],
    optional: Sequence[str],
    counts: ReadingCounts,
) -> Iterator[list[list[Any]]]:
    """Yields the cells of some rows, by column."""
    import pyarrow
    from pyarrow import parquet

    try:
        content = parquet.ParquetFile(file)
        there = content.schema_arrow.names
        chosen = [column for column in columns if column in there or column not in optional]
        if missing := [column for column in chosen if there.count(column) != 1]:
            raise InputError(
                f"{name!r} has no column {missing[0]!r}, or several (it has"
                f" {files.name_few(there, 8)}); set corpus.columns"
            )
        # One group after the other: asked for all at once, Arrow may hold them all.
        for group in range(content.num_row_groups):
            for batch in content.iter_batches(_ROWS_AT_ONCE, row_groups=[group], columns=chosen):
                counts.bytes += batch.nbytes
                yield [_values(batch.column(column)) for column in chosen]
    except (pyarrow.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"{name!r} cannot be read as Parquet ({reason}); fetch or write it again"
        ) from error


def _values(column: "pyarrow.Array") -> list[Any]:
    import pyarrow
    from pyarrow import types

    # Some programs write strings without saying that they are UTF-8.
    if types.is_binary(column.type) or types.is_large_binary(column.type):
        column = column.cast(pyarrow.large_string())
    values: list[Any] = column.to_pylist()
    return values
