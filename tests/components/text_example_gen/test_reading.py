import io
import json
import random
import re
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.text_example_gen import account, decoding, lines, reading
from components.text_example_gen.account import Options, ReadingCounts
from components.text_example_gen.rows import cutting, json_lines
from tests.components.text_example_gen.reading_bytes import documents, read, sentence
from trainer_module.errors import InputError

# Lines.


@pytest.mark.parametrize("text", [b"a b\nc", b"a b\nc\n", b"a b\r\nc\r\n", b" a b\t\n\x0cc"])
def test_one_document_a_line(text: bytes) -> None:
    assert documents(text) == [b"a b", b"c"]


def test_other_separators_do_not_end_a_line() -> None:
    line = "a\u2028b\u0085c\x1cd\x0be\x0cf"
    assert documents(line.encode()) == [line.encode()]


def test_byte_order_mark_is_dropped_at_the_start_only() -> None:
    assert documents(b"\xef\xbb\xbfa\n\xef\xbb\xbfb") == [b"a", b"\xef\xbb\xbfb"]


def test_counts_of_a_file() -> None:
    text = b"a b c\n\n  \t\r\nd\n"
    expected = ReadingCounts(files=1, documents=3, empty_lines=2, cut_lines=1, bytes=len(text))
    assert read(text, limit=3) == ([b"a b", b"c", b"d"], expected)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_empty_file(content: bytes) -> None:
    assert read(content) == ([], ReadingCounts(files=1, empty_files=1))


# Cutting.


@pytest.mark.parametrize(
    ("line", "limit", "expected"),
    [
        (b"one two three four", 9, [b"one two", b"three", b"four"]),
        (b"one two three four", 10, [b"one two", b"three four"]),
        (b"one two three four", 18, [b"one two three four"]),
        (b"ab cd      ", 5, [b"ab cd"]),
        (b"      ab cd", 5, [b"ab cd"]),
        (b"ab      cd", 5, [b"ab", b"cd"]),
        (b"abcde fg", 5, [b"abcde", b"fg"]),
        (b"a\tb\x0bc\x0cd\re", 1, [b"a", b"b", b"c", b"d", b"e"]),
        ("é é é".encode(), 5, ["é é".encode(), "é".encode()]),
    ],
)
def test_long_line_is_cut_at_blanks(line: bytes, limit: int, expected: list[bytes]) -> None:
    assert documents(line, limit=limit) == expected


def test_line_without_blank_cannot_be_cut() -> None:
    assert sentence(b"ok\n" + b"x" * 12 + b" y\n", limit=10) == (
        "'a.txt', line 2, cannot be cut: at least 12 bytes in a row without a blank, and a document"
        " holds 10; raise corpus.max_document_bytes or break it up"
    )


def test_endless_line_without_blank_is_given_up_early() -> None:
    blocks = iter([b"x" * 1000] * 1000)
    parts = lines.line_parts(blocks)
    with pytest.raises(InputError, match="at least 5000 bytes"):
        list(cutting.cut_lines(parts, "a.txt", 4500, ReadingCounts()))
    assert len(list(blocks)) == 995


class Endless:
    """A file of one line that is never held as a whole."""

    def __init__(self, megabytes: int) -> None:
        self._left = megabytes * 16

    def read(self, size: int, /) -> bytes:
        self._left -= 1
        return b"sixteen letters " * 4096 if self._left >= 0 else b""


def test_memory_does_not_grow_with_the_line() -> None:
    counts = ReadingCounts()
    options = Options(10_000, 0.05)
    tracemalloc.start()
    for _ in reading.read_documents(Endless(40), "a.txt", options, counts):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counts.bytes == 40 << 20
    assert peak < 4 << 20


PIECES = [b"a", b"bc", b" ", b"\t", b"\n", b"\r", "é".encode(), b"\xe2\x82", b"\xff", b"\xc2\x85"]
some_bytes = st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join)


def in_blocks(data: bytes, seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    while data:
        size = chance.randint(1, 7)
        yield data[:size]
        data = data[size:]


def lines_by_python(data: bytes) -> list[bytes]:
    """The reference: Python's own universal newlines."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="latin-1", newline=None)
    return [line.removesuffix("\n").encode("latin-1") for line in text]


def cut_slowly(line: bytes, limit: int) -> list[bytes]:
    """The reference: fills a document token by token."""
    found: list[tuple[int, int]] = []
    for start, end in (token.span() for token in re.finditer(rb"\S+", line)):
        if found and end - found[-1][0] <= limit:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return [line[start:end] for start, end in found]


@given(some_bytes, st.integers(1, 20), st.integers())
def test_cutting_agrees_with_the_reference(data: bytes, limit: int, seed: int) -> None:
    assume(max(map(len, data.split()), default=0) <= limit)
    by_line = [cut_slowly(line, limit) for line in lines_by_python(data)]
    counts = ReadingCounts()
    parts = lines.line_parts(in_blocks(data, seed))
    cut = list(cutting.cut_lines(parts, "a.txt", limit, counts))
    assert cut == [document for line in by_line for document in line]
    assert b" ".join(cut).split() == data.split()
    assert all(len(document) <= limit for document in cut)
    assert counts.cut_lines == sum(len(line) > 1 for line in by_line)
    assert counts.empty_lines == sum(not line for line in by_line)


@given(some_bytes, some_bytes, st.integers(1, 8), st.integers())
def test_a_token_that_is_too_long_is_never_passed_over(
    before: bytes, after: bytes, limit: int, seed: int
) -> None:
    data = before + b"x" * (limit + 1) + after
    parts = lines.line_parts(in_blocks(data, seed))
    with pytest.raises(InputError, match="cannot be cut"):
        list(cutting.cut_lines(parts, "a.txt", limit, ReadingCounts()))


@given(some_bytes, st.integers(3, 20))
def test_replacing_after_cutting_is_replacing_before(data: bytes, limit: int) -> None:
    assume(max(map(len, data.split()), default=0) <= limit)
    counts = ReadingCounts()
    cut = cutting.cut_lines(lines.line_parts([data]), "a.txt", limit, counts)
    valid = [account.valid_utf8(document, counts) for document in cut]
    whole = data.decode(errors="replace")
    assert b" ".join(valid).split() == whole.encode().split()
    assert counts.replaced_characters == whole.count("\ufffd")


# What is not text.


def test_invalid_utf8_is_replaced_and_counted() -> None:
    text = "un été \ufffd à la mer\n".encode() + "un été à la mer\n".encode("latin-1")
    found, counts = read(text)
    assert [document.decode() for document in found] == [
        "un été \ufffd à la mer",
        "un \ufffdt\ufffd \ufffd la mer",
    ]
    assert counts.replaced_characters == 3


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 40,
        "по-русски, но не в UTF-8\n".encode("koi8-r"),
        b"abc" + b"\x00" * 2,
    ],
)
def test_a_file_that_is_mostly_no_text_is_refused(content: bytes) -> None:
    assert sentence(content, "/b/x.txt").startswith("'/b/x.txt' is not UTF-8 text: ")


def test_the_sentence_for_no_text_says_how_much() -> None:
    assert sentence(b"abc\x00\x00") == (
        "'a.txt' is not UTF-8 text: 40% of its first 5 bytes are control characters or invalid;"
        " leave it out, or convert it (iconv -t UTF-8)"
    )


def test_a_file_of_which_less_than_a_third_is_no_text_is_read() -> None:
    assert documents(b"abcdefg\x00\x01\xff") == [b"abcdefg\x00\x01\xef\xbf\xbd"]


def test_a_character_cut_by_the_end_of_the_block_is_text() -> None:
    decoding.check_is_text("€".encode()[:2], "a.txt")


# JSON lines.


def test_json_lines() -> None:
    text = b'{"text": "one\\ntwo", "id": 1}\r\n\n{"id": 2, "text": "caf\\u00e9 "}\n{"text": " "}'
    found, counts = read(text, "a.jsonl")
    assert found == [b"one\ntwo", "café".encode()]
    assert (counts.documents, counts.empty_lines, counts.bytes) == (2, 2, len(text))


def test_json_text_is_cut_like_a_line() -> None:
    found, counts = read(json.dumps({"text": "ab cd ef"}).encode(), "a.jsonl", limit=5)
    assert found == [b"ab cd", b"ef"]
    assert counts.cut_lines == 1


def test_json_with_invalid_characters() -> None:
    found, counts = read(b'{"text": "a \\ud83d b \xff"}', "a.jsonl")
    assert found == ["a \ufffd b \ufffd".encode()]
    assert counts.replaced_characters == 2


@given(st.lists(st.text(max_size=20), max_size=5), st.integers())
def test_json_keeps_every_token(texts: list[str], seed: int) -> None:
    content = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
    parts = json_lines.json_texts(
        lines.line_parts(in_blocks(content, seed)), "a", "text", ReadingCounts()
    )
    found = list(cutting.cut_lines(parts, "a", 1000, ReadingCounts()))
    stripped = [text.strip(" \t\n\r\x0b\x0c").encode() for text in texts]
    assert found == [text for text in stripped if text]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"no json", "line 2, is not JSON (Expecting value); mend it"),
        (b"[" * 100_000, "line 2, is not JSON ("),
        (b'["a"]', "line 2, is JSON but not an object; write it as {'text': ...}"),
        (
            b'{"body": "a", "title": "b"}',
            "line 2, has no field 'text' (its fields are 'body', 'title'); set corpus.columns",
        ),
        (b'{"%s": 1}' % (b"k" * 99), f"(its fields are '{'k' * 40}'); set corpus.columns"),
        (b"{}", "line 2, has no field 'text' (it has no field); set corpus.columns"),
        (
            b'{"text": ["a", "b"]}',
            'line 2, has no string in the field \'text\' but ["a", "b"];'
            " set corpus.columns to a field of text",
        ),
    ],
)
def test_wrong_json(line: bytes, said: str) -> None:
    assert said in sentence(b'{"text": "right"}\n' + line, "a.jsonl")


def test_a_json_line_that_is_too_long_is_given_up_early() -> None:
    pieces = iter([(b"", 3), *[(bytes(1 << 20), 0)] * 1000])
    with pytest.raises(InputError) as caught:
        list(json_lines.json_texts(pieces, "a.jsonl", "text", ReadingCounts()))
    assert str(caught.value) == (
        "'a.jsonl', line 4, is longer than 256 MiB;"
        " write one object a line, and a long text as several objects"
    )
    assert len(list(pieces)) == 1000 - 257


def test_a_long_json_text_is_cut_as_a_short_one_is() -> None:
    words = [f"wört{i}" for i in range(100_000)]
    content = json.dumps({"text": " ".join(words)}, ensure_ascii=False).encode()
    found, counts = read(content, "a.jsonl", 999)
    assert b" ".join(found) == " ".join(words).encode()
    assert found == cut_slowly(" ".join(words).encode(), 999)
    assert (counts.cut_lines, counts.empty_lines) == (1, 0)
