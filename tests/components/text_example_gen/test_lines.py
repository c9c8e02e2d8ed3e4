import io
import random
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.text_example_gen.lines import line_parts
from tests.components.text_example_gen.reading_bytes import documents, read, sentence


def stripped_lines(blocks: Iterable[bytes]) -> list[bytes]:
    """The lines that the parts stand for, without the blanks at their ends."""
    found: list[bytes] = []
    held = b""
    for part, ends in line_parts(blocks):
        held += part
        if ends:
            found += [held.strip(), *[b""] * (ends - 1)]
            held = b""
    assert not held
    return found


def in_blocks(data: bytes, seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    while data:
        size = chance.randint(0, 4)
        yield data[:size]
        data = data[size:]


@pytest.mark.parametrize("seed", [None, *range(20)])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a b\rc d\r", [b"a b", b"c d"]),
        (b"a b\rc d", [b"a b", b"c d"]),
        (b"one\rtwo\nthree\r\nfour", [b"one", b"two", b"three", b"four"]),
        (b"a\r\r\nb", [b"a", b"", b"b"]),
        (b"a\n\rb", [b"a", b"", b"b"]),
        (b"a\r\n\r\nb\r\n", [b"a", b"", b"b"]),
        (b"\n\n", [b"", b""]),
        (b"\r", [b""]),
        (b"a\n \t\n\x0b\x0c\nb", [b"a", b"", b"", b"b"]),
        (b"a\n\n  b\n", [b"a", b"", b"b"]),
        (b"", []),
    ],
)
def test_line_ends(content: bytes, expected: list[bytes], seed: int | None) -> None:
    blocks = [content] if seed is None else in_blocks(content, seed)
    assert stripped_lines(blocks) == expected


PIECES = [b"a", b"bc", b" ", b"\t", b"\x0b", b"\n", b"\r", b"\r\n", b"\n\n\n", "é".encode(), b"\0"]


@given(st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join), st.integers())
def test_lines_are_those_of_python(data: bytes, seed: int) -> None:
    text = io.TextIOWrapper(io.BytesIO(data), encoding="latin-1", newline=None)
    expected = [line.encode("latin-1").strip() for line in text]
    assert stripped_lines([data]) == expected
    assert stripped_lines(in_blocks(data, seed)) == expected


def test_a_million_blank_lines_are_one_part() -> None:
    assert list(line_parts([b"a" + b" \n" * 1_000_000 + b"b"])) == [
        (b"a ", 1_000_000),
        (b"b", 0),
        (b"", 1),
    ]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_line_ends_where_blocks_of_a_file_meet(end: str) -> None:
    # 7 bytes a line and 2**18 bytes a block: a block ends at each place of a line once.
    lines = [f"{i:06}" for i in range(400_000)]
    found, counts = read(end.join(lines).encode())
    assert found == [line.encode() for line in lines]
    assert counts.empty_lines == 0


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_blank_lines_are_counted(name: str, end: bytes) -> None:
    line = {"a.txt": b"one", "a.jsonl": b'{"text": "one"}'}[name]
    content = end * 600_000 + line + (b" " + end) * 600_001 + line + end * 2
    found, counts = read(content, name)
    assert found == [b"one", b"one"]
    assert (counts.documents, counts.empty_lines) == (2, 600_000 + 600_000 + 1)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_errors_name_the_line_after_blank_ones(end: bytes) -> None:
    assert "line 6, is not JSON" in sentence(end + b'{"text": ""}' + end * 4 + b"x", "a.jsonl")
    assert "line 5, cannot be cut" in sentence(
        b"a" + end * 2 + end + b" " + end + b"x" * 9, limit=8
    )


def test_json_lines_of_an_old_mac() -> None:
    content = b'{"text": "one\\rtwo"}\r\r{"text": "three"}\r'
    assert documents(content, "a.jsonl") == [b"one\rtwo", b"three"]
