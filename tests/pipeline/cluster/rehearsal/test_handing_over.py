"""What a node of a rehearsal is told, and what is taken from it."""

import json
from pathlib import Path

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import ExecutorInput, PipelineSpec, RuntimeArtifact

from pipeline.cluster.rehearsal import handing_over
from pipeline.cluster.rehearsal.handing_over import Outputs, Places
from pipeline.cluster.rehearsal.metadata_stores import KubeflowStore, Store, VertexStore
from trainer_module.errors import InputError

# A node lists, and the next one is told how many, of what, and the list.
SPEC = yaml.safe_load("""
components:
  lister:
    outputDefinitions:
      artifacts: {listing: {artifactType: {instanceSchema: "title: tfx.String\\ntype: object\\n"}}}
      parameters: {listing: {parameterType: STRING}, number: {parameterType: NUMBER_INTEGER}}
  reader:
    inputDefinitions:
      artifacts: {listing: {artifactType: {instanceSchema: "title: tfx.String\\ntype: object\\n"}}}
root:
  dag:
    tasks:
      lister: {componentRef: {name: lister}}
      reader:
        componentRef: {name: reader}
        dependentTasks: [lister]
        inputs:
          artifacts:
            listing: {taskOutputArtifact: {producerTask: lister, outputArtifactKey: listing}}
          parameters:
            listed: {taskOutputParameter: {producerTask: lister, outputParameterKey: listing}}
            number: {taskOutputParameter: {producerTask: lister, outputParameterKey: number}}
            split: {runtimeValue: {constant: train}}
""")


@pytest.fixture
def spec() -> PipelineSpec:
    return json_format.ParseDict(SPEC, PipelineSpec())


def told(spec: PipelineSpec, task: str, folder: Path, outputs: Outputs) -> ExecutorInput:
    places = Places(str(folder / task), folder, folder / f"{task}.json")
    return handing_over.executor_input(spec, task, {}, outputs, places)


def test_an_output_parameter_is_the_next_nodes_input(spec: PipelineSpec, tmp_path: Path) -> None:
    outputs = Outputs({}, {})
    of_lister = told(spec, "lister", tmp_path, outputs)
    assert json_format.MessageToDict(of_lister.outputs) == {
        "artifacts": {
            "listing": {
                "artifacts": [
                    {
                        "name": "listing",
                        "type": {"instanceSchema": "title: tfx.String\ntype: object\n"},
                        "uri": f"{tmp_path}/lister/listing",
                    }
                ]
            }
        },
        "parameters": {
            "listing": {"outputFile": f"{tmp_path}/listing"},
            "number": {"outputFile": f"{tmp_path}/number"},
        },
        "outputFile": f"{tmp_path}/lister.json",
    }
    # One is in what the executor says, the other in its own file.
    (tmp_path / "lister.json").write_text(json.dumps({"parameterValues": {"listing": "a.txt 5"}}))
    (tmp_path / "number").write_text("12\n")
    handing_over.take(spec, "lister", of_lister, KubeflowStore(), outputs)

    inputs = json_format.MessageToDict(told(spec, "reader", tmp_path, outputs).inputs)
    assert inputs["artifacts"]["listing"]["artifacts"] == [
        {
            "name": "1",
            "type": {"instanceSchema": ""},
            "uri": f"{tmp_path}/lister/listing",
            "metadata": {"display_name": "listing", "store_session_info": "null"},
        }
    ]
    assert inputs["parameterValues"] == {"listed": "a.txt 5", "number": 12, "split": "train"}


@pytest.mark.parametrize(
    ("number", "complaint"),
    [
        (None, "it has given no output parameter 'number'"),
        ("twelve", "its output parameter 'number' is no NUMBER_INTEGER: 'twelve'"),
    ],
)
def test_an_output_parameter_that_is_not_given_is_named(
    spec: PipelineSpec, tmp_path: Path, number: str | None, complaint: str
) -> None:
    outputs = Outputs({}, {})
    of_lister = told(spec, "lister", tmp_path, outputs)
    (tmp_path / "lister.json").write_text(json.dumps({"parameterValues": {"listing": "a.txt 5"}}))
    if number is not None:
        (tmp_path / "number").write_text(number)
    with pytest.raises(InputError, match=complaint):
        handing_over.take(spec, "lister", of_lister, KubeflowStore(), outputs)


def test_what_the_launcher_could_not_read_is_refused(spec: PipelineSpec, tmp_path: Path) -> None:
    outputs = Outputs({}, {})
    of_lister = told(spec, "lister", tmp_path, outputs)
    (tmp_path / "lister.json").write_text(json.dumps({"values": {}}))
    with pytest.raises(InputError, match=r"what it says of its outputs cannot be read: .*values"):
        handing_over.take(spec, "lister", of_lister, KubeflowStore(), outputs)


ARTIFACT = {
    "name": "model",
    "type": {"instanceSchema": "title: tfx.Model\ntype: object\n"},
    "uri": "gs://bucket/model",
    "metadata": {"pushed": True, "version": 3, "splits": ["train"], "of": {"run": "a"}},
}


def handed_on(store: Store, artifact: dict[str, object]) -> dict[str, object]:
    given = json_format.ParseDict(artifact, RuntimeArtifact())
    store.handed_on("model", given)
    found: dict[str, object] = json_format.MessageToDict(store.handed_on("model", given))
    return found


def test_kubeflow_forgets_the_type_and_has_its_own_kinds_of_values() -> None:
    assert handed_on(KubeflowStore(), ARTIFACT) == {
        "name": "2",
        "type": {"instanceSchema": ""},
        "uri": "gs://bucket/model",
        "metadata": {
            "pushed": 1,
            "version": 3,
            "splits": {"list": ["train"]},
            "of": {"struct": {"run": "a"}},
            "display_name": "model",
            "store_session_info": "null",
        },
    }


def test_kubeflow_refuses_a_property_without_value() -> None:
    with pytest.raises(InputError, match="the property 'run' of its output 'model' has no value"):
        handed_on(KubeflowStore(), {"metadata": {"run": None}})


def test_vertex_keeps_all_but_the_name() -> None:
    name = "projects/1/locations/here/metadataStores/default/artifacts/2"
    assert handed_on(VertexStore(), ARTIFACT) == {**ARTIFACT, "name": name}
