"""A node's entry point, on what Kubeflow Pipelines gives it: types, code, empty folder objects."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from absl import flags
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import ComponentInputsSpec, ExecutorInput

from components import cores, entry_point, fingerprint
from components.tfx_api import kubeflow_v2_run_executor
from tests.saved_models import write_saved_model
from trainer_module.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
MODEL = "title: tfx.Model\ntype: object\n"
DECLARED = {
    "artifacts": {
        "model": {"artifactType": {"instanceSchema": MODEL}},
        "model_blessing": {
            "artifactType": {"instanceSchema": "title: tfx.ModelBlessing\ntype: object\n"}
        },
    },
    "parameters": {
        "code_fingerprint": {"parameterType": "STRING"},
        "formats": {"parameterType": "STRING"},
        "min_recall": {"parameterType": "NUMBER_DOUBLE"},
    },
}


def untyped(number: int, uri: Path, **metadata: object) -> dict[str, object]:
    """An input as the driver of Kubeflow Pipelines 2.17 writes it: its name is MLMD's id."""
    return {
        "artifacts": [
            {
                "name": str(number),
                "type": {"instanceSchema": ""},
                "uri": str(uri),
                "metadata": {"display_name": "model", "store_session_info": "null", **metadata},
            }
        ]
    }


class Node(NamedTuple):
    """The EmbeddingExporter of a model that was blessed."""

    folder: Path
    arguments: list[str]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    write_saved_model(tmp_path / "model" / "Format-Serving", {"the": 2, "sea": 1}, [[1, 0], [0, 1]])
    told = {
        "inputs": {
            "artifacts": {
                "model": untyped(7, tmp_path / "model"),
                "model_blessing": untyped(9, tmp_path / "blessing", blessed=1.0),
            },
            "parameterValues": {
                "code_fingerprint": "f",
                "formats": "word2vec,npy",
                "min_recall": 0.95,
            },
        },
        "outputs": {
            "artifacts": {
                "vectors": {
                    "artifacts": [
                        {
                            "name": "vectors",
                            "type": {"instanceSchema": "title: components.WordVectors\n"},
                            "uri": str(tmp_path / "vectors"),
                        }
                    ]
                }
            },
            "outputFile": str(tmp_path / "task" / "output_metadata.json"),
        },
    }
    name = "components.embedding_exporter.component.EmbeddingExporter_Executor"
    arguments = [
        *("--executor_class_path", name),
        *("--json_serialized_invocation_args", json.dumps(told)),
        *("--json_serialized_inputs_spec_args", json.dumps(DECLARED)),
        *("--runner=FnApiRunner", "--sdk_container_image=none"),
    ]
    return Node(tmp_path, arguments)


@pytest.fixture(autouse=True)
def _flags() -> Iterator[None]:
    """absl's flags are parsed once a process; here several times."""
    yield
    flags.FLAGS.unparse_flags()


def own(fingerprint_given: str) -> list[str]:
    return ["entry_point", f"--code_fingerprint={fingerprint_given}"]


def code_here() -> str:
    return fingerprint.code_fingerprint("components", "pipeline", "trainer_module")


def test_a_node_runs_on_inputs_without_types_and_on_its_cores(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound: list[bool] = []
    monkeypatch.setattr(cores, "take", lambda: bound.append(True))
    with pytest.raises(SystemExit) as ended:
        entry_point.main([*own(code_here()), *node.arguments])
    assert ended.value.code is None
    assert bound == [True]
    assert (node.folder / "vectors" / "vectors.txt").read_text() == "2 2\nthe 1 0\nsea 0 1\n"
    assert np.load(node.folder / "vectors" / "vectors.npy").tolist() == [[1, 0], [0, 1]]
    said = json.loads((node.folder / "task" / "output_metadata.json").read_text())
    [vectors] = said["artifacts"]["vectors"]["artifacts"]
    assert (vectors["name"], vectors["uri"]) == ("vectors", str(node.folder / "vectors"))


def test_tfxs_own_entry_point_does_not(node: Node) -> None:
    """What the types are filled in for: if TFX does it one day, ours can go."""
    parsed = kubeflow_v2_run_executor._parse_flags(["run_executor", *node.arguments])
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'get'"):
        kubeflow_v2_run_executor.main(parsed)
    assert not (node.folder / "vectors").exists()


def test_a_type_that_the_cluster_names_stays() -> None:
    named = {"artifacts": [{"type": {"schemaTitle": "tfx.Model"}}, {"name": "untyped"}]}
    told = json_format.ParseDict({"inputs": {"artifacts": {"model": named}}}, ExecutorInput())
    declared = json_format.ParseDict(DECLARED, ComponentInputsSpec())
    entry_point.say_types(told, declared)
    first, second = told.inputs.artifacts["model"].artifacts
    assert (first.type.schema_title, second.type.instance_schema) == ("tfx.Model", MODEL)


def test_an_input_of_which_nobody_says_the_type_is_named() -> None:
    told = ExecutorInput()
    told.inputs.artifacts["models"].artifacts.add(name="7")
    with pytest.raises(InputError, match="of which type the input 'models' is: compile the spec"):
        entry_point.say_types(told, ComponentInputsSpec())


def test_code_of_another_version_stops_the_node_before_anything_is_imported(
    tmp_path: Path,
) -> None:
    code = "import sys; from components import entry_point as e; e.main(sys.argv)"
    ended = subprocess.run(
        [sys.executable, "-S", "-c", code, "--code_fingerprint=0123456789abcdef"],
        env={"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        "InputError: the job spec was compiled with code 0123456789abcdef, and this image holds "
        f"code {code_here()}: compile the spec with the version that is in the image, or build the "
        "image anew with the version that compiled the spec, and name it by its digest in "
        "deployment.image\n"
    )


class Blob:
    def __init__(self, store: "Store", name: str, size: int):
        self._store, self.name, self.size = store, name, size

    def delete(self) -> None:
        del self._store.objects[self.name]


class Store:
    """What is used of Cloud Storage's client, with one bucket."""

    def __init__(self, objects: dict[str, int]):
        self.objects = objects

    def list_blobs(self, bucket: str, prefix: str) -> list[Blob]:
        assert bucket == "bucket"
        return [Blob(self, *it) for it in self.objects.items() if it[0].startswith(prefix)]


def test_empty_objects_that_stand_for_folders_are_removed_below_the_output_alone() -> None:
    store = Store(
        {
            "out/model/": 0,
            "out/model/Format-Serving/": 0,
            "out/model/Format-Serving/saved_model.pb": 9,
            "out/model/empty": 0,
            "out/model/odd/": 3,
            "out/": 0,
            "out/model_run/": 0,
        }
    )
    entry_point.remove_folder_objects("gs://bucket/out/model", store)
    assert list(store.objects) == [
        "out/model/Format-Serving/saved_model.pb",
        "out/model/empty",
        "out/model/odd/",
        "out/",
        "out/model_run/",
    ]


@pytest.mark.parametrize("uri", ["/gcs/bucket/out/model", "s3://bucket/out/model", "model"])
def test_folders_elsewhere_are_left_alone(uri: str) -> None:
    entry_point.remove_folder_objects(uri, storage=None)
