"""What the driver of Kubeflow Pipelines 2.17 makes of a node's parameters, by their types.

It is its `resolveInputs`: what is declared as text becomes text, and all else must be of its type.
"""

from typing import Any

from google.protobuf import json_format, struct_pb2
from kfp.pipeline_spec.pipeline_spec_pb2 import ParameterType

from trainer_module.errors import InputError

# By the type in a spec, the kind that a value must be of.
_KINDS = {
    ParameterType.NUMBER_DOUBLE: "number_value",
    ParameterType.NUMBER_INTEGER: "number_value",
    ParameterType.BOOLEAN: "bool_value",
    ParameterType.LIST: "list_value",
    ParameterType.STRUCT: "struct_value",
}


def by_their_types(inputs: Any, declared: Any) -> None:
    """Makes parameters what they are declared as.

    Args:
      inputs: kfp's ExecutorInput.Inputs; is changed.
      declared: the component's ComponentInputsSpec.

    Raises:
      InputError: one has no value, or is not of its type.
    """
    for name, definition in declared.parameters.items():
        if name in inputs.parameter_values:
            _check(name, inputs.parameter_values[name], definition.parameter_type)
        elif not (definition.is_optional or definition.HasField("default_value")):
            raise InputError(f"its parameter {name!r} has no value")


def _check(name: str, value: struct_pb2.Value, declared: int) -> None:
    kind = value.WhichOneof("kind")
    if declared == ParameterType.STRING:
        if kind != "string_value":
            value.string_value = json_format.MessageToJson(value, indent=None)
    elif kind != _KINDS.get(declared):
        raise InputError(
            f"its parameter {name!r} is {json_format.MessageToJson(value, indent=None)}, and the "
            f"job spec declares it as {ParameterType.ParameterTypeEnum.Name(declared)}"
        )
