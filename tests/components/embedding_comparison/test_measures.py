import doctest

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.embedding_comparison import measures

Array = npt.NDArray[np.float32]

# Five directions of a plane, by their angle in degrees.
ANGLES = np.array([0.0, 10, 30, 90, 100])


def at(angles: npt.ArrayLike) -> Array:
    radians = np.radians(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def written_out(vectors: Array, k: int) -> list[set[int]]:
    """The neighbours of each row, a pair at a time."""
    found = []
    for row, vector in enumerate(vectors):
        cosines = {
            other: float(vector @ vectors[other])
            / float(np.linalg.norm(vector) * np.linalg.norm(vectors[other]))
            for other in range(len(vectors))
            if other != row
        }
        found.append(set(sorted(cosines, key=cosines.__getitem__, reverse=True)[:k]))
    return found


def test_the_nearest_by_hand() -> None:
    found = measures.nearest(at(ANGLES), 2)
    assert [set(row) for row in found.tolist()] == [{1, 2}, {0, 2}, {1, 0}, {4, 2}, {3, 2}]


def test_lengths_do_not_count() -> None:
    vectors = at(ANGLES) * np.array([[1], [100], [0.01], [7], [1]], np.float32)
    np.testing.assert_array_equal(measures.nearest(vectors, 2), measures.nearest(at(ANGLES), 2))


def test_overlaps_by_hand() -> None:
    # The second token has gone to 95 degrees. Neighbours then, and now:
    # 0: {1, 2} {2, 3}; 1: {0, 2} {3, 4}; 2: {0, 1} {0, 3}; 3: {4, 2} {4, 1}; 4: {3, 2} {1, 3}.
    moved = ANGLES.copy()
    moved[1] = 95.1
    found = measures.neighbor_overlaps(at(moved), at(ANGLES), 2)
    assert found.tolist() == [0.5, 0, 0.5, 0.5, 0.5]


def test_a_turned_plane_in_a_wider_space_has_the_same_neighbors() -> None:
    wider = np.pad(at(ANGLES + 77), ((0, 0), (0, 3)))
    assert measures.neighbor_overlaps(wider, at(ANGLES), 2).tolist() == [1] * 5


@pytest.mark.parametrize(("tokens", "expected"), [(0, []), (1, []), (2, [1, 1]), (4, [1] * 4)])
def test_few_tokens_have_few_neighbors(tokens: int, expected: list[float]) -> None:
    vectors, others = at(ANGLES[:tokens]), at(-3 * ANGLES[:tokens])
    assert measures.neighbor_overlaps(vectors, others, 10).tolist() == expected


@given(seed=st.integers(0, 1000), tokens=st.integers(2, 40), k=st.integers(1, 5))
@settings(max_examples=30)
def test_overlaps_are_those_of_a_pair_at_a_time(seed: int, tokens: int, k: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(tokens, 3)).astype(np.float32)
    others = (vectors + random.normal(scale=0.3, size=vectors.shape)).astype(np.float32)
    k = min(k, tokens - 1)
    expected = [
        len(ours & theirs) / k
        for ours, theirs in zip(written_out(vectors, k), written_out(others, k), strict=True)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "_ROWS_AT_ONCE", 7)  # the last block is not whole
        found = measures.neighbor_overlaps(vectors, others, k)
    assert found.tolist() == pytest.approx(expected)


def test_cosines_by_hand() -> None:
    found = measures.cosines(2 * at([0, 10, 30]), at([60, 10, 210]))
    np.testing.assert_allclose(found, [0.5, 1, -1], atol=1e-6)
    assert measures.cosines(np.zeros((1, 2), np.float32), at([0])).tolist() == [0]


def test_bands_are_by_rank() -> None:
    values = np.concatenate([np.full(100, 0.9), np.full(900, 0.5), [0.25, 0.75]])
    expected = {"1-100": 0.9, "101-1000": 0.5, "1001-10000": 0.5}
    assert measures.means_by_band(values) == pytest.approx(expected)
    assert measures.means_by_band(values[:100]) == pytest.approx({"1-100": 0.9})


def test_the_examples_run() -> None:
    found = doctest.testmod(measures)
    assert found.attempted > 0
    assert found.failed == 0
