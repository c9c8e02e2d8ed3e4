"""Each file read by the library that it is for."""

from pathlib import Path

import numpy as np
import pandas
import pyarrow.parquet
import pytest
import safetensors
from gensim.models import KeyedVectors
from hypothesis import given
from safetensors.numpy import load_file

from components.embedding_exporter import formats
from tests.components.embedding_exporter.exports import ODD_TOKENS, export_of, tokens, vectors_of
from trainer_module.errors import InputError
from trainer_module.vocabulary import Vocabulary

WORDS = ["the", "größe", "日本"]
VECTORS = [[1, -0.5], [0.25, 1000], [0, 3]]
CONTEXTS = [[0.125, 7], [-1e-30, 2], [1 / 3, 0]]


def names(folder: Path, *files: str) -> list[Path]:
    return [folder / name for name in files]


def tokens_of(path: Path) -> list[str]:
    """As docs/exports.md says."""
    with path.open(encoding="utf-8", newline="\n") as file:
        return [line.rstrip("\n") for line in file]


def write_word2vec(folder: Path, export: formats.Export) -> None:
    files = ("vectors.txt", "vectors.bin", "context_vectors.bin", "vocab.txt", "vocabulary.tsv")
    formats.word2vec(export, *names(folder, *files, "context_vocab.txt"))


class TestWord2vec:
    def test_gensim_reads_vectors_contexts_and_counts(self, tmp_path):
        write_word2vec(tmp_path, export_of(WORDS, VECTORS, contexts=CONTEXTS))
        assert (tmp_path / "vocab.txt").read_text(encoding="utf-8") == "the 9\ngröße 6\n日本 3\n"
        counts = tmp_path / "vocab.txt"
        for name, table, is_binary in (
            ("vectors.bin", VECTORS, True),
            ("vectors.txt", VECTORS, False),
            ("context_vectors.bin", CONTEXTS, True),
        ):
            read = KeyedVectors.load_word2vec_format(
                str(tmp_path / name), fvocab=str(counts), binary=is_binary
            )
            assert read.index_to_key == WORDS
            np.testing.assert_array_equal(read.vectors, np.float32(table))
            assert [read.get_vecattr(word, "count") for word in WORDS] == [9, 6, 3]

    def test_gensim_reads_odd_tokens(self, tmp_path):
        vectors = vectors_of(len(ODD_TOKENS))
        write_word2vec(tmp_path, export_of(ODD_TOKENS, vectors))
        for name in ("vectors.bin", "vectors.txt"):
            is_binary = name.endswith("bin")
            read = KeyedVectors.load_word2vec_format(str(tmp_path / name), binary=is_binary)
            assert read.index_to_key == ODD_TOKENS
            np.testing.assert_array_equal(read.vectors, vectors)

    def test_gensim_finds_counts_of_all_tokens_without_blanks_of_unicode(self, tmp_path):
        odd = [token for token in ODD_TOKENS if len(token.split()) == 1 and token == token.strip()]
        assert len(odd) == len(ODD_TOKENS) - 4
        write_word2vec(tmp_path, export_of(odd, vectors_of(len(odd))))
        read = KeyedVectors.load_word2vec_format(
            str(tmp_path / "vectors.bin"), fvocab=str(tmp_path / "vocab.txt"), binary=True
        )
        assert [read.get_vecattr(token, "count") for token in odd] == [
            3 * (len(odd) - row) for row in range(len(odd))
        ]


class TestParquet:
    def test_pandas_reads_it(self, tmp_path):
        formats.parquet(export_of(ODD_TOKENS, vectors_of(len(ODD_TOKENS))), tmp_path / "v.parquet")
        read = pandas.read_parquet(tmp_path / "v.parquet")
        assert list(read.columns) == ["token", "count", "vector"]
        assert read["token"].tolist() == ODD_TOKENS
        assert read["count"].tolist() == [3 * n for n in range(len(ODD_TOKENS), 0, -1)]
        np.testing.assert_array_equal(np.stack(read["vector"]), vectors_of(len(ODD_TOKENS)))

    def test_arrow_reads_lists_of_one_length(self, tmp_path):
        formats.parquet(export_of(WORDS, VECTORS), tmp_path / "v.parquet")
        read = pyarrow.parquet.read_table(tmp_path / "v.parquet")
        assert str(read.schema.field("vector").type) == "fixed_size_list<element: float>[2]"
        assert read["vector"].to_pylist() == VECTORS
        assert read.schema.metadata[b"space_id"] == b"0123456789ab"

    def test_others_find_an_ordinary_list(self, tmp_path):
        formats.parquet(export_of(WORDS, VECTORS), tmp_path / "v.parquet")
        columns = pyarrow.parquet.ParquetFile(tmp_path / "v.parquet").schema
        assert [
            (
                columns.column(n).path,
                columns.column(n).physical_type,
                columns.column(n).logical_type.type,
            )
            for n in range(3)
        ] == [
            ("token", "BYTE_ARRAY", "STRING"),
            ("count", "INT64", "NONE"),
            ("vector.list.element", "FLOAT", "NONE"),
        ]

    def test_row_groups_join(self, tmp_path, monkeypatch):
        monkeypatch.setattr(formats, "_ROWS_AT_ONCE", 2)
        formats.parquet(export_of(list("abcde"), vectors_of(5)), tmp_path / "v.parquet")
        assert pyarrow.parquet.ParquetFile(tmp_path / "v.parquet").num_row_groups == 3
        read = pandas.read_parquet(tmp_path / "v.parquet")
        assert read["token"].tolist() == list("abcde")
        np.testing.assert_array_equal(np.stack(read["vector"]), vectors_of(5))


class TestContextsOfTheirOwn:
    ITEMS = Vocabulary([b"red", "größe".encode()], np.array([8, 1]))

    def export(self) -> formats.Export:
        given = export_of(WORDS, VECTORS, contexts=[[1.0, 2.0], [3.0, 4.0]])
        model = given.model._replace(
            own_contexts=self.ITEMS, context_biases=np.zeros(2, np.float32), correction=None
        )
        return given._replace(model=model)

    def test_gensim_reads_their_vectors_and_counts(self, tmp_path):
        write_word2vec(tmp_path, self.export())
        read = KeyedVectors.load_word2vec_format(
            str(tmp_path / "context_vectors.bin"),
            fvocab=str(tmp_path / "context_vocab.txt"),
            binary=True,
        )
        assert read.index_to_key == ["red", "größe"]
        assert read.vectors.tolist() == [[1, 2], [3, 4]]
        assert [read.get_vecattr(item, "count") for item in read.index_to_key] == [8, 1]
        assert (tmp_path / "vocab.txt").read_text(encoding="utf-8") == "the 9\ngröße 6\n日本 3\n"

    def test_safetensors_have_their_tokens_beside(self, tmp_path):
        path, *tokens = names(tmp_path, "v.safetensors", "tokens.txt", "context_tokens.txt")
        formats.safetensors(self.export(), path, *tokens)
        assert load_file(path)["context_vectors"].tolist() == [[1, 2], [3, 4]]
        assert [tokens_of(file) for file in tokens] == [WORDS, ["red", "größe"]]


class TestSafetensors:
    def write(self, folder: Path, export: formats.Export) -> tuple[Path, Path]:
        path, tokens = names(folder, "vectors.safetensors", "tokens.txt")
        formats.safetensors(export, path, tokens, folder / "context_tokens.txt")
        return path, tokens

    def test_numpy_reads_it(self, tmp_path):
        path, tokens = self.write(tmp_path, export_of(WORDS, VECTORS, contexts=CONTEXTS))
        read = load_file(path)
        np.testing.assert_array_equal(read["vectors"], np.float32(VECTORS))
        np.testing.assert_array_equal(read["context_vectors"], np.float32(CONTEXTS))
        # Biases 0, 1, 2 and a correction of 1.
        assert read["context_biases"].tolist() == [1, 2, 3]
        assert read["counts"].tolist() == [9, 6, 3]
        assert tokens_of(tokens) == WORDS

    def test_says_what_it_is(self, tmp_path):
        path, _ = self.write(tmp_path, export_of(WORDS, VECTORS))
        with safetensors.safe_open(path, framework="numpy") as file:
            assert file.metadata() == {
                "space_id": "0123456789ab",
                "temperature": "0.5",
                "tokenizer": "unicode_words",
                "normalization": "nfc",
            }

    def test_tables_that_are_not_in_one_piece(self, tmp_path):
        wide = vectors_of(3, 4)
        path, _ = self.write(tmp_path, export_of(WORDS, wide[:, ::2], contexts=wide.T[:3].T))
        read = load_file(path)
        np.testing.assert_array_equal(read["vectors"], wide[:, ::2])
        np.testing.assert_array_equal(read["context_vectors"], wide[:, :3])


class TestNpy:
    def test_numpy_reads_it_in_half_precision(self, tmp_path):
        path, tokens = names(tmp_path, "vectors.npy", "tokens.txt")
        formats.npy(export_of(WORDS, VECTORS), path, tokens)
        read = np.load(path, mmap_mode="r")
        assert read.dtype == np.float16
        assert read.tolist() == VECTORS  # all of these float16 has
        assert tokens_of(tokens) == WORDS

    def test_numbers_are_rounded_to_three_digits(self, tmp_path):
        path, tokens = names(tmp_path, "vectors.npy", "tokens.txt")
        vectors = vectors_of(500, 8)
        formats.npy(export_of([str(n) for n in range(500)], vectors), path, tokens)
        np.testing.assert_allclose(np.load(path), vectors, rtol=1 / 2048, atol=1e-7)

    def test_what_it_cannot_hold_is_said(self, tmp_path):
        path, tokens = names(tmp_path, "vectors.npy", "tokens.txt")
        with pytest.raises(InputError, match=r"^a vector holds 70,000, and float16 ends at 65,504"):
            formats.npy(export_of(WORDS, [[0, 1], [2, -70000], [0, 0]]), path, tokens)
        assert not path.exists()


@given(tokens)
def test_any_token_comes_back_from_every_list_of_them(tmp_path_factory, drawn: list[str]) -> None:
    folder = tmp_path_factory.mktemp("tokens")
    export = export_of(drawn, vectors_of(len(drawn)))
    formats.npy(export, *names(folder, "vectors.npy", "tokens.txt"))
    assert tokens_of(folder / "tokens.txt") == drawn
    formats.parquet(export, folder / "v.parquet")
    assert pyarrow.parquet.read_table(folder / "v.parquet")["token"].to_pylist() == drawn
    write_word2vec(folder, export)
    read = KeyedVectors.load_word2vec_format(str(folder / "vectors.bin"), binary=True)
    assert read.index_to_key == drawn
