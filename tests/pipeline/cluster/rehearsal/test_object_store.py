"""Copies of inputs, as the launcher of Kubeflow Pipelines makes them."""

import functools
from pathlib import Path

import pytest
from kfp.pipeline_spec.pipeline_spec_pb2 import ExecutorInput

from pipeline.cluster.rehearsal.object_store import ObjectStore
from tests.gcs import launcher
from tests.gcs.store import Store
from trainer_module.errors import InputError


@pytest.fixture
def store() -> Store:
    made = Store(["words"])
    for name in ("examples/Split-train/a", "examples/Split-eval/b", "schema/schema.pbtxt"):
        made.put("words", f"output/{name}", name.encode())
    return made


def copy_inputs(store: Store, pod: Path) -> None:
    told = ExecutorInput()
    for key in ("examples", "schema"):
        told.inputs.artifacts[key].artifacts.add(uri=f"gs://words/output/{key}")
    objects = ObjectStore("gs://words/output", {}, functools.partial(launcher.download, store))
    objects.copy_inputs(told, pod)


def test_each_input_is_copied(store: Store, tmp_path: Path) -> None:
    copy_inputs(store, tmp_path)
    files = {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    }
    assert files == {"examples/Split-train/a", "examples/Split-eval/b", "schema/schema.pbtxt"}


def test_an_object_that_stands_for_a_folder_keeps_a_node_from_starting(
    store: Store, tmp_path: Path
) -> None:
    store.put("words", "output/examples/Split-train/", b"")
    with pytest.raises(InputError, match="'examples' cannot be copied from gs://words/output/ex"):
        copy_inputs(store, tmp_path)
