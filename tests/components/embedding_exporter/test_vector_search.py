"""Faiss's index against all cosines; Vector Search's files against its documented layout."""

import json
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings, strategies

from components.embedding_exporter import vector_search
from tests.components.embedding_exporter.exports import ODD_TOKENS, export_of, tokens, vectors_of
from trainer_module.errors import InputError

Vectors = npt.NDArray[np.float32]


def cosine(one: Vectors, other: Vectors) -> float:
    """Of a zero vector it is 0, with all."""
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norms if norms else 0.0


def nearest(vectors: Vectors, row: int, k: int) -> list[tuple[float, int]]:
    """The k largest cosines with a row and whose they are, by looking at all."""
    others = [(cosine(vectors[row], it), n) for n, it in enumerate(vectors) if n != row]
    return sorted(others, reverse=True)[:k]


def flat(vectors: Vectors, rows: slice = slice(None)) -> faiss.IndexFlatIP:
    """An index that is exact, of some of the vectors; in place of the others it has zeros."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    units = np.zeros_like(vectors)
    units[rows] = vectors[rows] / np.linalg.norm(vectors[rows], axis=1, keepdims=True)
    index.add(units)
    return index


def write_faiss(folder: Path, vectors: Vectors, min_recall: float = 0.0) -> dict[str, float]:
    names = [f"t{row}" for row in range(len(vectors))]
    export = export_of(names, vectors, min_recall=min_recall)
    return dict(vector_search.faiss(export, folder / "index.faiss", folder / "tokens.txt"))


class TestRecall:
    @given(strategies.integers(2, 60), strategies.integers(1, 4))
    def test_the_last_of_the_nearest_is_found_among_all(self, number: int, dim: int) -> None:
        vectors = vectors_of(number, dim)
        rows = np.arange(0, number, 3)
        expected = [nearest(vectors, row, min(10, number - 1))[-1][0] for row in rows]
        found = vector_search.least_scores(vectors, rows)
        np.testing.assert_allclose(found, expected, atol=1e-6)

    def test_it_is_found_part_by_part(self, monkeypatch) -> None:
        vectors, rows = vectors_of(50), np.arange(50)
        expected = vector_search.least_scores(vectors, rows)
        monkeypatch.setattr(vector_search, "_ROWS_AT_ONCE", 7)
        np.testing.assert_array_equal(vector_search.least_scores(vectors, rows), expected)

    def test_is_one_of_an_exact_index(self) -> None:
        vectors, rows = vectors_of(300, 5), np.arange(0, 300, 7)
        least = vector_search.least_scores(vectors, rows)
        assert vector_search.recall(flat(vectors), vectors, rows, least) == 1

    def test_is_the_share_that_an_index_has(self) -> None:
        vectors, rows = vectors_of(300, 5), np.arange(0, 300, 7)
        least = vector_search.least_scores(vectors, rows)
        found = vector_search.recall(flat(vectors, slice(0, 200)), vectors, rows, least)
        there = [sum(n < 200 for _, n in nearest(vectors, row, 10)) for row in rows]
        assert found == pytest.approx(sum(there) / (10 * len(rows)), abs=1e-6)
        assert 0.5 < found < 0.8

    def test_is_of_the_vectors_whatever_an_index_says_of_them(self) -> None:
        vectors, rows = vectors_of(300, 5), np.arange(0, 300, 7)
        least = vector_search.least_scores(vectors, rows)
        others = flat(np.random.default_rng(1).permutation(vectors))
        assert vector_search.recall(others, vectors, rows, least) < 0.2

    def test_of_tokens_that_are_equally_near_any_one_counts(self) -> None:
        vectors = np.repeat(vectors_of(4, 3), 30, axis=0)  # ten are among 29 like itself
        rows = np.array([0, 45, 119])
        least = vector_search.least_scores(vectors, rows)
        assert vector_search.recall(flat(vectors), vectors, rows, least) == 1

    @pytest.mark.parametrize("number", [1, 2, 5])
    def test_of_few_tokens_all_are_wanted(self, tmp_path, number: int) -> None:
        found = write_faiss(tmp_path, vectors_of(number, 3), min_recall=1.0)
        assert found["recall_at_10"] == 1


class TestFaiss:
    def test_finds_nearly_what_all_cosines_say(self, tmp_path) -> None:
        vectors = vectors_of(2000, 16) * np.arange(1, 2001, dtype=np.float32)[:, np.newaxis]
        figures = write_faiss(tmp_path, vectors, min_recall=0.9)
        index = faiss.read_index(str(tmp_path / "index.faiss"))
        assert (index.ntotal, index.d) == (2000, 16)
        assert index.metric_type == faiss.METRIC_INNER_PRODUCT
        assert index.hnsw.efSearch == figures["ef_search"]  # a reader need not know it
        names = (tmp_path / "tokens.txt").read_text().split("\n")
        shares = []
        for row in range(0, 2000, 100):
            unit = vectors[row] / np.linalg.norm(vectors[row])
            [scores], [found] = index.search(unit[np.newaxis], 11)
            assert names[found[0]] == f"t{row}"
            assert scores[0] == pytest.approx(1, abs=1e-5)
            there = {n for _, n in nearest(vectors, row, 10)}
            shares.append(len(there & set(found[1:].tolist())) / 10)
        assert np.mean(shares) > 0.9
        # Those were 20 tokens, and the figure is of 1,000.
        assert figures["recall_at_10"] == pytest.approx(np.mean(shares), abs=0.1)

    def test_is_the_same_to_the_last_byte(self, tmp_path) -> None:
        threads = faiss.omp_get_max_threads()
        written = []
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            write_faiss(tmp_path / name, vectors_of(3000, 8))
            written.append((tmp_path / name / "index.faiss").read_bytes())
        assert written[0] == written[1]
        assert faiss.omp_get_max_threads() == threads

    def test_looks_at_more_vectors_where_too_few_are_found(self, tmp_path, monkeypatch) -> None:
        vectors = vectors_of(3000, 40)
        monkeypatch.setattr(vector_search, "_LINKS", 8)  # else few are enough
        monkeypatch.setattr(vector_search, "_EFFORTS", (10, 20, 640))
        found = {least: write_faiss(tmp_path, vectors, least) for least in (0.0, 0.98)}
        assert found[0.0]["ef_search"] == 10
        assert found[0.0]["recall_at_10"] < 0.9 < 0.98 <= found[0.98]["recall_at_10"]
        assert faiss.read_index(str(tmp_path / "index.faiss")).hnsw.efSearch == 640

    def test_what_no_effort_reaches_is_an_error(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setattr(vector_search, "_LINKS", 8)
        monkeypatch.setattr(vector_search, "_EFFORTS", (10, 11))
        sentence = (
            r"^the index of Faiss finds \d\d\.\d% of the 10 nearest neighbours, though it looks "
            r"at 11 vectors, and exporter\.min_recall asks for 100\.0%: lower it, or take faiss out"
        )
        with pytest.raises(InputError, match=sentence):
            write_faiss(tmp_path, vectors_of(3000, 40), min_recall=1.0)
        assert not (tmp_path / "index.faiss").exists()

    def test_a_zero_vector_is_like_no_other(self, tmp_path) -> None:
        vectors = vectors_of(100, 4)
        vectors[7] = 0
        assert write_faiss(tmp_path, vectors, min_recall=0.99)["recall_at_10"] >= 0.99


def records(folder: Path) -> list[dict[str, object]]:
    """As a reader of JSON lines takes them."""
    return [
        json.loads(line)
        for path in sorted(folder.glob("*.json"))
        for line in path.read_bytes().splitlines()
    ]


class TestVertex:
    def test_has_an_id_and_its_embedding_a_line(self, tmp_path) -> None:
        vectors = [[1, -0.5], [0.25, 1000], [1 / 3, 3e-20]]
        export = export_of(["the", "größe", "日本"], vectors)
        assert vector_search.vertex(export, tmp_path / "vertex") == {"deleted": 0}
        assert [path.name for path in (tmp_path / "vertex").iterdir()] == ["part-00000.json"]
        found = records(tmp_path / "vertex")
        assert [record["id"] for record in found] == ["the", "größe", "日本"]
        embeddings = [record["embedding"] for record in found]
        np.testing.assert_array_equal(np.array(embeddings, np.float32), np.float32(vectors))
        assert {frozenset(record) for record in found} == {frozenset({"id", "embedding"})}

    def test_deletes_what_is_gone_since_last_night(self, tmp_path) -> None:
        first, second = ["the", "sea", "ship"], ["sea", "the", "whale"]
        vector_search.vertex(export_of(first, vectors_of(3)), tmp_path / "first")
        export = export_of(second, vectors_of(3), last_tokens=first)
        assert vector_search.vertex(export, tmp_path / "second") == {"deleted": 1}
        assert not (tmp_path / "first" / "delete").exists()
        [gone] = (tmp_path / "second" / "delete").iterdir()
        assert gone.read_text() == "ship\n"
        # Loaded one after the other, as Vector Search does it: nothing is left of the first.
        index = {record["id"] for record in records(tmp_path / "first")}
        index -= set(gone.read_text().split())
        index |= {record["id"] for record in records(tmp_path / "second")}
        assert index == set(second)

    def test_files_are_as_many_as_a_folder_may_hold(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setattr(vector_search, "_TOKENS_A_FILE", 2)
        monkeypatch.setattr(vector_search, "_MOST_FILES", 4)
        for number, files in ((4, 2), (5, 3), (8, 4), (9, 3), (100, 4)):
            folder = tmp_path / str(number)
            names = [str(n) for n in range(number)]
            vector_search.vertex(export_of(names, vectors_of(number)), folder)
            assert len(list(folder.iterdir())) == files
            assert [record["id"] for record in records(folder)] == names

    @settings(max_examples=50)
    @given(strategies.one_of(strategies.just(ODD_TOKENS), tokens), tokens)
    def test_any_token_is_an_id(self, tmp_path_factory, drawn: list[str], last: list[str]) -> None:
        folder = tmp_path_factory.mktemp("vertex") / "vertex"
        export = export_of(drawn, vectors_of(len(drawn)), last_tokens=last)
        vector_search.vertex(export, folder)
        assert [record["id"] for record in records(folder)] == drawn
        for path in folder.glob("*.json"):
            assert path.read_bytes().isascii()
            assert len(path.read_text().splitlines()) == len(drawn)  # whatever a line's end is
        gone = folder / "delete" / "gone.txt"
        deleted = gone.read_bytes().decode().split("\n")[:-1] if gone.exists() else []
        assert deleted == [token for token in last if token not in drawn]
