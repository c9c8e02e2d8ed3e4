"""Does on this machine what a cluster does with a job spec: each node its command, alone.

A node gets what it would get there and no more: the command and the arguments of the spec, its
inputs by their URIs, an empty folder, an environment without ours, and the installed packages.
"""

import contextlib
import graphlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf import json_format, struct_pb2
from kfp.pipeline_spec.pipeline_spec_pb2 import (
    ExecutorInput,
    ExecutorOutput,
    PipelineSpec,
    RuntimeArtifact,
)

from components.multi_worker_trainer import vertex
from components.text_example_gen import files
from pipeline import failures
from pipeline.cluster import job_spec
from pipeline.cluster.rehearsal import vertex_stand_in
from pipeline.cluster.rehearsal.installed_python import installed_python
from pipeline.failures import ComponentFailedError, WrongCommandError
from pipeline.results.records import ComponentProgress, ComponentRun, ShowProgress

_INVOCATION = "{{$}}"
_LOOK_SECONDS = 1.0
_LAST_BYTES = 1 << 14  # of a log, in which the reason of a failure is looked for

# Of the nodes that have ended, by task and output key.
_NodeArtifacts = dict[tuple[str, str], list[RuntimeArtifact]]


class _Rehearsal(NamedTuple):
    """What holds of all nodes."""

    spec: PipelineSpec
    parameters: Mapping[str, struct_pb2.Value]  # those that are set at submission
    root: Path
    python: Path  # the folder of the interpreter
    show_progress: ShowProgress

    def folder(self, name: str) -> Path:
        made = self.root / name
        made.mkdir(parents=True, exist_ok=True)
        return made


def rehearse(
    spec: PipelineSpec, root: Path, given: Mapping[str, str], show_progress: ShowProgress
) -> dict[tuple[str, str], str]:
    """Runs the nodes of a job spec in the order of its DAG.

    Args:
      spec: of `skipgram compile`.
      root: an empty folder, or one that is made, for all that the nodes write.
      given: runtime parameters; what is not given is the spec's default, but for the folders that
        are written to, which are `root`'s.
      show_progress: is called when a node starts, while it runs and when it has ended.

    Returns:
      The URIs of all outputs by task and key.

    Raises:
      WrongCommandError: a parameter is unknown, or the corpus is not of this machine.
      ComponentFailedError: a node failed; those that need it did not run.
    """
    parameters = _parameters(spec, root, given)
    corpus = parameters[job_spec.CORPUS].string_value
    if files.is_remote(corpus):
        raise WrongCommandError(
            f"the job spec reads {corpus}, and a rehearsal has the files of this machine alone: "
            "give --parameter corpus=FOLDER"
        )
    root.mkdir(parents=True, exist_ok=True)
    python = installed_python(root / "python")
    rehearsal = _Rehearsal(spec, parameters, root, python, show_progress)
    tasks = spec.root.dag.tasks
    order = graphlib.TopologicalSorter(
        {name: set(task.dependent_tasks) for name, task in sorted(tasks.items())}
    )
    artifacts: _NodeArtifacts = {}
    for name in order.static_order():
        found = _run_node(rehearsal, name, artifacts)
        artifacts.update({(name, key): some for key, some in found.items()})
    return {key: some[0].uri for key, some in artifacts.items()}


def _parameters(
    spec: PipelineSpec, root: Path, given: Mapping[str, str]
) -> dict[str, struct_pb2.Value]:
    values = {**job_spec.folders(str(root)), **job_spec.parameter_values(spec, given)}
    definitions = spec.root.input_definitions.parameters
    return {
        name: _value(values[name]) if name in values else definition.default_value
        for name, definition in definitions.items()
    }


def _value(given: str | int) -> struct_pb2.Value:
    if isinstance(given, str):
        return struct_pb2.Value(string_value=given)
    return struct_pb2.Value(number_value=given)


def _run_node(
    rehearsal: _Rehearsal, name: str, artifacts: _NodeArtifacts
) -> dict[str, list[RuntimeArtifact]]:
    spec = rehearsal.spec
    component = spec.components[spec.root.dag.tasks[name].component_ref.name]
    container = job_spec.executors_of(spec)[component.executor_label].container
    executor_input = _executor_input(rehearsal, name, artifacts)
    started = time.monotonic()
    hook = container.lifecycle.pre_cache_check
    for command in ([*hook.command, *hook.args], [*container.command, *container.args]):
        if command:
            _run(rehearsal, name, _filled_in(command, executor_input), container.env, started)
    rehearsal.show_progress(ComponentRun(name, False, time.monotonic() - started, 0))
    return _outputs(executor_input)


def _executor_input(rehearsal: _Rehearsal, name: str, artifacts: _NodeArtifacts) -> ExecutorInput:
    """What a node is told: its parameters, its inputs, and where its outputs go."""
    task = rehearsal.spec.root.dag.tasks[name]
    component = rehearsal.spec.components[task.component_ref.name]
    told = ExecutorInput()
    told.outputs.output_file = str(rehearsal.folder(f"outputs/{name}") / "output.json")
    for key, source in task.inputs.parameters.items():
        asked = source.component_input_parameter
        value = rehearsal.parameters[asked] if asked else source.runtime_value.constant
        told.inputs.parameter_values[key].CopyFrom(value)
    for key, given in task.inputs.artifacts.items():
        producer = given.task_output_artifact
        some = artifacts[producer.producer_task, producer.output_artifact_key]
        told.inputs.artifacts[key].artifacts.extend(some)
    for key, definition in component.output_definitions.artifacts.items():
        told.outputs.artifacts[key].artifacts.add(
            name=f"{name}/{key}",
            type=definition.artifact_type,
            uri=str(rehearsal.root / "artifacts" / name / key),
        )
    return told


def _filled_in(command: Sequence[str], executor_input: ExecutorInput) -> list[str]:
    invocation = json_format.MessageToJson(executor_input, indent=None)
    command = [invocation if word == _INVOCATION else word for word in command]
    if vertex.__name__ in " ".join(command):
        # There is no Vertex here: what would be asked of it is done by processes.
        custom_config = executor_input.inputs.parameter_values["custom_config"].string_value
        exposed = json.loads(custom_config)["trainer"]["expose_workers"]
        place = vertex_stand_in.EXPOSED if exposed else vertex_stand_in.PRIVATE
        return [command[0], "-P", "-m", vertex_stand_in.__name__, place, *command[2:]]
    return command


def _run(
    rehearsal: _Rehearsal, name: str, command: list[str], variables: Iterable[Any], started: float
) -> None:
    log = rehearsal.folder("logs") / f"{name}.log"
    environment = {
        "PATH": f"{rehearsal.python}:/usr/bin:/bin",
        "HOME": str(rehearsal.folder(f"home/{name}")),
        "TMPDIR": str(rehearsal.folder(f"tmp/{name}")),
        "LANG": "C.UTF-8",
        **{variable.name: variable.value for variable in variables},
    }
    # The name is looked up in the environment's PATH, not in ours.
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        raise ComponentFailedError(name, f"there is no program {command[0]!r}", "", log)
    with log.open("ab") as file:
        process = subprocess.Popen(
            [program, *command[1:]],
            env=environment,
            cwd=rehearsal.folder(f"work/{name}"),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # to end what it starts, too
        )
        try:
            while _is_running(process):
                rehearsal.show_progress(ComponentProgress(name, time.monotonic() - started, ""))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        trace = _last_of(log)
        raise ComponentFailedError(name, failures.sentence_in(trace), trace, log)


def _is_running(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _last_of(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - _LAST_BYTES, 0))
        return file.read().decode(errors="replace")


def _outputs(executor_input: ExecutorInput) -> dict[str, list[RuntimeArtifact]]:
    """The artifacts with what the executor has written of them."""
    written = ExecutorOutput()
    text = Path(executor_input.outputs.output_file).read_text(encoding="utf-8")
    json_format.Parse(text, written, ignore_unknown_fields=True)
    outputs = {}
    for key, some in executor_input.outputs.artifacts.items():
        [artifact] = some.artifacts
        for changed in written.artifacts[key].artifacts:
            artifact.metadata.update(json_format.MessageToDict(changed.metadata))
            artifact.uri = changed.uri or artifact.uri
        outputs[key] = [artifact]
    return outputs
