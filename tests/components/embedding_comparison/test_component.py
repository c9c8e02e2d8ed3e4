"""The component through TFX's own executor of function components."""

from pathlib import Path

import numpy as np
import pytest
from tfx.types import standard_artifacts

from components.embedding_comparison.comparison import Comparison
from components.embedding_comparison.component import EmbeddingComparison, ModelComparison
from tests.saved_models import SETTINGS, write_saved_model

COUNTS = {f"t{place}": 100 - place for place in range(20)}


def artifact(folder: Path) -> standard_artifacts.Model:
    model = standard_artifacts.Model()
    model.uri = str(folder)
    return model


def model(folder: Path, seed: int, counts: dict[str, int] = COUNTS) -> standard_artifacts.Model:
    vectors = np.random.default_rng(seed).normal(size=(len(counts), 3))
    write_saved_model(folder / "Format-Serving", counts, vectors, settings=SETTINGS)
    return artifact(folder)


def judged(
    tmp_path: Path,
    last: standard_artifacts.Model | None,
    *,
    blessed: bool = True,
    min_neighbor_overlap: float = 0.0,
) -> tuple[Comparison, standard_artifacts.ModelBlessing]:
    given, blessing = standard_artifacts.ModelBlessing(), standard_artifacts.ModelBlessing()
    given.set_int_custom_property("blessed", int(blessed))
    given.set_int_custom_property("current_model_id", 7)
    given.set_string_custom_property("current_model", "/models/7")
    blessing.uri = str(tmp_path / "blessing")
    comparison = ModelComparison()
    comparison.uri = str(tmp_path / "comparison")
    EmbeddingComparison.EXECUTOR_SPEC.executor_class().Do(
        {
            "model": [model(tmp_path / "tonight", 1)],
            "model_blessing": [given],
            "baseline_model": [] if last is None else [last],
        },
        {"comparison": [comparison], "blessing": [blessing]},
        {"min_neighbor_overlap": min_neighbor_overlap, "code_fingerprint": "0123"},
    )
    return Comparison.read(Path(comparison.uri)), blessing


def verdict(blessing: standard_artifacts.ModelBlessing) -> tuple[int, list[str]]:
    names = [path.name for path in Path(blessing.uri).iterdir()]
    return blessing.get_int_custom_property("blessed"), names


def test_the_first_night_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    found, blessing = judged(tmp_path, None, min_neighbor_overlap=1.0)
    assert found == Comparison(space_id=SETTINGS.space_id)
    assert found.compared is False
    assert verdict(blessing) == (1, ["BLESSED"])


def test_nor_has_the_first_one_on_a_cluster(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found, _ = judged(tmp_path, artifact(tmp_path / "empty"))
    assert found.compared is False


def test_the_blessing_names_the_model_and_is_the_last_word(tmp_path: Path) -> None:
    _, blessing = judged(tmp_path, None)
    assert blessing.get_int_custom_property("current_model_id") == 7
    assert blessing.get_string_custom_property("current_model") == "/models/7"
    assert blessing.get_int_custom_property("final") == 1


@pytest.mark.parametrize(("blessed", "expected"), [(True, 1), (False, 0)])
def test_without_a_gate_the_verdict_is_the_evaluators(
    tmp_path: Path, blessed: bool, expected: int
) -> None:
    found, blessing = judged(tmp_path, model(tmp_path / "last", 2), blessed=blessed)
    assert found.neighbor_overlap is not None
    assert found.neighbor_overlap < 1
    assert verdict(blessing)[0] == expected


def test_a_model_whose_neighbors_are_others_is_withheld(tmp_path: Path) -> None:
    _, blessing = judged(tmp_path, model(tmp_path / "last", 2), min_neighbor_overlap=0.99)
    assert verdict(blessing) == (0, ["NOT_BLESSED"])


@pytest.mark.parametrize(("blessed", "expected"), [(True, 1), (False, 0)])
def test_a_model_that_is_near_enough_is_the_evaluators_to_judge(
    tmp_path: Path, blessed: bool, expected: int
) -> None:
    last = model(tmp_path / "last", 1)
    found, blessing = judged(tmp_path, last, blessed=blessed, min_neighbor_overlap=1.0)
    assert found.neighbor_overlap == 1
    assert verdict(blessing)[0] == expected


def test_what_cannot_be_compared_passes(tmp_path: Path) -> None:
    last = model(tmp_path / "last", 2, {"cat": 2, "dog": 1})
    _, blessing = judged(tmp_path, last, min_neighbor_overlap=1.0)
    assert verdict(blessing)[0] == 1
