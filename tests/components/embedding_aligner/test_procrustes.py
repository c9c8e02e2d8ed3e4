import doctest
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.embedding_aligner import procrustes
from tests.saved_models import write_saved_model
from trainer_module.evaluation import saved_model

Array = npt.NDArray[np.float64]


def orthogonal(random: np.random.Generator, dim: int) -> Array:
    matrix, _ = np.linalg.qr(random.normal(size=(dim, dim)))
    return matrix


def mean_cosine(one: Array, other: Array) -> float:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(((one * other).sum(1) / lengths).mean())


def test_a_rotation_by_90_degrees_is_undone() -> None:
    last = np.array([[2.0, 0], [0, 1], [3, 4]])
    # East went north, north went west.
    tonight = np.array([[0, 2.0], [-1, 0], [-4, 3]])
    matrix = procrustes.rotation(tonight, last)
    np.testing.assert_allclose(matrix, [[0, -1], [1, 0]], atol=1e-12)
    turned = procrustes.turned(tonight.astype(np.float32), matrix)
    np.testing.assert_allclose(turned, last, atol=1e-6)


def test_a_reflection_is_undone_too() -> None:
    last = np.array([[2.0, 1], [0, 1], [3, 4]])
    matrix = procrustes.rotation(last * [1, -1], last)
    np.testing.assert_allclose(matrix, [[1, 0], [0, -1]], atol=1e-12)


def test_no_turn_of_a_plane_gives_a_higher_mean_cosine() -> None:
    random = np.random.default_rng(1)
    vectors, onto = random.normal(size=(2, 12, 2)) * random.uniform(0.1, 9, (2, 12, 1))
    found = mean_cosine(vectors @ procrustes.rotation(vectors, onto), onto)
    angles = np.linspace(0, 2 * np.pi, 3600, endpoint=False)
    tried = [
        mean_cosine(vectors @ np.array([[c, s], [-sign * s, sign * c]]), onto)
        for c, s in zip(np.cos(angles), np.sin(angles), strict=True)
        for sign in (1, -1)
    ]
    assert max(tried) <= found <= max(tried) + 1e-5


@given(seed=st.integers(0, 1000), dim=st.integers(1, 8))
@settings(max_examples=30)
def test_any_turn_of_any_vectors_is_undone_and_nothing_is_bent(seed: int, dim: int) -> None:
    random = np.random.default_rng(seed)
    last, turn = random.normal(size=(3 * dim, dim)), orthogonal(random, dim)
    matrix = procrustes.rotation(last @ turn, last)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(dim), atol=1e-9)
    np.testing.assert_allclose(matrix, turn.T, atol=1e-6)


def test_a_vector_of_zeros_says_nothing() -> None:
    last = np.array([[1.0, 0], [0, 1], [0, 0]])
    matrix = procrustes.rotation(np.array([[0, 1.0], [-1, 0], [5, 5]]), last)
    np.testing.assert_allclose(matrix, [[0, -1], [1, 0]], atol=1e-12)


def test_a_table_is_turned_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    table, matrix = random.normal(size=(7, 3)).astype(np.float32), orthogonal(random, 3)
    whole = procrustes.turned(table, matrix)
    np.testing.assert_allclose(whole, table @ matrix, rtol=1e-6, atol=1e-6)
    monkeypatch.setattr(procrustes, "_ROWS_AT_ONCE", 3)
    np.testing.assert_array_equal(procrustes.turned(table, matrix), whole)
    assert whole.dtype == np.float32


def model(folder: Path, tokens: str, vectors: npt.ArrayLike) -> saved_model.SavedModel:
    counts = {token: 100 - place for place, token in enumerate(tokens.split())}
    return saved_model.read(write_saved_model(folder, counts, vectors))


def test_the_common_tokens_alone_say_how_to_turn(tmp_path: Path) -> None:
    last = model(tmp_path / "last", "the sea gone ship", [[1, 0], [0, 1], [7, 7], [1, 2]])
    tonight = model(tmp_path / "tonight", "new sea ship the", [[9, -9], [-1, 0], [-2, 1], [0, 1]])
    matrix = procrustes.rotation_between(tonight, last)
    np.testing.assert_allclose(matrix, [[0, -1], [1, 0]], atol=1e-12)


@pytest.mark.parametrize(
    ("tokens", "vectors"),
    [
        ("cat dog", [[1, 0], [0, 1]]),  # none is common
        ("the dog", [[1, 0], [0, 1]]),  # one is, which leaves a reflection open
        ("the sea", [[1, 0, 0], [0, 1, 0]]),  # the dimension is another
    ],
)
def test_there_may_be_no_way_to_turn(tmp_path: Path, tokens: str, vectors: npt.ArrayLike) -> None:
    last = model(tmp_path / "last", "the sea", [[1, 0], [0, 1]])
    tonight = model(tmp_path / "tonight", tokens, vectors)
    assert procrustes.rotation_between(tonight, last) is None


def test_the_example_runs() -> None:
    found = doctest.testmod(procrustes)
    assert found.attempted > 0
    assert found.failed == 0
