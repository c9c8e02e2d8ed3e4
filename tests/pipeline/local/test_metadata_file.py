"""A real store, damaged in the ways of disks and people."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config import MetadataConfig
from pipeline.failures import WrongCommandError
from pipeline.local import metadata_store
from pipeline.local.output_folder import OutputFolder
from trainer_module.errors import InputError


def opened(folder: Path) -> list[str]:
    """The runs of the store in an output folder."""
    location = metadata_store.store_location(MetadataConfig(), OutputFolder(folder))
    store = metadata_store.open_store(location.connection)
    return [run.run_id for run in metadata_store.runs(store, location.pipeline_name)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The store of an output folder that holds an artifact."""
    location = metadata_store.store_location(MetadataConfig(), OutputFolder(tmp_path))
    store = metadata_store.open_store(location.connection)
    metadata_store.begin_run(store, location.pipeline_name, "monday", "x")
    (tmp_path / "artifacts").mkdir()
    return tmp_path / "metadata.sqlite"


def execute(file: Path, statement: str) -> None:
    with sqlite3.connect(file) as store:
        store.execute(statement)
    store.close()


def overwrite(file: Path, begin: int, length: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(begin)
        opened.write(b"\xaa" * length)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "half": (lambda file: os.truncate(file, file.stat().st_size // 2), "malformed"),
    "without its end": (lambda file: os.truncate(file, file.stat().st_size - 5_000), "malformed"),
    "empty": (lambda file: os.truncate(file, 0), "it is empty"),
    "text": (lambda file: file.write_text("hello\n" * 1_000), "file is not a database"),
    "header": (lambda file: overwrite(file, 0, 16), "file is not a database"),
    "pages": (lambda file: overwrite(file, 40_000, 8_192), ""),
    "a table dropped": (lambda file: execute(file, "drop table Event"), "There are a subset"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_said_with_the_way_out_and_what_it_costs(file: Path, damage: str) -> None:
    do, reason = DAMAGES[damage]
    do(file)
    with pytest.raises(InputError) as caught:
        opened(file.parent)
    said = str(caught.value)
    assert said.startswith(f"the metadata store {file} is damaged (")
    assert reason in said
    assert f"remove it and {file.parent / 'artifacts'}, and give the same command" in said
    assert "the list of earlier runs and the model to compare with are lost" in said
    assert "\n" not in said
    assert len(said) < 450
    # The advice is good.
    file.unlink()
    (file.parent / "artifacts").rmdir()
    assert opened(file.parent) == []


def test_a_whole_one_and_none_are_opened(file: Path, tmp_path: Path) -> None:
    assert opened(file.parent) == ["monday"]
    (tmp_path / "new").mkdir()
    assert opened(tmp_path / "new") == []
    # SQLite begins a file with no byte.
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed" / "metadata.sqlite").touch()
    assert opened(tmp_path / "killed") == []


OTHERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "folder": (Path.mkdir, "is no file"),
    "dangling link": (lambda file: file.symlink_to("nowhere"), "is no file"),
    "database": (
        lambda file: execute(file, "create table mine (x)"),
        "is a database of something else",
    ),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_not_ours_is_left_alone(tmp_path: Path, other: str) -> None:
    make, said = OTHERS[other]
    file = tmp_path / "metadata.sqlite"
    make(file)
    with pytest.raises(WrongCommandError) as caught:
        opened(tmp_path)
    assert str(caught.value) == (
        f"{file} {said}, and a run keeps its metadata there: move it away, or choose another "
        "folder with --output"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_one_that_must_not_be_written_to_says_so(file: Path) -> None:
    file.chmod(0o400)
    with pytest.raises(WrongCommandError, match="its permissions forbid it: change them"):
        opened(file.parent)


def test_one_of_a_newer_version_is_not_called_damaged(file: Path) -> None:
    execute(file, "update MLMDEnv set schema_version = 99")
    with pytest.raises(InputError, match="was written by a newer version of ml-metadata"):
        opened(file.parent)


def test_one_that_a_run_is_writing_to_is_not_called_damaged(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.local.metadata_file._SECONDS_OF_A_LOCK", 0.1)
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("begin exclusive")
    metadata_store.store_location(MetadataConfig(), OutputFolder(file.parent))
    writer.close()
