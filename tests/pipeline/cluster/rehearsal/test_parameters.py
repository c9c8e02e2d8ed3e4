"""Where the nodes of a rehearsal read and write, by what a person gives."""

import json
from pathlib import Path

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec

from pipeline.cluster.rehearsal.rehearsal import parameters_of

ROOT = Path("/rehearsal")
SPEC = {
    "root": {
        "inputDefinitions": {
            "parameters": {
                "corpus": {"parameterType": "STRING", "defaultValue": "gs://bucket/books"},
                "epochs": {"parameterType": "NUMBER_INTEGER", "defaultValue": 2},
                "output": {"parameterType": "STRING", "defaultValue": "gs://bucket/output"},
                "push_destination": {"parameterType": "STRING", "defaultValue": "{}"},
            }
        }
    }
}


def parameters(**given: str) -> dict[str, object]:
    spec = json_format.ParseDict(SPEC, PipelineSpec())
    found = parameters_of(spec, ROOT, given)
    return {name: json_format.MessageToDict(value) for name, value in found.items()}


def test_what_is_written_goes_below_the_root() -> None:
    pushed = parameters().pop("push_destination")
    assert json.loads(str(pushed)) == {"filesystem": {"baseDirectory": "/rehearsal/serving"}}
    assert parameters() == {
        "corpus": "gs://bucket/books",
        "epochs": 2,
        "output": "/rehearsal",
        "push_destination": pushed,
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("first/serving", "/here/first/serving"),
        ("/first/serving/", "/first/serving"),
        ("gs://bucket/serving", "gs://bucket/serving"),
        ('{"filesystem": {"baseDirectory": "first"}}', "first"),
    ],
)
def test_a_model_is_pushed_to_a_folder_a_uri_or_what_tfx_calls_a_destination(
    given: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getcwd", lambda: "/here")
    pushed = parameters(push_destination=given)["push_destination"]
    assert json.loads(str(pushed)) == {"filesystem": {"baseDirectory": expected}}


def test_a_path_is_that_of_who_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getcwd", lambda: "/here")
    found = parameters(corpus="books", output="gs://bucket/other", epochs="5")
    assert (found["corpus"], found["output"], found["epochs"]) == (
        "/here/books",
        "gs://bucket/other",
        5,
    )
