"""The next item of sessions, by hand: what is held out, ranks, and what counts give."""

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.sessions import rivals
from benchmarks.sessions.next_item import Figures, HeldOut
from benchmarks.sessions.vectors import by_neighbors, by_scores, last, mean

LINES = "a b c\nb c\nc\na b d\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "sessions.txt").write_text(LINES)
    return tmp_path / "sessions.txt"


def test_the_last_items_are_held_out(path: Path) -> None:
    held = HeldOut.read(path)
    assert held.items == ["a", "b", "c", "d"]
    assert held.train == [[0, 1], [1], [2], [0, 1]]
    assert held.asked == [[0, 1], [1], [0, 1]]
    assert held.answers.tolist() == [2, 2, 3]
    assert held.documents == [["a", "b"], ["b"], ["c"], ["a", "b"]]


def test_of_the_last_but_one_what_came_after_it_is_not_seen(path: Path) -> None:
    held = HeldOut.read(path, last=2)
    assert held.train == [[0], [1], [2], [0]]
    assert held.asked == [[0], [0]]
    assert held.answers.tolist() == [1, 1]


def test_ranks_leave_out_what_the_session_holds(path: Path) -> None:
    # Of c and d alone: c is the first of the sessions, d the second of the last one.
    scores = np.array([9, 8, 2, 1], np.float32)
    found = Figures.of(lambda sessions: np.tile(scores, [len(sessions), 1]), HeldOut.read(path))
    # In the session `b` a is above c.
    assert found.hit_rate == 1
    assert found.reciprocal_rank == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)
    assert found.ndcg == pytest.approx((1 + 2 / math.log2(3)) / 3)


def test_equal_scores_share_the_mean_of_their_ranks(path: Path) -> None:
    found = Figures.of(
        lambda sessions: np.zeros([len(sessions), 4], np.float32), HeldOut.read(path)
    )
    # Two candidates twice, 1.5; three once, 2.
    assert found.reciprocal_rank == pytest.approx((2 / 1.5 + 1 / 2) / 3)


def test_counts_by_hand(path: Path) -> None:
    held = HeldOut.read(path)
    assert rivals.popularity(held)[""]([[0]]).tolist() == [[2, 3, 1, 0]]
    knn = rivals.item_knn(held)
    # a and b stand together in two sessions; a has 2 of its own, b 3.
    assert knn["counts, last item"]([[0, 1]])[0].tolist() == [2, 3, 0, 0]
    expected = [2 / math.sqrt(6), 1, 0, 0]
    np.testing.assert_allclose(knn["cosine, last item"]([[0, 1]])[0], expected, rtol=1e-6)
    both = [1 + 2 / math.sqrt(6), 1 + 2 / math.sqrt(6), 0, 0]
    np.testing.assert_allclose(knn["cosine, whole session"]([[0, 1]])[0], both, rtol=1e-6)


def test_rules_go_forward_alone() -> None:
    held = HeldOut(list("abc"), [[0, 1, 2], [0, 2]], [], np.zeros(0, np.int64))
    [scorer] = rivals.sequential_rules(held).values()
    # b after a once; c two places behind it and one.
    assert scorer([[0], [2]]).tolist() == [[0, 1, 1.5], [0, 0, 0]]


def test_an_item_without_a_vector_is_the_last_of_all() -> None:
    vectors = np.array([[3.0, 4], [0, 2], [0, 0]])
    cosines = by_neighbors(vectors, last)([[0]])[0]
    np.testing.assert_allclose(cosines[:2], [1, 0.8], rtol=1e-6)
    assert cosines[2] == -math.inf
    biases = np.array([0.5, 0, -math.inf])
    assert by_scores(vectors, vectors, biases, mean)([[0, 1]])[0].tolist() == [17, 6, -math.inf]
