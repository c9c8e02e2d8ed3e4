"""Given pairs, by hand: what is held out, ranks, and what counts give."""

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.given_pairs import rivals
from benchmarks.given_pairs.held_out import HeldOut, figures, next_items, user_items
from trainer_module.text.split import is_held_out

# c is in three pairs, b in two, a in one.
TRAIN = [("u", "a"), ("u", "c"), ("v", "b"), ("v", "c"), ("w", "b"), ("w", "c")]


@pytest.fixture
def held() -> HeldOut:
    return HeldOut.of(TRAIN, [("u", "b"), ("u", "x"), ("y", "a")])


def test_pairs_of_histories() -> None:
    assert [*user_items(3, ["a", "b", "a"])] == [("u3", "a"), ("u3", "b"), ("u3", "a")]
    assert [*next_items(3, ["a", "b", "a"])] == [("a", "b"), ("b", "a")]


def test_sides_and_pairs_are_places(held: HeldOut) -> None:
    assert (held.targets.names, held.targets.counts.tolist()) == (["u", "v", "w"], [2, 2, 2])
    assert (held.contexts.names, held.contexts.counts.tolist()) == (["c", "b", "a"], [3, 2, 1])
    named = sorted((held.targets.names[t], held.contexts.names[c]) for t, c in held.train)
    assert named == sorted(TRAIN)
    assert held.asked.tolist() == [[0, 1]]  # of the others a side is not known
    assert held.unknown == 2


def test_the_split_is_the_products_own_and_the_search_sees_none_of_it(tmp_path: Path) -> None:
    path = tmp_path / "sessions.txt"
    path.write_text("".join(f"i{n % 40} i{n * 7 % 40} i{n * 3 % 40}\n" for n in range(200)))
    read = HeldOut.read("user, item", path, share=0.2)
    search = HeldOut.read("user, item", path, share=0.2, for_search=True)

    def documents(held: HeldOut, pairs: np.ndarray) -> set[str]:
        return {f"{held.targets.names[t]}\t{held.contexts.names[c]}" for t, c in pairs}

    asked = documents(read, read.asked)
    assert asked
    assert all(is_held_out(one.encode(), 0.2, "pairs") for one in asked)
    assert not any(is_held_out(one.encode(), 0.2, "pairs") for one in documents(read, read.train))
    # What the search asks was trained on by the others; what they ask it never sees.
    seen = documents(search, search.train) | documents(search, search.asked)
    assert documents(search, search.asked) <= documents(read, read.train)
    assert not seen & asked


def test_ranks_with_and_without_what_the_target_has(held: HeldOut) -> None:
    [scorer] = rivals.popularity(held).values()
    found = figures(scorer, held)
    # Of c, b, a the target u has a and c: b is the first. Among all, c is above it.
    assert found["new"] == {"hit_rate": 1, "ndcg": 1, "reciprocal_rank": 1}
    assert found["all"]["reciprocal_rank"] == 1 / 2
    assert found["all"]["ndcg"] == pytest.approx(1 / math.log2(3))


def test_item_knn_by_hand(held: HeldOut) -> None:
    knn = rivals.knn(held)
    # v has b and c. Beside b stands c, twice; beside c b twice and a once.
    assert knn["counts"](np.array([1])).tolist() == [[2, 2, 1]]
    both = 2 / math.sqrt(6)
    np.testing.assert_allclose(
        knn["cosine"](np.array([1])), [[both, both, 1 / math.sqrt(3)]], rtol=1e-6
    )


def test_all_singular_values_give_the_table_back(held: HeldOut) -> None:
    [scorer] = rivals.svd(held, dim=3).values()
    found = scorer(np.arange(3))
    np.testing.assert_allclose(found, rivals.table_of(held).todense(), atol=1e-5)
