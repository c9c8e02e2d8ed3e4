import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.local import serving_folder

FILES = {
    "saved_model.pb": "graph",
    "fingerprint.pb": "1",
    "assets/vocabulary": "words",
    "variables/variables.index": "tables",
}


def write(folder: Path) -> Path:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def read(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def artifact(copy: Path, pushed: int = 1) -> mlmd.Artifact:
    made = mlmd.Artifact(uri=str(copy))
    made.custom_properties["pushed"].int_value = pushed
    made.custom_properties["pushed_version"].string_value = "17"
    return made


DAMAGES: dict[str, Callable[[Path], object]] = {
    "all gone": lambda version: shutil.rmtree(version.parent),
    "version gone": shutil.rmtree,
    "empty version": lambda version: (shutil.rmtree(version), version.mkdir()),
    "a file gone": lambda version: (version / "variables" / "variables.index").unlink(),
    "a file cut": lambda version: os.truncate(version / "saved_model.pb", 2),
    "a file of the same size": lambda version: (version / "fingerprint.pb").write_text("2"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_missing_or_another_is_written_again(tmp_path: Path, damage: str) -> None:
    copy, version = write(tmp_path / "copy"), write(tmp_path / "serving" / "17")
    DAMAGES[damage](version)
    assert serving_folder.restore(tmp_path / "serving", artifact(copy)) == version
    assert read(tmp_path / "serving") == {f"17/{name}": FILES[name] for name in FILES}


def test_what_is_whole_and_what_is_beside_it_stay(tmp_path: Path) -> None:
    copy, version = write(tmp_path / "copy"), write(tmp_path / "serving" / "17")
    (version / "notes").write_text("mine")
    times = [path.stat().st_mtime_ns for path in sorted(version.rglob("*"))]
    assert serving_folder.restore(tmp_path / "serving", artifact(copy)) is None
    assert [path.stat().st_mtime_ns for path in sorted(version.rglob("*"))] == times
    assert read(version) == {**FILES, "notes": "mine"}


def test_a_model_that_was_not_pushed_is_not_served(tmp_path: Path) -> None:
    copy = write(tmp_path / "copy")
    assert serving_folder.restore(tmp_path / "serving", artifact(copy, pushed=0)) is None
    assert not (tmp_path / "serving").exists()
