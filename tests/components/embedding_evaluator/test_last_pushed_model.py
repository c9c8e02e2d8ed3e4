"""The component through TFX's own executor of function components."""

from pathlib import Path

import pytest
from google.protobuf import json_format
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.embedding_evaluator import last_pushed_model
from components.embedding_evaluator.last_pushed_model import LastPushedModel
from pipeline.graph import push_to


def model_in(folder: Path) -> standard_artifacts.Model:
    model = standard_artifacts.Model()
    model.uri = str(folder)
    return model


def found(tmp_path: Path) -> Path:
    """Where the model is that the component gives."""
    model = model_in(tmp_path / "model")
    destination = json_format.MessageToJson(push_to(str(tmp_path / "serving")))
    executor = LastPushedModel.EXECUTOR_SPEC.executor_class()
    executor.Do(
        {"candidate": [model_in(tmp_path / "candidate")]},
        {"model": [model]},
        {"push_destination": destination},
    )
    return Path(path_utils.serving_model_path(model.uri))


@pytest.mark.parametrize("versions", [["9", "10"], ["10", "9"], ["10", "unfinished"]])
def test_copies_the_model_of_the_highest_version(tmp_path: Path, versions: list[str]) -> None:
    for version in versions:
        folder = tmp_path / "serving" / version / "variables"
        folder.mkdir(parents=True)
        (folder / "variables.index").write_text(version)
    assert (found(tmp_path) / "variables" / "variables.index").read_text() == "10"


@pytest.mark.parametrize("there", [True, False])
def test_gives_no_model_where_none_was_pushed(tmp_path: Path, there: bool) -> None:
    if there:
        (tmp_path / "serving").mkdir()
    assert not found(tmp_path).exists()
    assert (tmp_path / "model").is_dir()


def test_a_folder_of_an_object_store_ends_with_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_pushed_model.fileio, "isdir", lambda path: True)
    monkeypatch.setattr(last_pushed_model.fileio, "listdir", lambda path: ["7/", "11/"])
    assert last_pushed_model.last_version("gs://bucket/serving") == "gs://bucket/serving/11"
