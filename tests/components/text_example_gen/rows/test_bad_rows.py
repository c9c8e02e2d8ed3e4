"""What is wrong with a row is said with its file and its line."""

import io
import itertools
import json
import math
from collections.abc import Sequence

import pyarrow as pa
import pytest
from pyarrow import parquet

from components.text_example_gen import reading
from components.text_example_gen.account import Options, ReadingCounts
from trainer_module.errors import InputError


def sentence(data: bytes, name: str, kind: str, *columns: str, limit: int = 1000) -> str:
    options, counts = Options(limit, 0.5, kind, columns), ReadingCounts()
    read = reading.read_documents if kind == "text" else reading.read_records
    with pytest.raises(InputError) as caught:
        list(read(io.BytesIO(data), name, options, counts))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["edges", "pairs"])
@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["c"], "has one column; give the two ends of an edge or a pair, and maybe a weight"),
        (
            ["c", "d", "1", "e"],
            "has 4 columns, and an edge or a pair has two, or three with a weight; set corpus.kind"
            " to sessions or text for lines of items or words",
        ),
        (["c", "d", "-1"], "has the weight -1; give a number above 0, or leave the row out"),
        (["c", "d", "0"], "has the weight 0; give a number above 0, or leave the row out"),
        (["c", "d", "nan"], "has the weight nan; give a number above 0, or leave the row out"),
        (["c", "d", "inf"], "has the weight inf; give a number above 0, or leave the row out"),
        (["c", "d", "65537"], "has the weight 65537, above 65,536; scale all weights down"),
        (
            ["c", "d", "1_0"],
            "has the weight '1_0', which is no number; mend it, or name another column in"
            " corpus.columns",
        ),
        (["c", "d", "much"], "has the weight 'much', which is no number; mend it, or"),
    ],
)
def test_of_edges_and_pairs(kind: str, cells: list[str], said: str) -> None:
    good = ["a", "b", "1"]
    assert sentence(f"a b\n\n{' '.join(cells)}\n".encode(), "x.txt", kind).startswith(
        f"'x.txt', line 3, {said}"
    )
    for ending, separator in ((".csv", ","), (".tsv", "\t")):
        data = "\n".join(map(separator.join, [good, cells])).encode()
        assert sentence(data, f"x{ending}", kind).startswith(f"'x{ending}', line 2, {said}")


@pytest.mark.parametrize("kind", ["edges", "pairs"])
def test_ids(kind: str) -> None:
    empty = "has an empty id; leave the row out or name what it stands for"
    assert sentence(b"a,b\n,c\n", "x.csv", kind) == f"'x.csv', line 2, {empty}"
    assert sentence(b"a,b\nc, \n", "x.csv", kind) == f"'x.csv', line 2, {empty}"
    assert sentence(b"New York,b\n", "x.csv", kind) == (
        "'x.csv', line 1, has an id with a blank, 'New York', which would be several tokens; "
        "replace the blank, as by '_'"
    )
    assert sentence(b"a\t" + b"b" * 11, "x.tsv", kind, limit=10) == (
        "'x.tsv', line 1, has an id of 11 bytes, and a document holds 10; raise"
        " corpus.max_document_bytes or give shorter ids"
    )


EMPTY = "has an empty id; leave the row out or name what it stands for"
BAD = {
    (None, "c", 1.0): EMPTY,
    ("c", None, 1.0): EMPTY,
    ("c", "d", -0.5): "has the weight -0.5; give a number above 0, or leave the row out",
    ("c", "d", math.nan): "has the weight nan; give a number above 0, or leave the row out",
}
NAMES = ("target", "context", "weight")


def written(rows: Sequence[Sequence[object]], ending: str) -> bytes:
    """Rows of NAMES in a file."""
    match ending:
        case ".parquet":
            return table(**dict(zip(NAMES, zip(*rows, strict=True), strict=True)))
        case ".jsonl":
            return "\n".join(
                json.dumps(dict(zip(NAMES, row, strict=True))) for row in rows
            ).encode()
    separator = {".txt": " ", ".csv": ",", ".tsv": "\t"}[ending]
    lines = [["" if cell is None else str(cell) for cell in row] for row in rows]
    return "\n".join(map(separator.join, lines)).encode()


@pytest.mark.parametrize("kind", ["edges", "pairs"])
@pytest.mark.parametrize(
    ("ending", "row"),
    [
        *itertools.product([".csv", ".tsv", ".jsonl", ".parquet"], BAD),
        *((".txt", row) for row in BAD if None not in row),  # where blanks make no empty cell
    ],
)
def test_by_file_and_row_in_each_format(
    row: tuple[str | None, str | None, float], ending: str, kind: str
) -> None:
    rows = [("a", "b", 1.0), ("b", "a", 2.0), row]
    unit = "row" if ending == ".parquet" else "line"
    expected = f"'x{ending}', {unit} 3, {BAD[row]}"
    assert sentence(written(rows, ending), f"x{ending}", kind) == expected
    if ending in (".csv", ".tsv"):  # whose header may be there or not
        below = written([NAMES, *rows], ending)
        assert sentence(below, f"x{ending}", kind) == expected.replace("3", "4", 1)


@pytest.mark.parametrize("kind", ["edges", "pairs"])
@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("Source,Target,weight", ["a,b,1"]),
        ("user,item", ["ann,tea"]),
        ("user_id,movieId,rating", ["7,9,5"]),
        ("FromNodeId,ToNodeId", ["n1,n2"]),
        ("items,contexts", []),
        ("buyer,tea", ["7,green", "8,black", "9,green"]),  # words, and numbers below one of them
        ("node1,node2", ["1,2", "1,3", "3,1"]),
    ],
)
def test_a_header_that_nobody_named(header: str, rows: list[str], kind: str) -> None:
    lines = "\n".join([header, *rows])
    named = f"name its columns, corpus.columns=[{header}], or drop it"
    for ending, separator in ((".csv", ","), (".tsv", "\t")):
        data = lines.replace(",", separator).encode()
        assert (
            sentence(data, f"x{ending}", kind)
            == f"'x{ending}', line 1, looks like a header; {named}"
        )
    assert sentence(b"\n" + lines.replace(",", " ").encode(), "x.txt", kind) == (
        "'x.txt', line 2, looks like a header; drop it"
    )


@pytest.mark.parametrize(
    "rows",
    [
        ["node1,node2", "node2,node3", "node3,node1", "node4,node1"],  # ids that are named so
        ["u1,5", "u2,6", "u3,7", "u4,7"],
        ["85123A,71053", "22752,21730", "84406,21730", "22752,84406"],  # codes of articles
        ["ann,tea", "bob,milk", "eve,tea", "ann,milk"],
        ["ann,tea", "7,8"],  # too few to tell
        ["ann,bob", "7,ann", "8,ann", "9,eve"],  # some names are numbers
        ["1,2", "2,3", "3,4", "4,5"],
    ],
)
@pytest.mark.parametrize("ending", [".csv", ".txt"])
def test_what_is_no_header_is_a_row(rows: list[str], ending: str) -> None:
    counts, options = ReadingCounts(), Options(1000, 0.001, "pairs")
    data = "\n".join(rows).replace(",", "," if ending == ".csv" else " ").encode()
    found = [
        document
        for _, document in reading.read_records(io.BytesIO(data), f"x{ending}", options, counts)
    ]
    assert found == [row.replace(",", "\t").encode() for row in rows]


def test_columns_that_are_not_there() -> None:
    known = "(it has 'a', 'b'); set corpus.columns"
    assert sentence(b"a,b\n1,2\n", "x.csv", "pairs", "a", "c") == (
        f"'x.csv', line 1, is the header and has no column 'c' {known}"
    )
    assert sentence(b"a,b\n1,2\n", "x.csv", "text") == (
        f"'x.csv', line 1, is the header and has no column 'text' {known}"
    )
    assert sentence(b"a,a\n1,2\n", "x.csv", "sessions", "a") == (
        "'x.csv', line 1, is the header and has more than one column 'a' (it has 'a', 'a');"
        " set corpus.columns"
    )
    assert sentence(b"a;b\n1;2\n", "x.csv", "pairs", "a", "b") == (
        "'x.csv', line 1, is the header and parts its columns by ';'; part them by ','"
    )
    assert sentence(b"a,b\n1,2\n", "x.tsv", "pairs", "a", "b") == (
        "'x.tsv', line 1, is the header and parts its columns by ','; part them by '\\t'"
    )
    # A quoted name may hold the delimiter itself.
    assert sentence(b'"a,b"\n1\n', "x.csv", "text", "a") == (
        "'x.csv', line 1, is the header and has no column 'a' (it has 'a,b'); set corpus.columns"
    )
    assert sentence(b'{"a": 1, "b": 2}', "x.jsonl", "pairs", "a", "c") == (
        "'x.jsonl', line 1, has no field 'c' (its fields are 'a', 'b'); set corpus.columns"
    )
    assert sentence(table(a=[1], b=[2]), "x.parquet", "pairs") == (
        f"'x.parquet' has no column 'target', or several {known}"
    )


def test_rows_that_the_header_does_not_fit() -> None:
    said = sentence(b'text,n\n"a\nb",1\nc, and d,2\n', "x.csv", "text")
    assert said == (
        "'x.csv', line 4, has 3 columns, and the header has 2; mend it, and put quotes around what"
        " holds a separator"
    )


def test_quotes_that_do_not_end() -> None:
    assert sentence(b'text\na\n"b\nc\n', "x.csv", "text") == (
        "'x.csv', line 3, is no row of .csv (unexpected end of data); mend its \"quotes\""
    )
    assert "line 2, is no row of .tsv (" in sentence(b'text\n"b"c\n', "x.tsv", "text")


def table(**columns: object) -> bytes:
    written = io.BytesIO()
    parquet.write_table(pa.table(columns), written, row_group_size=1)
    return written.getvalue()


def test_rows_of_parquet_have_numbers() -> None:
    edges = {"target": ["a", "a", "a"], "context": ["b", "b", None]}
    assert sentence(table(**edges), "x.parquet", "edges") == (
        "'x.parquet', row 3, has an empty id; leave the row out or name what it stands for"
    )
    weights = {"target": [1, 2], "context": [1, 2], "weight": [1.0, float("nan")]}
    assert sentence(table(**weights), "x.parquet", "edges") == (
        "'x.parquet', row 2, has the weight nan; give a number above 0, or leave the row out"
    )
    weights["weight"] = [None, 1.0]
    assert "row 1, has the weight 'None', which is no number" in sentence(
        table(**weights), "x.parquet", "edges"
    )
    floats = {"target": [1.0], "context": ["a"]}
    assert "row 1, has the id 1.0; write ids as" in sentence(table(**floats), "x.parquet", "pairs")
    assert sentence(table(text=["a", "b" * 11]), "x.parquet", "text", limit=10) == (
        "'x.parquet', row 2, cannot be cut: at least 11 bytes in a row without a blank, and a"
        " document holds 10; raise corpus.max_document_bytes or break it up"
    )
    assert sentence(table(text=[1]), "x.parquet", "text") == (
        "'x.parquet', row 1, has no string for a document but 1;"
        " set corpus.columns to a column of text"
    )


def test_what_is_no_parquet() -> None:
    assert sentence(b"a,b\n", "x.parquet", "edges").startswith(
        "'x.parquet' cannot be read as Parquet ("
    )
    whole = table(text=["a" * 100] * 100)
    assert "cannot be read as Parquet" in sentence(whole[:50] + whole[-50:], "x.parquet", "text")
    assert "cannot be read as Parquet (Invalid UTF8" in sentence(
        table(text=[b"\xff"]), "x.parquet", "text"
    )


@pytest.mark.parametrize("weight", [True, "1e999", [1], None])
def test_weights_of_json(weight: object) -> None:
    line = json.dumps({"target": "a", "context": "b", "weight": weight})
    assert "'x.jsonl', line 1, has the weight " in sentence(line.encode(), "x.jsonl", "pairs")


def test_sessions() -> None:
    assert sentence(b'{"text": "a b"}\n{"text": 3}', "x.jsonl", "sessions") == (
        "'x.jsonl', line 2, has 3 for a session; give its items as a string with blanks between"
        " them, or as a list, or set corpus.columns"
    )
    assert sentence(b'{"text": ["a", "b c"]}', "x.jsonl", "sessions").startswith(
        "'x.jsonl', line 1, has an id with a blank, 'b c'"
    )
    assert sentence(b"a\n" + b"c" * 11 + b" d e", "x.txt", "sessions", limit=10).startswith(
        "'x.txt', line 2, cannot be cut: at least 11 bytes in a row without a blank"
    )
