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
from kfp.pipeline_spec.pipeline_spec_pb2 import ExecutorInput, PipelineSpec

from components.multi_worker_trainer import vertex
from components.text_example_gen import files
from pipeline import failures
from pipeline.cluster import job_spec
from pipeline.cluster.rehearsal import handing_over, vertex_stand_in
from pipeline.cluster.rehearsal.handing_over import Folders, Outputs
from pipeline.cluster.rehearsal.installed_python import installed_python
from pipeline.failures import ComponentFailedError, WrongCommandError
from pipeline.results.records import ComponentProgress, ComponentRun, ShowProgress
from trainer_module.errors import InputError

_INVOCATION = "{{$}}"
_LOOK_SECONDS = 1.0
_LAST_BYTES = 1 << 14  # of a log, in which the reason of a failure is looked for


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

    def log(self, name: str) -> Path:
        return self.folder("logs") / f"{name}.log"


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
    outputs = Outputs({}, {})
    for name in order.static_order():
        _run_node(rehearsal, name, outputs)
    return {key: artifact.uri for key, artifact in outputs.artifacts.items()}


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


def _run_node(rehearsal: _Rehearsal, name: str, outputs: Outputs) -> None:
    spec = rehearsal.spec
    component = handing_over.component_of(spec, name)
    container = job_spec.executors_of(spec)[component.executor_label].container
    folders = Folders(
        artifacts=rehearsal.root / "artifacts" / name,
        parameters=rehearsal.folder(f"outputs/{name}/parameters"),
        output_file=rehearsal.folder(f"outputs/{name}") / "output.json",
    )
    told = handing_over.executor_input(spec, name, rehearsal.parameters, outputs, folders)
    started = time.monotonic()
    hook = container.lifecycle.pre_cache_check
    for command in ([*hook.command, *hook.args], [*container.command, *container.args]):
        if command:
            _run(rehearsal, name, _filled_in(command, told), container.env, started)
    rehearsal.show_progress(ComponentRun(name, False, time.monotonic() - started, 0))
    try:
        handing_over.take(spec, name, told, outputs)
    except InputError as error:
        raise ComponentFailedError(name, str(error), "", rehearsal.log(name)) from error


def _filled_in(command: Sequence[str], executor_input: ExecutorInput) -> list[str]:
    invocation = json_format.MessageToJson(executor_input, indent=None)
    command = [word.replace(_INVOCATION, invocation) for word in command]
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
    log = rehearsal.log(name)
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
