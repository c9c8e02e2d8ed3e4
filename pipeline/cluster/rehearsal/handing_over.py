"""What a cluster tells a node, and takes from it: kfp's ExecutorInput and ExecutorOutput."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from google.protobuf import json_format, struct_pb2
from kfp.pipeline_spec.pipeline_spec_pb2 import (
    ComponentSpec,
    ExecutorInput,
    ExecutorOutput,
    ParameterType,
    PipelineSpec,
    PipelineTaskSpec,
    RuntimeArtifact,
)

from pipeline.cluster.rehearsal.metadata_stores import Store
from trainer_module.errors import InputError


class Outputs(NamedTuple):
    """Of the nodes that have ended, by task and output key."""

    artifacts: dict[tuple[str, str], RuntimeArtifact]
    parameters: dict[tuple[str, str], struct_pb2.Value]

    @property
    def uris(self) -> dict[tuple[str, str], str]:
        """Of the artifacts."""
        return {key: artifact.uri for key, artifact in self.artifacts.items()}


class Places(NamedTuple):
    """Where a node writes to."""

    artifacts: str  # a folder or URI, below which each has its own
    parameters: Path  # a folder with a file for each
    output_file: Path  # the node's ExecutorOutput


def component_of(spec: PipelineSpec, task: str) -> ComponentSpec:
    """The component that a task runs."""
    return spec.components[spec.root.dag.tasks[task].component_ref.name]


def executor_input(
    spec: PipelineSpec,
    task: str,
    parameters: Mapping[str, struct_pb2.Value],
    outputs: Outputs,
    places: Places,
) -> ExecutorInput:
    """What a node is told: its parameters, its inputs, and where its outputs go.

    Args:
      spec: the job spec.
      task: name of the node's task.
      parameters: those that are set at submission.
      outputs: of the nodes before.
      places: of this node.
    """
    told = ExecutorInput()
    told.outputs.output_file = str(places.output_file)
    inputs = spec.root.dag.tasks[task].inputs
    for key, source in inputs.parameters.items():
        told.inputs.parameter_values[key].CopyFrom(_value_of(source, parameters, outputs))
    for key, given in inputs.artifacts.items():
        producer = given.task_output_artifact
        artifact = outputs.artifacts[producer.producer_task, producer.output_artifact_key]
        told.inputs.artifacts[key].artifacts.append(artifact)
    definitions = component_of(spec, task).output_definitions
    for key, definition in definitions.artifacts.items():
        uri = f"{places.artifacts}/{key}"
        told.outputs.artifacts[key].artifacts.add(name=key, type=definition.artifact_type, uri=uri)
    for key in definitions.parameters:
        told.outputs.parameters[key].output_file = str(places.parameters / key)
    return told


def _value_of(
    source: "PipelineTaskSpec.InputParameterSpec",
    parameters: Mapping[str, struct_pb2.Value],
    outputs: Outputs,
) -> struct_pb2.Value:
    if source.HasField("task_output_parameter"):
        producer = source.task_output_parameter
        return outputs.parameters[producer.producer_task, producer.output_parameter_key]
    if asked := source.component_input_parameter:
        return parameters[asked]
    return source.runtime_value.constant


def take(
    spec: PipelineSpec, task: str, told: ExecutorInput, store: Store, outputs: Outputs
) -> None:
    """Takes what a node has given to `outputs`.

    Args:
      spec: the job spec.
      task: name of the node's task.
      told: what the node was told.
      store: what makes of its artifacts what the next nodes see.
      outputs: is added to.

    Raises:
      InputError: what the node says of its outputs cannot be read, a parameter is missing or not of
        its type, or the store refuses an artifact.
    """
    written = _written(Path(told.outputs.output_file))
    for key, some in told.outputs.artifacts.items():
        [artifact] = some.artifacts
        for changed in written.artifacts[key].artifacts:
            artifact.metadata.MergeFrom(changed.metadata)
            artifact.uri = changed.uri or artifact.uri
        outputs.artifacts[task, key] = store.handed_on(key, artifact)
    definitions = component_of(spec, task).output_definitions.parameters
    for key, place in told.outputs.parameters.items():
        # What the executor says of it comes before what it wrote into the parameter's own file.
        if key in written.parameter_values:
            value = written.parameter_values[key]
        else:
            value = _read(key, Path(place.output_file), definitions[key].parameter_type)
        outputs.parameters[task, key] = value


def _written(path: Path) -> ExecutorOutput:
    """What the executor says, which may be nothing."""
    written = ExecutorOutput()
    if not path.exists():
        return written
    try:
        # As strict as the launcher of Kubeflow Pipelines: nothing that it does not know.
        json_format.Parse(path.read_text(encoding="utf-8"), written)
    except json_format.ParseError as error:
        raise InputError(f"what it says of its outputs cannot be read: {error}") from error
    return written


def _read(key: str, path: Path, kind: int) -> struct_pb2.Value:
    """The value in the file of an output parameter."""
    if not path.exists():
        raise InputError(f"it has given no output parameter {key!r}")
    text = path.read_text(encoding="utf-8")
    if kind == ParameterType.STRING:
        return struct_pb2.Value(string_value=text)
    try:
        value: struct_pb2.Value = json_format.Parse(text.strip(), struct_pb2.Value())
    except json_format.ParseError as error:
        name = ParameterType.ParameterTypeEnum.Name(kind)
        raise InputError(f"its output parameter {key!r} is no {name}: {text!r}") from error
    return value
