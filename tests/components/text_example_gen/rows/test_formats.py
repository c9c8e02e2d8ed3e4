"""Each format, written by the library that people write it with, read by kind."""

import csv
import io
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from components.text_example_gen.account import Options, ReadingCounts
from components.text_example_gen.reading import read_documents
from components.text_example_gen.rows.pairs import Edge, edges_of
from components.text_example_gen.rows.sessions import sessions_of
from components.text_example_gen.rows.tables import rows_of
from tests.components.text_example_gen.reading_bytes import COMPRESS

TEXTS = ['He said "no", and left', "zwölf Ünder\tone tab", "two\n\nparagraphs", "a,b;c", "nan"]
EDGES = [("n1", "n2", 1.0), ("n2", "007", 2.5), ("zwölf", "n1", 65_536.0)]


def texts(data: bytes, name: str, *columns: str) -> tuple[list[str], ReadingCounts]:
    counts = ReadingCounts()
    options = Options(1000, 0.5, columns=columns)
    found = [one.decode() for one in read_documents(io.BytesIO(data), name, options, counts)]
    return found, counts


def edges(data: bytes, name: str, *columns: str, kind: str = "edges") -> list[Edge]:
    counts, options = ReadingCounts(), Options(1000, 0.5, kind, columns)
    return list(edges_of(rows_of(io.BytesIO(data), name, options, counts), name, options, counts))


def sessions(data: bytes, name: str, *columns: str) -> list[list[str]]:
    counts, options = ReadingCounts(), Options(1000, 0.5, "sessions", columns)
    rows = rows_of(io.BytesIO(data), name, options, counts)
    found = [items for _, items in sessions_of(rows, name, options, counts)]
    assert counts.sessions == len(found)
    return [[item.decode() for item in items] for items in found]


def by_csv(rows: Sequence[Sequence[Any]], delimiter: str) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter).writerows(rows)
    return written.getvalue().encode()


def by_pandas(frame: pd.DataFrame, ending: str) -> bytes:
    written = io.BytesIO()
    match ending:
        case ".parquet":
            frame.to_parquet(written)
        case ".jsonl":
            frame.to_json(written, orient="records", lines=True)
        case _:
            frame.to_csv(written, index=False, sep={".csv": ",", ".tsv": "\t"}[ending])
    return written.getvalue()


# Text.


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl"])
def test_texts_of_a_column(ending: str, compression: str) -> None:
    frame = pd.DataFrame({"id": range(5), "text": TEXTS, "body": ["b"] * 5})
    data = COMPRESS[compression](by_pandas(frame, ending))
    assert texts(data, f"a{ending}{compression}")[0] == TEXTS
    assert texts(data, f"a{ending}{compression}", "body")[0] == ["b"] * 5


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())]
)
def test_texts_of_parquet(kind: pa.DataType) -> None:
    column = pa.array(TEXTS).dictionary_encode() if kind.id == 29 else pa.array(TEXTS).cast(kind)
    written = io.BytesIO()
    parquet.write_table(pa.table({"id": range(5), "text": column}), written, row_group_size=2)
    assert texts(written.getvalue(), "a.parquet")[0] == TEXTS


def test_rows_without_text_are_empty_lines() -> None:
    frame = pd.DataFrame({"text": ["a", None, " \t", "b"]})
    for ending in (".csv", ".parquet"):
        found, counts = texts(by_pandas(frame, ending), f"a{ending}")
        assert (found, counts.empty_lines, counts.documents) == (["a", "b"], 2, 2)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_long_text_is_cut_as_a_line_is(ending: str) -> None:
    frame = pd.DataFrame({"text": ["word " * 500]})  # 200 words of 5 bytes in 1000, less a blank
    found, counts = texts(by_pandas(frame, ending), f"a{ending}")
    assert [len(document.split()) for document in found] == [200, 200, 100]
    assert (counts.cut_lines, counts.documents) == (1, 3)


def test_csv_of_another_encoding() -> None:
    data = by_pandas(pd.DataFrame({"text": TEXTS}), ".csv").decode()
    assert texts(data.encode("utf-16"), "a.csv")[0] == TEXTS
    assert texts(data.encode("utf-8-sig"), "a.csv")[0] == TEXTS
    found, counts = texts(b"text\nf\xfcr\n", "a.csv")
    assert (found, counts.replaced_characters) == (["f\ufffdr"], 1)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=6))
def test_every_csv_of_pythons_own_writer_is_read(cells: list[str]) -> None:
    found, _ = texts(by_csv([("text", "n"), *((cell, 1) for cell in cells)], ","), "a.csv")
    expected = [cell.encode().split() for cell in cells]
    assert [one.encode().split() for one in found] == [one for one in expected if one]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_empty_files(ending: str) -> None:
    found, counts = texts(b"", f"a{ending}")
    assert (found, counts.empty_files) == ([], 1)


# Edges and pairs.


@pytest.mark.parametrize("kind", ["edges", "pairs"])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_edges_of_named_columns(ending: str, weighted: bool, kind: str) -> None:
    columns = ("weight", "target", "context") if weighted else ("context", "target")
    values = {"target": 0, "context": 1, "weight": 2}
    frame = pd.DataFrame({name: [edge[values[name]] for edge in EDGES] for name in columns})
    named = ("target", "context", "weight")[: len(columns)]
    expected = [Edge(t.encode(), c.encode(), w if weighted else 1.0) for t, c, w in EDGES]
    data = by_pandas(frame, ending)
    assert edges(data, f"a{ending}", *named, kind=kind) == expected
    assert edges(data, f"a{ending}", kind=kind) == expected  # names that need not be said


@pytest.mark.parametrize(
    ("ending", "delimiter"), [(".csv", ","), (".tsv", "\t"), (".txt", " "), (".txt", "\t")]
)
def test_edges_by_their_place(ending: str, delimiter: str) -> None:
    expected = [Edge(t.encode(), c.encode(), w) for t, c, w in EDGES]
    assert edges(by_csv(EDGES, delimiter), f"a{ending}") == expected
    two = by_csv([edge[:2] for edge in EDGES], delimiter)
    assert edges(two, f"a{ending}") == [edge._replace(weight=1.0) for edge in expected]


def test_ids_may_be_integers() -> None:
    frame = pd.DataFrame({"target": [1, -2], "context": [30, 4]})
    for ending in (".jsonl", ".parquet"):
        assert edges(by_pandas(frame, ending), f"a{ending}") == [
            Edge(b"1", b"30"),
            Edge(b"-2", b"4"),
        ]


def test_weights_may_be_integers_and_decimals() -> None:
    table = pa.table({"target": ["a"], "context": ["b"], "weight": pa.array([3], pa.int8())})
    written = io.BytesIO()
    parquet.write_table(table, written)
    assert edges(written.getvalue(), "a.parquet") == [Edge(b"a", b"b", 3.0)]
    table = table.set_column(2, "weight", table["weight"].cast(pa.decimal128(5, 2)))
    parquet.write_table(table, written := io.BytesIO())
    assert edges(written.getvalue(), "a.parquet") == [Edge(b"a", b"b", 3.0)]


# Sessions.


def test_sessions_of_lines() -> None:
    assert sessions(b"a  b\tc\n\nd\n", "a.txt") == [["a", "b", "c"], ["d"]]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_sessions_of_a_string(ending: str) -> None:
    frame = pd.DataFrame({"user": ["u", "v", "w"], "items": ["a  b\tc", "", "d"]})
    assert sessions(by_pandas(frame, ending), f"a{ending}", "items") == [["a", "b", "c"], ["d"]]


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_sessions_of_lists(ending: str) -> None:
    frame = pd.DataFrame({"text": [["a", "b"], [], ["c"]]})
    assert sessions(by_pandas(frame, ending), f"a{ending}") == [["a", "b"], ["c"]]
    frame = pd.DataFrame({"text": [[1, 2], [3]]})
    assert sessions(by_pandas(frame, ending), f"a{ending}") == [["1", "2"], ["3"]]


# Memory.


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_memory_does_not_grow_with_a_table(ending: str, tmp_path: Path) -> None:
    ids = [f"a-node-by-the-number-{n:015d}" for n in range(200_000)]
    path = tmp_path / f"a{ending}"
    path.write_bytes(by_pandas(pd.DataFrame({"target": ids, "context": ids}), ending))
    options, counts = Options(1000, 0.5, "edges", ("target", "context")), ReadingCounts()
    name = str(path)
    tracemalloc.start()
    with path.open("rb") as file:
        found = sum(
            1 for _ in edges_of(rows_of(file, name, options, counts), name, options, counts)
        )
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == 200_000
    assert counts.bytes > 14 << 20
    assert most < 4 << 20
