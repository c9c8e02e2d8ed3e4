import io
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from trainer_module.evaluation import word2vec_format

TOKENS = ["der", "größe", "日本", "😀"]
VECTORS = np.array([[1, -0.5], [0.1, 3e38], [1e-45, -0.0], [2**24, 1 / 3]], np.float32)


@st.composite
def tables(draw: st.DrawFn):
    """Distinct tokens without ASCII blanks, and any finite vectors."""
    character = st.characters(exclude_categories={"Cs"}, exclude_characters=" \t\n\v\f\r")
    token = st.text(character, min_size=1, max_size=8)
    tokens = draw(st.lists(token, min_size=1, max_size=8, unique=True))
    shape = (len(tokens), draw(st.integers(1, 5)))
    numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
    return tokens, draw(hnp.arrays(np.float32, shape, elements=numbers))


def binary(tokens: list[str], vectors: word2vec_format.Vectors) -> bytes:
    return b"".join(word2vec_format.binary_records(tokens, vectors))


def bits(vectors: word2vec_format.Vectors) -> list[list[int]]:
    """So that 0.0 and -0.0 differ."""
    return np.ascontiguousarray(vectors, np.float32).view(np.uint32).tolist()


class TestTextLines:
    def test_are_a_header_and_a_line_a_token(self):
        vectors = np.array([[1, -0.5], [0.25, 1000]], np.float32)
        assert list(word2vec_format.text_lines(["a", "é"], vectors)) == [
            "2 2\n",
            "a 1 -0.5\n",
            "é 0.25 1000\n",
        ]

    def test_hold_nine_digits_where_fewer_would_lose_some(self):
        # The float32 nearest to 0.1 is 0.100000001490116...
        [_, line] = word2vec_format.text_lines(["a"], np.array([[0.1]], np.float32))
        assert line == "a 0.100000001\n"

    @given(tables())
    def test_give_every_float32_back(self, table):
        tokens, vectors = table
        _, *lines = word2vec_format.text_lines(tokens, vectors)
        rows = [line.removesuffix("\n").split(" ") for line in lines]
        assert [row[0] for row in rows] == tokens
        assert bits(np.array([row[1:] for row in rows]).astype(np.float32)) == bits(vectors)

    def test_as_many_tokens_as_vectors(self):
        with pytest.raises(ValueError, match="argument 2 is longer"):
            list(word2vec_format.text_lines(["a"], np.zeros((2, 1), np.float32)))


class TestBinaryRecords:
    def test_are_a_header_then_token_blank_numbers_and_line_end(self):
        vectors = np.array([[1, -0.5], [0.25, 1000]], np.float32)
        assert binary(["a", "é"], vectors) == (
            b"2 2\n"
            + (b"a " + struct.pack("<2f", 1, -0.5) + b"\n")
            + (b"\xc3\xa9 " + struct.pack("<2f", 0.25, 1000) + b"\n")
        )

    def test_as_many_tokens_as_vectors(self):
        with pytest.raises(ValueError, match="argument 2 is longer"):
            binary(["a"], np.zeros((2, 1), np.float32))


AWKWARD = [
    *['"quo', 'te"d', '""', '"', "'", "it's", '"a"b"', "a,b", "#a", "\\t", "\\"],
    *["NA", "nan", "null", "None", "True", "1e5", "0100", "\u65e5", "\u2028", "\x1b[2J", "\x85"],
]


class TestTheVocabularyIsReadAsItIs:
    """By the calls that its description names, whatever the tokens are."""

    @pytest.mark.parametrize("tokens", [AWKWARD, ["0100", "7", "1e5"], ["nan", "null"]])
    def test_by_pandas(self, tmp_path, tokens):
        path, counts = tmp_path / "vocabulary.tsv", list(range(len(tokens), 0, -1))
        lines = word2vec_format.vocabulary_lines(tokens, counts)
        path.write_bytes("".join(lines).encode())
        read = pandas.read_csv(
            path, sep="\t", quoting=3, keep_default_na=False, dtype={"token": str}
        )
        assert read["token"].tolist() == tokens
        assert read["count"].tolist() == counts

    def test_by_the_projector_of_tensorboard(self):
        # Which takes lines apart at newlines and cells at tabs, and leaves empty lines out.
        text = "".join(word2vec_format.vocabulary_lines(AWKWARD, [1] * len(AWKWARD)))
        header, *lines = [line.split("\t") for line in text.split("\n") if line]
        assert header == ["token", "count"]
        assert [token for token, _ in lines] == AWKWARD


def test_vocabulary_lines():
    assert list(word2vec_format.vocabulary_lines(["the", "größe"], [12, 3])) == [
        "token\tcount\n",
        "the\t12\n",
        "größe\t3\n",
    ]


class TestReadBinary:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(tables())
    # The bytes of these numbers are blanks and line ends.
    @example((["a", "b"], np.frombuffer(b" \n \n\n \n ", "<f4").reshape(2, 1).copy()))
    def test_gives_back_what_was_written(self, tmp_path, table):
        tokens, vectors = table
        path = tmp_path / "vectors.bin"
        path.write_bytes(binary(tokens, vectors))
        found_tokens, found_vectors = word2vec_format.read_binary(path)
        assert found_tokens == tokens
        assert found_vectors.dtype == np.float32
        assert bits(found_vectors) == bits(vectors)

    def test_a_file_cut_anywhere_is_refused(self, tmp_path):
        content = binary(TOKENS, VECTORS)
        path = tmp_path / "vectors.bin"
        for length in range(
            len(content) - 1
        ):  # the last byte is a line end, which gensim leaves out
            path.write_bytes(content[:length])
            with pytest.raises(ValueError, match=r"vectors\.bin"):
                word2vec_format.read_binary(path)

    def test_the_sentence_says_how_much_is_there(self, tmp_path):
        path = tmp_path / "vectors.bin"
        path.write_bytes(binary(TOKENS, VECTORS)[:-2])
        with pytest.raises(ValueError, match=r"vectors\.bin ends after 3 of 4 vectors"):
            word2vec_format.read_binary(path)

    @pytest.mark.parametrize("content", [b"", b"\n", b"3\na", b"two 2\n", b"1 2 3\n", b"\x00\xff"])
    def test_another_format_is_refused(self, tmp_path, content):
        path = tmp_path / "vectors.bin"
        path.write_bytes(content)
        with pytest.raises(ValueError, match="does not begin with the numbers of tokens"):
            word2vec_format.read_binary(path)


class TestGensim:
    @pytest.mark.parametrize("is_binary", [False, True])
    @settings(max_examples=25)
    @given(table=tables())
    @example(table=(TOKENS, VECTORS))
    def test_reads_the_same_tokens_and_bits(self, is_binary, table):
        from gensim.models import KeyedVectors

        tokens, vectors = table
        text = "".join(word2vec_format.text_lines(tokens, vectors)).encode()
        with TemporaryDirectory() as folder:
            path = Path(folder, "vectors")
            path.write_bytes(binary(tokens, vectors) if is_binary else text)
            found = KeyedVectors.load_word2vec_format(str(path), binary=is_binary)
        assert found.index_to_key == tokens
        assert found.vectors.dtype == np.float32
        assert bits(found.vectors) == bits(vectors)


class TestWhatOthersWrote:
    def test_gensims_binary_format_has_no_line_ends(self, tmp_path):
        from gensim.models import KeyedVectors

        theirs = KeyedVectors(2)
        theirs.add_vectors(TOKENS, VECTORS)
        path = tmp_path / "vectors.bin"
        theirs.save_word2vec_format(str(path), binary=True)
        tokens, vectors = word2vec_format.read_binary(path)
        assert tokens == TOKENS
        assert bits(vectors) == bits(VECTORS)

    @pytest.mark.parametrize(
        ("content", "size"),
        [
            (b"2 2\na 1 -0.5\nb 0.25 3\n", 2),
            (b"2 2\na 1 -0.5 \nb 0.25 3 \n", 2),  # word2vec.c's
            (b"a 1 -0.5\nb 0.25 3\n", None),  # GloVe's
            (b"a 1 -0.5\nb 0.25 3", None),
            (b"2 2\na " + struct.pack("<2f", 1, -0.5) + b"\nb " + struct.pack("<2f", 0.25, 3), 2),
            (b"2 2\na " + struct.pack("<2f", 1, -0.5) + b"b " + struct.pack("<2f", 0.25, 3), 2),
        ],
    )
    def test_each_format_is_told_by_its_content(self, content, size):
        found = word2vec_format.rows_of(io.BytesIO(content), "given")
        assert (found.dim, found.size) == (2, size)
        assert [(token, vector().tolist()) for token, vector in found.rows] == [
            (b"a", [1, -0.5]),
            (b"b", [0.25, 3]),
        ]

    def test_a_token_of_gloves_may_hold_blanks(self):
        found = word2vec_format.rows_of(io.BytesIO(b"a 1 2\n. . 3 4\n"), "given")
        assert [token for token, _ in found.rows] == [b"a", b". ."]

    @pytest.mark.parametrize("content", [b"", b"\n", b"a\n", b"a b c\n", b"\x1f\x8b\x08\x00"])
    def test_what_is_none_of_them_is_refused(self, content):
        with pytest.raises(ValueError, match="given is not in word2vec's text or binary format"):
            word2vec_format.rows_of(io.BytesIO(content), "given")

    def test_a_bad_line_is_named(self):
        found = word2vec_format.rows_of(io.BytesIO(b"a 1 2\nb 1\n"), "given")
        with pytest.raises(ValueError, match="given, line 2, has 1 numbers, not 2"):
            list(found.rows)


class TestReadText:
    @given(tables())
    @settings(suppress_health_check=[HealthCheck.too_slow])
    def test_gives_back_what_was_written(self, table):
        tokens, vectors = table
        with TemporaryDirectory() as folder:
            path = Path(folder, "vectors.txt")
            path.write_text("".join(word2vec_format.text_lines(tokens, vectors)), newline="\n")
            found_tokens, found_vectors = word2vec_format.read_text(path)
        assert found_tokens == tokens
        assert bits(found_vectors) == bits(vectors)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"a 1 2\n", "does not begin with the numbers"),
            (b"2 2\na 1 2\n", "has 1 vectors, not 2"),
            (b"1 2\na 1 2\nb 1 2\n", "has more than the 1 vectors"),
            (b"1 2\na 1 b\n", "line 2, holds what is no number"),
            (b"1 2\na 1\n", "line 2, has 1 numbers, not 2"),
        ],
    )
    def test_what_is_not_in_the_format_is_refused(self, tmp_path, content, message):
        path = tmp_path / "vectors.txt"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            word2vec_format.read_text(path)


def test_counts_are_read(tmp_path):
    path = tmp_path / "vocabulary.tsv"
    path.write_text("".join(word2vec_format.vocabulary_lines(TOKENS, [9, 5, 2, 1])))
    assert word2vec_format.read_counts(path) == [9, 5, 2, 1]
    assert word2vec_format.read_tokens(path) == TOKENS
