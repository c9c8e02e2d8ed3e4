"""Words on a plane: the same each time, neighbours as brute force finds them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.results.embeddings import Embeddings
from pipeline.results.report import word_map
from tests.pipeline.results.report.made_up import vectors


def test_the_same_vectors_give_the_same_map() -> None:
    once, again = (word_map.word_map(vectors(120)) for _ in range(2))
    assert once == again
    places = np.array([(word.x, word.y) for word in once])
    assert places.min(axis=0).tolist() == [-1, -1]
    assert places.max(axis=0).tolist() == [1, 1]


def test_what_is_alike_lies_together() -> None:
    found = word_map.word_map(vectors(200))
    places = np.array([(word.x, word.y) for word in found])
    away = np.linalg.norm(places[:, None] - places, axis=-1)
    same = np.equal.outer(np.arange(200) % 10, np.arange(200) % 10)
    np.fill_diagonal(away, np.inf)
    assert same[np.arange(200), away.argmin(axis=1)].mean() > 0.95


def test_words_are_the_most_frequent_with_their_counts() -> None:
    found = word_map.word_map(vectors(50))
    assert [word.token for word in found[10:12]] == ["word10", "word11"]
    assert [word.occurrences for word in found[:3]] == [10_000, 5_000, 3_333]


@given(st.integers(5, 60), st.integers(1, 9), st.integers(0, 1000))
@settings(max_examples=30)
def test_neighbors_are_those_of_brute_force(size: int, dim: int, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(size, dim))
    units = word_map._units(rows.astype(np.float32))
    found = word_map._nearest(units, size)
    for row, nearest in enumerate(found):
        cosines = sorted(float(units[row] @ units[j]) for j in range(size) if j != row)[::-1]
        expected = [round(cosine, 2) for cosine in cosines[: min(8, size - 1)]]
        assert [cosine for _, cosine in nearest] == pytest.approx(expected, abs=0.011)
        assert row not in [other for other, _ in nearest]


@pytest.mark.parametrize("size", [0, 1, 4])
def test_too_few_words_make_no_map(size: int) -> None:
    assert word_map.word_map(Embeddings(list("abcd")[:size], np.ones((size, 3)))) == []


def test_vectors_that_hold_what_is_no_number_make_no_map() -> None:
    assert word_map.word_map(Embeddings(list("abcde"), np.full((5, 3), np.nan))) == []


def test_few_words_and_words_all_alike_have_places() -> None:
    for rows in (np.eye(5, 3), np.ones((6, 2)), np.zeros((7, 4)), np.ones((300, 1))):
        tokens = [str(row) for row in range(len(rows))]
        found = word_map.word_map(Embeddings(tokens, rows))
        assert len(found) == len(rows)
        assert all(np.isfinite((word.x, word.y)).all() for word in found)
