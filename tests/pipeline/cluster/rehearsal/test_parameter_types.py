"""Parameters as the driver of Kubeflow Pipelines hands them on: by the types of the spec."""

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import ComponentInputsSpec, ExecutorInput

from pipeline.cluster.rehearsal.parameter_types import by_their_types
from trainer_module.errors import InputError


def typed(value: object, **declared: object) -> object:
    told = json_format.ParseDict({"inputs": {"parameterValues": {"it": value}}}, ExecutorInput())
    inputs = told.inputs
    if value is None:
        del inputs.parameter_values["it"]
    by_their_types(
        inputs, json_format.ParseDict({"parameters": {"it": declared}}, ComponentInputsSpec())
    )
    return json_format.MessageToDict(inputs).get("parameterValues", {}).get("it")


@pytest.mark.parametrize(
    ("value", "declared", "expected"),
    [
        ("a", "STRING", "a"),
        (True, "STRING", "true"),
        (["a", "b"], "STRING", '["a", "b"]'),
        (2, "NUMBER_INTEGER", 2),
        (0.5, "NUMBER_DOUBLE", 0.5),
        (True, "BOOLEAN", True),
        (["a"], "LIST", ["a"]),
        ({"a": 1}, "STRUCT", {"a": 1}),
    ],
)
def test_what_is_declared_as_text_becomes_text(
    value: object, declared: str, expected: object
) -> None:
    assert typed(value, parameterType=declared) == expected


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        ("2", "NUMBER_INTEGER"),
        ("0.5", "NUMBER_DOUBLE"),
        (1, "BOOLEAN"),
        (True, "NUMBER_INTEGER"),
        ("[]", "LIST"),
        ("{}", "STRUCT"),
    ],
)
def test_what_is_of_another_type_is_refused(value: object, declared: str) -> None:
    with pytest.raises(InputError, match=f"'it' is .*, and the job spec declares it as {declared}"):
        typed(value, parameterType=declared)


def test_only_what_may_be_left_out_may_have_no_value() -> None:
    assert typed(None, parameterType="STRING", isOptional=True) is None
    assert typed(None, parameterType="STRING", defaultValue="a") is None
    with pytest.raises(InputError, match="its parameter 'it' has no value"):
        typed(None, parameterType="STRING")
