"""A corpus that looks like another kind than was said, in files of each format."""

import bz2
import csv
import gzip
import io
import itertools
import json
import operator
from collections.abc import Callable, Mapping

import pyarrow as pa
import pytest
from pyarrow import parquet

from components.text_example_gen.account import Options, ReadingCounts
from components.text_example_gen.reading import read_documents, read_records
from components.text_example_gen.rows import looks

PROSE = [
    b"It was the best of times, it was the worst of times.",
    "“Indeed?” said he, and went on.".encode(),
    b"CHAPTER ONE",
    b"Nobody, as far as we know, was there; they left.",
]
EDGES = [b"%d\t%d" % (nth, nth * 7) for nth in range(60)]
SESSIONS = [b" ".join(b"%d" % (nth * at) for at in range(2 + nth % 5)) for nth in range(60)]
ITEMS = [line.replace(b" ", b" sku-") for line in SESSIONS]


def by_csv(lines: list[str], delimiter: str) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter).writerows([["id", "text"], *enumerate(lines)])
    return written.getvalue().encode()


def by_json(lines: list[str]) -> bytes:
    return "".join(json.dumps({"id": 7, "text": line}) + "\n" for line in lines).encode()


def by_arrow(lines: list[str]) -> bytes:
    written = io.BytesIO()
    parquet.write_table(pa.table({"text": lines}), written, row_group_size=50)
    return written.getvalue()


WRITERS: Mapping[str, Callable[[list[str]], bytes]] = {
    "a.txt": lambda lines: "\n".join(lines).encode(),
    "a.txt.bz2": lambda lines: bz2.compress("\n\n".join(lines).encode("utf-16")),
    "a.csv": lambda lines: by_csv(lines, ","),
    "a.tsv.gz": lambda lines: gzip.compress(by_csv(lines, "\t")),
    "a.jsonl": by_json,
    "a.parquet": by_arrow,
}


def found(lines: list[bytes], kind: str, name: str = "a.txt") -> dict[str, int]:
    counts, options = ReadingCounts(), Options(1000, 0.5, kind)
    data = io.BytesIO(WRITERS[name]([line.decode() for line in lines]))
    read = read_documents if kind == "text" else read_records
    assert len([*read(data, name, options, counts)]) >= len(lines)  # none is taken away
    return {name: n for name, n in counts.by_name().items() if name.startswith("files_like")}


@pytest.mark.parametrize(
    ("lines", "kind", "expected"),
    [
        (PROSE * 20, "text", {}),
        (PROSE * 20, "sessions", {"files_like_text": 1}),
        (EDGES, "text", {"files_like_edges": 1}),
        (EDGES, "sessions", {"files_like_edges": 1}),
        (SESSIONS, "text", {"files_like_sessions": 1}),
        (SESSIONS, "sessions", {}),
        (ITEMS, "sessions", {}),
        (EDGES[:20], "text", {}),  # too few to say
        ([line + b" .5" for line in EDGES], "text", {"files_like_edges": 1}),
        ([*EDGES, *PROSE], "text", {}),
    ],
)
@pytest.mark.parametrize("name", WRITERS)
def test_what_a_file_looks_like(
    lines: list[bytes], kind: str, expected: dict[str, int], name: str
) -> None:
    assert found(lines, kind, name) == expected


def test_of_edges_and_pairs_nothing_is_told() -> None:
    assert found(EDGES, "edges") == found(EDGES, "pairs") == {}


def test_the_first_lines_say_it() -> None:
    assert found([*EDGES * 6, *PROSE * 60], "text") == {"files_like_edges": 1}


def test_lists_of_items_are_sessions_in_any_format() -> None:
    written = io.BytesIO()
    parquet.write_table(pa.table({"text": [[n, n + 1] for n in range(60)]}), written)
    written.seek(0)
    counts, options = ReadingCounts(), Options(1000, 0.5, "sessions")
    assert [*read_records(written, "a.parquet", options, counts)]
    assert counts.files_like_edges == 1


def test_few_long_texts_are_enough_to_hold() -> None:
    # 300 of a megabyte would be much memory: one is looked at, and that is too few to say.
    documents = itertools.repeat(b"a" * (1 << 21), 100)
    assert next(looks.watched(documents, "text", ReadingCounts())) == b"a" * (1 << 21)
    assert operator.length_hint(documents) == 99


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_of_nothing_has_no_looks(name: str) -> None:
    assert found([], "text", name) == found([], "sessions", name) == {}
