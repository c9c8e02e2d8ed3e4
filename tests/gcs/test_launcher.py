"""What Kubeflow Pipelines makes of objects."""

from pathlib import Path

import pytest

from tests.gcs.launcher import download
from tests.gcs.store import Store


def test_objects_become_files(tmp_path: Path) -> None:
    store = Store(["words"])
    for name in ("run/model/a", "run/model/assets/b", "run/model_run/c"):
        store.put("words", name, name.encode())
    download(store, "gs://words/run/model", tmp_path / "model")
    assert (tmp_path / "model" / "a").read_text() == "run/model/a"
    assert (tmp_path / "model" / "assets" / "b").read_text() == "run/model/assets/b"
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 2


@pytest.mark.parametrize("folder", ["run/model/", "run/model/assets/"])
def test_an_object_that_is_a_folder_is_in_the_way(folder: str, tmp_path: Path) -> None:
    store = Store(["words"])
    store.put("words", folder, b"")
    store.put("words", "run/model/assets/b", b"")
    with pytest.raises(OSError, match=r"exists|Not a directory"):
        download(store, "gs://words/run/model", tmp_path / "model")
