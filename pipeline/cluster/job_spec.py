"""What Kubeflow and Vertex are given: the pipeline as a PipelineSpec, by TFX's own compiler."""

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import (
    ComponentOutputsSpec,
    ParameterType,
    PipelineDeploymentConfig,
    PipelineSpec,
)

from components import entry_point, fingerprint
from components.multi_worker_trainer import vertex
from components.text_example_gen import files
from components.tfx_api import BaseNode, Pipeline, RuntimeParameter, kubeflow_v2_dag_runner
from pipeline import graph
from pipeline.atomic import write_aside
from pipeline.beam_arguments import beam_arguments
from pipeline.cluster import cloud_storage, deployment
from pipeline.cluster.amendments import amend
from pipeline.cluster.blessing_required import last_node
from pipeline.config import PIPELINE_NAME, Config
from pipeline.corpus.dates import Corpus
from pipeline.failures import WrongCommandError
from trainer_module.errors import InputError

# What a person sets at submission.
CORPUS = cloud_storage.CORPUS
EPOCHS = "epochs"
OUTPUT = cloud_storage.OUTPUT
PUSH_DESTINATION = cloud_storage.PUSH_DESTINATION

_EXECUTOR_CLASS = "--executor_class_path"
# Where classes and functions of a spec may be: importing a module runs it.
_KNOWN_CODE = ("tfx.", "components.", "trainer_module.", "pipeline.")


def folders(output: str) -> dict[str, str]:
    """The runtime parameters that say what is written to: all of it below one folder or URI."""
    serving = cloud_storage.below(output, "serving")
    return {OUTPUT: output, PUSH_DESTINATION: _destination(serving)}


def _destination(given: str) -> str:
    """Where the Pusher puts models, in protobuf's JSON, of a folder, of a URI, or of such JSON."""
    if given.lstrip().startswith("{"):
        return given
    destination: str = json_format.MessageToJson(graph.push_to(given), indent=None)
    return destination


def target(config: Config) -> graph.Target:
    """A cluster, whose folders and epochs are said when the pipeline is submitted.

    Args:
      config: what they are by default.
    """
    written_to = folders(str(config.deployment.output))
    return graph.Target(
        RuntimeParameter(OUTPUT, str, written_to[OUTPUT]),
        RuntimeParameter(PUSH_DESTINATION, str, written_to[PUSH_DESTINATION]),
        RuntimeParameter(EPOCHS, int, config.trainer.epochs),
        RuntimeParameter(CORPUS, str, files.split_root([deployment.pattern(config)])[0]),
        has_resolvers=False,
        has_drivers=False,
    )


def components(config: Config, of: graph.Target) -> dict[str, BaseNode]:
    """The components by their names, of the letters that Kubernetes allows."""
    made = graph.create_components(config, Corpus([deployment.pattern(config)]), of)
    if config.deployment.fail_if_not_blessed:
        made.append(last_node(config, of, {node.id: node for node in made}))
    named = [node.with_id(_kebab_case(node.id)) for node in made]
    return {node.id: node for node in named}


def _kebab_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def compile_job(config: Config, of: graph.Target, nodes: Iterable[BaseNode]) -> dict[str, Any]:
    """The job spec of components; see compile_job of the runners."""
    pipeline = Pipeline(
        pipeline_name=PIPELINE_NAME,
        pipeline_root=cloud_storage.below(str(config.deployment.output), "artifacts"),
        components=list(nodes),
        enable_cache=True,
        beam_pipeline_args=beam_arguments(config),
    )
    runner = kubeflow_v2_dag_runner.KubeflowV2DagRunner(
        kubeflow_v2_dag_runner.KubeflowV2DagRunnerConfig(
            default_image=config.deployment.image,
            default_commands=_entry_point(),
            # Of the two, the form of parameters that Kubeflow Pipelines knows as well.
            use_pipeline_spec_2_1=True,
        )
    )
    spec: dict[str, Any] = runner.run(pipeline, write_out=False)["pipelineSpec"]
    amend(spec)
    # TFX leaves out what a parameter is where nobody sets it.
    definitions = spec["root"]["inputDefinitions"]["parameters"]
    for parameter in (*of, *of.trainer_place.values()):
        if isinstance(parameter, RuntimeParameter):
            definitions[parameter.name]["defaultValue"] = parameter.default
    return {**spec, "defaultPipelineRoot": pipeline.pipeline_info.pipeline_root}


def _entry_point() -> list[str]:
    """What each node runs, with the arguments that TFX's compiler gives it."""
    code = fingerprint.code_fingerprint(*fingerprint.OF_NODES)
    return ["python", "-m", entry_point.__name__, f"{entry_point.FINGERPRINT_OPTION}={code}"]


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as such: a change of one is a diff of one."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


def write(spec: Mapping[str, Any], path: Path) -> None:
    """Writes a job spec; a reader never sees half of one."""
    write_aside(path, yaml.dump(dict(spec), Dumper=_Dumper, width=100))


def read(path: Path) -> PipelineSpec:
    """Reads a job spec.

    Raises:
      InputError: it cannot be read, or does not fit kfp's protobuf.
    """
    try:
        return parsed(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"cannot read the job spec {path}: {error.strerror}") from error
    except (InputError, UnicodeDecodeError, yaml.YAMLError) as error:
        problem = " ".join(str(error).split())
        raise InputError(f"{path} is no job spec of `skipgram compile`: {problem}") from error


def parsed(content: object) -> PipelineSpec:
    """A job spec in kfp's protobuf.

    Raises:
      InputError: it does not fit.
    """
    try:
        return json_format.ParseDict(content, PipelineSpec())
    except (json_format.ParseError, AttributeError, TypeError) as error:
        problem = " ".join(str(error).split())
        raise InputError(f"it does not fit kfp's PipelineSpec: {problem}") from error


def validate(spec: PipelineSpec) -> None:
    """Checks what can be checked before a cluster is paid for.

    Raises:
      WrongCommandError: it names a class or function that is neither TFX's nor ours: to look for it
        would run the code of others.
      InputError: an input has no producer, a task no component or executor; or a class or function
        that it names cannot be imported.
    """
    if foreign := sorted(name for name in named_code(spec) if not name.startswith(_KNOWN_CODE)):
        raise WrongCommandError(
            f"the job spec names {', '.join(map(repr, foreign))}, and only what is in "
            f"{', '.join(_KNOWN_CODE)} is imported: compile the spec with `skipgram compile`"
        )
    if problems := [*_unconnected(spec), *_unresolved(spec)]:
        raise InputError(f"the job spec cannot run: {'; '.join(problems)}")


def parameter_values(spec: PipelineSpec, given: Mapping[str, str]) -> dict[str, str | int]:
    """The runtime parameters that a person gave, by their types in the spec.

    Args:
      spec: the job spec.
      given: by name; push_destination may be a folder or URI, or a PushDestination in protobuf's
        JSON.

    Raises:
      WrongCommandError: the spec has no parameter of such a name, or it is a whole number there.
    """
    known = spec.root.input_definitions.parameters
    values: dict[str, str | int] = {}
    for name, text in sorted(given.items()):
        if name not in known:
            raise WrongCommandError(
                f"the job spec has no parameter {name!r}: its are {', '.join(sorted(known))}"
            )
        whole = known[name].parameter_type == ParameterType.NUMBER_INTEGER
        if whole and not (text.isdecimal() and int(text)):  # epochs
            raise WrongCommandError(
                f"the parameter {name} = {text!r} is not a whole number of at least 1: give one"
            )
        values[name] = int(text) if whole else text
        if name == PUSH_DESTINATION:
            values[name] = _destination(text)
    return values


def made_for(spec: PipelineSpec) -> str:
    """The cluster whose Trainer a spec has, kubeflow or vertex."""
    arguments = (word for one in executors_of(spec).values() for word in one.container.args)
    return "vertex" if any(word.startswith(vertex.__name__) for word in arguments) else "kubeflow"


def executors_of(spec: PipelineSpec) -> Mapping[str, Any]:
    """The executors of a pipeline by label, each an ExecutorSpec; the spec has them as a struct."""
    content = json_format.MessageToDict(spec.deployment_spec)
    deployment = json_format.ParseDict(content, PipelineDeploymentConfig())
    executors: Mapping[str, Any] = deployment.executors
    return executors


def _unconnected(spec: PipelineSpec) -> Iterator[str]:
    executors, tasks = executors_of(spec), spec.root.dag.tasks
    for name, task in tasks.items():
        component = task.component_ref.name
        if component not in spec.components:
            yield f"{name} names no component: {component!r}"
        elif spec.components[component].executor_label not in executors:
            yield f"{name} has no executor"
        for key, artifact in task.inputs.artifacts.items():
            made = artifact.task_output_artifact
            known = _outputs(spec, made.producer_task).artifacts
            yield from _unknown_producer(
                spec, name, key, made.producer_task, made.output_artifact_key, known
            )
        for key, parameter in task.inputs.parameters.items():
            asked = parameter.component_input_parameter
            if asked and asked not in spec.root.input_definitions.parameters:
                yield f"{name}'s parameter {key!r} comes from {asked!r}, which nobody sets"
            if parameter.HasField("task_output_parameter"):
                given = parameter.task_output_parameter
                values = _outputs(spec, given.producer_task).parameters
                yield from _unknown_producer(
                    spec, name, key, given.producer_task, given.output_parameter_key, values
                )


def _unknown_producer(
    spec: PipelineSpec, task: str, key: str, producer: str, output: str, known: Iterable[str]
) -> Iterator[str]:
    """What is wrong with an input that is an output of another task; known are its outputs."""
    if producer not in spec.root.dag.tasks[task].dependent_tasks:
        yield f"{task} does not wait for {producer!r}, the producer of its input {key!r}"
    if output not in known:
        yield f"no task gives {output!r} of {producer!r}, the input {key!r} of {task}"


def _outputs(spec: PipelineSpec, task: str) -> ComponentOutputsSpec:
    """What a task gives; nothing, if there is no such task."""
    if task not in spec.root.dag.tasks:
        return ComponentOutputsSpec()
    component = spec.root.dag.tasks[task].component_ref.name
    if component not in spec.components:  # to look it up would add it
        return ComponentOutputsSpec()
    return spec.components[component].output_definitions


def _unresolved(spec: PipelineSpec) -> Iterator[str]:
    for label, executor in executors_of(spec).items():
        if _EXECUTOR_CLASS not in executor.container.args[:-1]:
            yield f"{label} runs no executor class"
    for name in named_code(spec):
        yield from _not_importable(name)


def named_code(spec: PipelineSpec) -> Iterator[str]:
    """The dotted names of executor classes and of functions."""
    for executor in executors_of(spec).values():
        arguments = list(executor.container.args)
        if _EXECUTOR_CLASS in arguments[:-1]:
            yield arguments[arguments.index(_EXECUTOR_CLASS) + 1]
    for task in spec.root.dag.tasks.values():
        for key in ("run_fn", "preprocessing_fn"):
            if key in task.inputs.parameters:
                yield task.inputs.parameters[key].runtime_value.constant.string_value


def _not_importable(dotted: str) -> Iterator[str]:
    module, _, name = dotted.rpartition(".")
    try:
        getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        yield f"{dotted!r} cannot be imported ({error})"
