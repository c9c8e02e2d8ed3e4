from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from components.embedding_comparison import comparing
from components.embedding_comparison.comparison import Comparison
from tests.saved_models import SETTINGS, write_saved_model
from trainer_module.evaluation import saved_model
from trainer_module.evaluation.saved_model import SavedModel

LAST = {"the": 5000, "sea": 2000, "ship": 1000, "gone": 600, "lost": 200}
TONIGHT = {"the": 6000, "new": 3000, "ship": 2000, "sea": 1000}


def model(
    folder: Path, counts: Mapping[str, int], angles: npt.ArrayLike, space_id: str
) -> SavedModel:
    radians = np.radians(angles)
    vectors = np.stack([np.cos(radians), np.sin(radians)], axis=1)
    settings = SETTINGS._replace(space_id=space_id)
    return saved_model.read(write_saved_model(folder, counts, vectors, settings=settings))


@pytest.fixture
def last(tmp_path: Path) -> SavedModel:
    return model(tmp_path / "last", LAST, [0, 50, 80, 20, 60], "first")


@pytest.fixture
def tonight(tmp_path: Path) -> SavedModel:
    # the, new, ship, sea: the ship has moved by 90 degrees, the sea by 1.
    return model(tmp_path / "tonight", TONIGHT, [0, 10, 170, 51], "first")


def test_a_comparison_by_hand(
    tonight: SavedModel, last: SavedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "NEIGHBORS", 1)
    found = comparing.compare(tonight, last)
    assert (found.compared, found.space_id, found.last_space_id) == (True, "first", "first")
    assert (found.vocabulary_size, found.last_vocabulary_size) == (4, 5)
    assert (found.common_tokens, found.new_tokens, found.gone_tokens) == (3, 1, 2)
    assert found.most_frequent_new == ("new",)
    assert found.most_frequent_gone == ("gone", "lost")
    # Among the three: of the ship it is the sea then and now; of the sea it was the ship and is
    # `the`; of `the` it is the sea then and now.
    assert found.neighbor_overlap == pytest.approx(2 / 3)
    assert found.neighbor_overlap_by_band == pytest.approx({"1-100": 2 / 3})
    assert found.mean_cosine == pytest.approx((1 + 0 + np.cos(np.radians(1))) / 3, abs=1e-6)
    assert [moved.token for moved in found.moved_most] == ["ship", "sea", "the"]
    ship = found.moved_most[0]
    assert ship.cosine == pytest.approx(0, abs=1e-6)
    assert ship.neighbor_overlap == 1
    # Among all tokens of each model.
    assert (ship.neighbors, ship.last_neighbors) == (("sea",), ("lost",))
    assert found.moved_most[2].neighbors == ("new",)


def test_a_model_has_not_moved_from_itself(last: SavedModel) -> None:
    found = comparing.compare(last, last)
    assert found.neighbor_overlap == 1
    assert found.mean_cosine == pytest.approx(1, abs=1e-6)
    assert (found.common_tokens, found.new_tokens, found.gone_tokens) == (5, 0, 0)


def test_between_two_spaces_no_cosine_is_taken(tmp_path: Path, last: SavedModel) -> None:
    other = model(tmp_path / "other", LAST, [90, 140, 170, 110, 150], "second")
    found = comparing.compare(other, last)
    assert found.mean_cosine is None
    assert found.neighbor_overlap == 1
    assert [moved.cosine for moved in found.moved_most] == [None] * 5


def test_of_models_of_two_dimensions_the_neighbors_are_compared(
    tmp_path: Path, last: SavedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "NEIGHBORS", 1)
    # The same plane in three dimensions, but for the last token, which has gone to the first.
    turned = np.radians([0, 50, 80, 20, -5])
    vectors = np.stack([np.zeros(5), np.cos(turned), np.sin(turned)], axis=1)
    settings = SETTINGS._replace(space_id="second")
    folder = write_saved_model(tmp_path / "wider", LAST, vectors, settings=settings)
    found = comparing.compare(saved_model.read(folder), last)
    # Nearest then: the-gone, sea-lost, ship-lost, gone-the, lost-sea.
    # Nearest now: the-lost, sea-(ship or gone, 30 degrees each), ship-sea, gone-the, lost-the.
    assert found.neighbor_overlap == pytest.approx(1 / 5)
    assert found.mean_cosine is None
    assert [moved.neighbor_overlap for moved in found.moved_most] == [0, 0, 0, 0, 1]


def test_nothing_may_be_common(tmp_path: Path, last: SavedModel) -> None:
    other = model(tmp_path / "other", {"cat": 2, "dog": 1}, [0, 90], "second")
    found = comparing.compare(other, last)
    assert (found.common_tokens, found.new_tokens, found.gone_tokens) == (0, 2, 5)
    assert found.neighbor_overlap is found.neighbor_overlap_by_band is found.mean_cosine is None
    assert found.moved_most == ()
    assert found.is_near_enough(0.9)


@pytest.mark.parametrize("tokens", [{"the": 1}, {"the": 2, "cat": 1}])
def test_one_common_token_has_no_neighbors(
    tmp_path: Path, last: SavedModel, tokens: Mapping[str, int]
) -> None:
    found = comparing.compare(model(tmp_path / "other", tokens, [90, 7][: len(tokens)], "x"), last)
    assert found.common_tokens == 1
    assert found.neighbor_overlap is None
    assert found.moved_most == ()


def test_only_the_most_frequent_common_tokens_are_looked_at(
    tonight: SavedModel, last: SavedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "COMPARED_TOKENS", 2)
    monkeypatch.setattr(comparing, "LISTED_TOKENS", 1)
    found = comparing.compare(tonight, last)
    # `the` and, by the smaller of their shares, the ship (1000 of 8800) before the sea (1000 of
    # 12000).
    assert found.mean_cosine == pytest.approx(0.5, abs=1e-6)
    assert [moved.token for moved in found.moved_most] == ["ship"]
    assert (found.common_tokens, found.most_frequent_gone) == (3, ("gone",))


def test_rare_tokens_move_by_chance_and_are_not_listed(tmp_path: Path, last: SavedModel) -> None:
    rarer = {"sea": 2000, "ship": 100, "the": 99}
    found = comparing.compare(model(tmp_path / "other", rarer, [230, 170, 180], "first"), last)
    assert [moved.token for moved in found.moved_most] == ["sea", "ship"]
    assert found.common_tokens == 3


def test_a_comparison_is_read_as_it_was_written(tonight: SavedModel, last: SavedModel) -> None:
    for found in (comparing.compare(tonight, last), Comparison(space_id="first")):
        assert Comparison.from_json(found.to_json()) == found


def test_the_summary_is_told_numbers(tonight: SavedModel, last: SavedModel) -> None:
    numbers = comparing.compare(tonight, last).numbers
    assert numbers is not None
    assert list(numbers) == [
        "common_tokens",
        "new_tokens",
        "gone_tokens",
        "neighbor_overlap",
        "neighbor_overlap_by_band",
        "mean_cosine",
    ]
    assert Comparison(space_id="first").numbers is None
