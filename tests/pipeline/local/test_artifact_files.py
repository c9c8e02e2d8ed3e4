"""Real folders, and executions in a real store."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.config import MetadataConfig
from pipeline.local import artifact_files, metadata_store
from pipeline.local.output_folder import OutputFolder
from tests.pipeline.local.test_metadata_store import put_execution


@pytest.fixture
def store(tmp_path: Path) -> MetadataStore:
    location = metadata_store.store_location(MetadataConfig(), OutputFolder(tmp_path))
    return metadata_store.open_store(location.connection)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in (("a.gz", b"\x1f\x8b\x08"), ("sub/b.gz", b"12345"), ("empty", b"")):
        path = tmp_path / "examples" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "examples"


def ended(store: MetadataStore, folder: Path) -> mlmd.Execution:
    number = put_execution(
        store, "Transform", mlmd.Execution.COMPLETE, outputs={"examples": folder}
    )
    [execution] = store.get_executions_by_id([number])
    artifact_files.note(store, execution)
    return execution


def rewrite_with_the_same_size(path: Path, *, other: bool) -> None:
    content = path.read_bytes()
    path.write_bytes(content[::-1] if other else content)
    os.utime(path, ns=(1, 1))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (lambda folder: os.truncate(folder / "sub/b.gz", 2), "sub/b.gz has 2 bytes of 5"),
    "gone": (lambda folder: (folder / "a.gz").unlink(), "a.gz is missing"),
    "a folder for a file": (
        lambda folder: ((folder / "a.gz").unlink(), (folder / "a.gz").mkdir()),
        "a.gz is missing",
    ),
    "another": (
        lambda folder: rewrite_with_the_same_size(folder / "a.gz", other=True),
        "a.gz has another content",
    ),
    "longer": (lambda folder: (folder / "empty").write_bytes(b"x"), "empty has 1 bytes of 0"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_said_and_the_artifact_is_no_longer_used(
    store: MetadataStore, folder: Path, damage: str
) -> None:
    do, said = DAMAGES[damage]
    number = ended(store, folder).id
    do(folder)
    assert artifact_files.disown_damaged(store, store.get_executions()) == [
        f"{folder} is damaged: {said}"
    ]
    [execution] = store.get_executions_by_id([number])
    assert execution.last_known_state == mlmd.Execution.FAILED
    [artifact] = store.get_artifacts()
    assert artifact.state == mlmd.Artifact.DELETED
    # It is said once.
    assert artifact_files.disown_damaged(store, store.get_executions()) == []


def test_a_folder_that_is_gone_is_said(store: MetadataStore, folder: Path) -> None:
    ended(store, folder)
    shutil.rmtree(folder)
    assert artifact_files.disown_damaged(store, store.get_executions()) == [f"{folder} is gone"]


def test_what_is_whole_is_used(store: MetadataStore, folder: Path) -> None:
    ended(store, folder)
    (folder / "notes").write_text("mine")
    rewrite_with_the_same_size(folder / "a.gz", other=False)  # as a copy of the folder is
    assert artifact_files.disown_damaged(store, store.get_executions()) == []
    [execution] = store.get_executions()
    assert execution.last_known_state == mlmd.Execution.COMPLETE


def test_of_an_older_version_nothing_is_known(store: MetadataStore, folder: Path) -> None:
    put_execution(store, "Transform", mlmd.Execution.COMPLETE, outputs={"examples": folder})
    shutil.rmtree(folder)
    assert artifact_files.disown_damaged(store, store.get_executions()) == []


def test_what_is_damaged_is_removed_before_a_run(store: MetadataStore, tmp_path: Path) -> None:
    folder = tmp_path / "artifacts" / "Transform" / "examples" / "1"
    folder.mkdir(parents=True)
    (folder / "a.gz").write_text("abc")
    assert ended(store, folder).id == 1
    (folder / "a.gz").write_text("a")
    [said] = metadata_store.remove_unusable(store, "skipgram", tmp_path / "artifacts")
    assert said == f"{folder} is damaged: a.gz has 1 bytes of 3"
    assert not folder.exists()


def test_what_a_disk_has_lost_is_found_by_reading_all(
    store: MetadataStore, folder: Path, tmp_path: Path
) -> None:
    ended(store, folder)
    file = folder / "sub" / "b.gz"
    times = file.stat()
    file.write_bytes(b"12!45")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert artifact_files.disown_damaged(store, store.get_executions()) == []
    said = metadata_store.why_unreadable(store, "skipgram")
    assert said == f"{folder} is damaged: sub/b.gz has another content"
    # Its component runs again now.
    [execution] = store.get_executions()
    assert execution.last_known_state == mlmd.Execution.FAILED
    assert metadata_store.why_unreadable(store, "skipgram") is None
    assert metadata_store.why_unreadable(store, "of-nobody") is None
