"""The component through TFX's own executor of function components."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.embedding_aligner.component import EmbeddingAligner
from tests.saved_models import SETTINGS, write_saved_model
from trainer_module.evaluation import saved_model

LAST = np.array([[2, 0], [0, 1], [3, 4]], np.float32)
TONIGHT = np.array([[0, 2], [-1, 0], [-4, 3]], np.float32)  # a quarter of a turn away
OF_LAST, OF_TONIGHT = (SETTINGS._replace(space_id=name) for name in ("first", "own"))


def artifact(folder: Path) -> standard_artifacts.Model:
    model = standard_artifacts.Model()
    model.uri = str(folder)
    return model


def trained(folder: Path, tokens: str, vectors: np.ndarray, settings: saved_model.ModelSettings):
    """A Trainer's artifact, whose context weights are the target table from below."""
    counts = {token: 100 - place for place, token in enumerate(tokens.split())}
    write_saved_model(folder / "Format-Serving", counts, vectors, vectors[::-1], settings=settings)
    return artifact(folder)


@pytest.fixture
def tonight(tmp_path: Path) -> standard_artifacts.Model:
    return trained(tmp_path / "tonight", "the sea ship", TONIGHT, OF_TONIGHT)


@pytest.fixture
def last(tmp_path: Path) -> standard_artifacts.Model:
    return trained(tmp_path / "last", "the sea ship", LAST, OF_LAST)


def aligned(
    folder: Path,
    model: standard_artifacts.Model,
    last: standard_artifacts.Model | None,
    align_with: str = "last_blessed",
) -> tuple[standard_artifacts.Model, saved_model.SavedModel]:
    given = artifact(folder / "aligned")
    EmbeddingAligner.EXECUTOR_SPEC.executor_class().Do(
        {"model": [model], "baseline_model": [] if last is None else [last]},
        {"aligned_model": [given]},
        {"align_with": align_with, "code_fingerprint": "0123"},
    )
    return given, saved_model.read(path_utils.serving_model_path(given.uri))


def test_tonights_vectors_lie_where_the_last_ones_do(tmp_path: Path, tonight, last) -> None:
    given, found = aligned(tmp_path, tonight, last)
    np.testing.assert_allclose(found.target_table, LAST, atol=1e-6)
    np.testing.assert_allclose(found.context_weights, LAST[::-1], atol=1e-6)
    assert found.settings == OF_TONIGHT._replace(space_id="first")
    assert given.get_string_custom_property("made_of") == tonight.uri


def test_all_else_is_the_trainers_and_the_trainers_stays(tmp_path: Path, tonight, last) -> None:
    before = saved_model.read(path_utils.serving_model_path(tonight.uri))
    given, found = aligned(tmp_path, tonight, last)
    assert found.vocabulary.tokens == before.vocabulary.tokens
    np.testing.assert_array_equal(found.unigram, before.unigram)
    np.testing.assert_array_equal(before.target_table, TONIGHT)
    again = saved_model.read(path_utils.serving_model_path(tonight.uri))
    np.testing.assert_array_equal(again.target_table, TONIGHT)
    loaded = tf.saved_model.load(path_utils.serving_model_path(given.uri))
    np.testing.assert_array_equal(loaded.target_table.numpy(), found.target_table)


def test_the_same_again_gives_the_same_bytes(tmp_path: Path, tonight, last) -> None:
    folders = [Path(aligned(tmp_path / name, tonight, last)[0].uri) for name in ("a", "b")]
    contents = [
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in folders
    ]
    assert contents[0] == contents[1]
    assert len(contents[0]) >= 3


def test_without_a_way_to_turn_the_model_keeps_its_own_space(tmp_path: Path, tonight) -> None:
    others = trained(tmp_path / "others", "cat dog", LAST[:2], OF_LAST)
    wider = trained(tmp_path / "wider", "the sea ship", np.eye(3, dtype=np.float32), OF_LAST)
    empty = artifact(tmp_path / "empty")  # as a cluster has it
    Path(empty.uri).mkdir()
    for place, other in enumerate((others, wider, empty, None)):
        given, found = aligned(tmp_path / str(place), tonight, other)
        np.testing.assert_array_equal(found.target_table, TONIGHT)
        assert found.settings == OF_TONIGHT
        assert given.get_string_custom_property("made_of") == tonight.uri


def test_align_none_hands_the_model_on(tmp_path: Path, tonight, last) -> None:
    _, found = aligned(tmp_path, tonight, last, align_with="none")
    np.testing.assert_array_equal(found.target_table, TONIGHT)
    assert found.settings == OF_TONIGHT
