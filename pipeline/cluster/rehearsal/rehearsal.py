"""Does on this machine what a cluster does with a job spec: each node its command, alone.

A node gets what it would get there and no more: the command and the arguments of the spec, its
inputs by their URIs, an empty folder, an environment without ours, and the installed packages.
"""

import graphlib
import json
import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from google.protobuf import json_format, struct_pb2
from kfp.pipeline_spec.pipeline_spec_pb2 import ExecutorInput, PipelineSpec

from components.multi_worker_trainer import vertex
from components.text_example_gen import files
from pipeline import failures
from pipeline.cluster import job_spec
from pipeline.cluster.rehearsal import handing_over, vertex_stand_in
from pipeline.cluster.rehearsal.handing_over import Outputs, Places
from pipeline.cluster.rehearsal.installed_python import installed_python
from pipeline.cluster.rehearsal.metadata_stores import KubeflowStore, Store, VertexStore
from pipeline.cluster.rehearsal.node_processes import NodeProcesses, Place
from pipeline.cluster.rehearsal.object_store import ObjectStore
from pipeline.cluster.rehearsal.parameter_types import by_their_types
from pipeline.failures import ComponentFailedError, WrongCommandError
from pipeline.results.records import ComponentProgress, ComponentRun, ShowProgress
from trainer_module.errors import InputError

_INVOCATION = "{{$}}"
_LAST_BYTES = 1 << 14  # of a log, in which the reason of a failure is looked for
_PATHS = (job_spec.CORPUS, job_spec.OUTPUT, job_spec.PUSH_DESTINATION)
_IMPORTS = "imports"  # what is done before the first node
# TFX's, which is behind each node's.
_TFX_ENTRY_POINT = "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor"


class _Rehearsal(NamedTuple):
    """What holds of all nodes."""

    spec: PipelineSpec
    parameters: Mapping[str, struct_pb2.Value]  # those that are set at submission
    root: Path
    python: Path  # the folder of the interpreter
    show_progress: ShowProgress
    objects: ObjectStore | None

    @property
    def is_vertex(self) -> bool:
        return job_spec.made_for(self.spec) == "vertex"

    def folder(self, name: str) -> Path:
        made = self.root / name
        made.mkdir(parents=True, exist_ok=True)
        return made

    def log(self, name: str) -> Path:
        return self.folder("logs") / f"{name}.log"

    def place(self, name: str, variables: Mapping[str, str]) -> Place:
        """Where a node runs: as a container, with folders that nothing is in."""
        environment = {
            "PATH": f"{self.python}:/usr/bin:/bin",
            "HOME": str(self.folder(f"home/{name}")),
            "TMPDIR": str(self.folder(f"tmp/{name}")),
            "LANG": "C.UTF-8",
            **(self.objects.variables if self.objects else {}),
            **variables,
        }
        return Place(environment, self.folder(f"work/{name}"), self.log(name))

    def outputs_of(self, name: str) -> Places:
        """Where a node writes to: below a folder of this run of it, named as the cluster does."""
        run = f"{name}_{uuid.uuid4().int % 10**18}" if self.is_vertex else f"{name}/{uuid.uuid4()}"
        folder = self.folder(f"outputs/{run}")
        written = "executor_output.json" if self.is_vertex else "output_metadata.json"
        artifacts = f"{_output(self.root, self.objects)}/artifacts/{run}"
        return Places(artifacts, self.folder(f"outputs/{run}/parameters"), folder / written)


def _output(root: Path, objects: ObjectStore | None) -> str:
    return objects.output if objects else str(root)


def rehearse(
    spec: PipelineSpec,
    root: Path,
    given: Mapping[str, str],
    show_progress: ShowProgress,
    objects: ObjectStore | None = None,
) -> Outputs:
    """Runs the nodes of a job spec in the order of its DAG.

    Args:
      spec: of `skipgram compile`.
      root: an empty folder, or one that is made, for all that the nodes write.
      given: runtime parameters; what is not given is the spec's default, but for the folders that
        are written to, which are `root`'s. Paths may be of the folder that we are in.
      show_progress: is called when a node starts, while it runs and when it has ended.
      objects: for what the nodes hand on, in the place of `root`, in which only what is a pod's own
        then stays.

    Returns:
      The outputs of all nodes.

    Raises:
      WrongCommandError: a parameter is unknown, or the corpus is not of this machine.
      ComponentFailedError: a node failed; those that need it did not run.
    """
    parameters = parameters_of(spec, _output(root, objects), given)
    corpus = parameters[job_spec.CORPUS].string_value
    if files.is_remote(corpus) and not objects:
        raise WrongCommandError(
            f"the job spec reads {corpus}, and a rehearsal has the files of this machine alone: "
            "give --parameter corpus=FOLDER"
        )
    root.mkdir(parents=True, exist_ok=True)
    python = installed_python(root / "python")
    rehearsal = _Rehearsal(spec, parameters, root, python, show_progress, objects)
    store = VertexStore() if rehearsal.is_vertex else KubeflowStore()
    outputs = Outputs({}, {})
    with NodeProcesses(python, rehearsal.place(_IMPORTS, {}), _modules(spec)) as processes:
        processes.wait_for_imports(_look(rehearsal, _IMPORTS))
        for name in _order(spec):
            _run_node(rehearsal, name, processes, store, outputs)
    return outputs


def _modules(spec: PipelineSpec) -> list[str]:
    """What the nodes import: of what the spec names, the modules."""
    named = {dotted.rpartition(".")[0] for dotted in job_spec.named_code(spec)}
    return [_TFX_ENTRY_POINT, *sorted(named)]


def _order(spec: PipelineSpec) -> list[str]:
    """The names of the tasks, each after those that it waits for."""
    tasks = sorted(spec.root.dag.tasks.items())
    return list(
        graphlib.TopologicalSorter(
            {name: set(task.dependent_tasks) for name, task in tasks}
        ).static_order()
    )


def parameters_of(
    spec: PipelineSpec, root: Path | str, given: Mapping[str, str]
) -> dict[str, struct_pb2.Value]:
    """The runtime parameters that the nodes get.

    Args:
      spec: the job spec.
      root: a folder or URI, for what is written to no other place.
      given: see rehearse.

    Raises:
      WrongCommandError: see job_spec.parameter_values.
    """
    given = {name: _absolute(name, text) for name, text in given.items()}
    values = {**job_spec.folders(str(root)), **job_spec.parameter_values(spec, given)}
    definitions = spec.root.input_definitions.parameters
    return {
        name: _value(values[name]) if name in values else definition.default_value
        for name, definition in definitions.items()
    }


def _absolute(name: str, text: str) -> str:
    """A path as a node sees it, which runs in another folder; all else as it is."""
    is_path = name in _PATHS and text and not text.lstrip().startswith("{")
    return os.path.abspath(text) if is_path and not files.is_remote(text) else text


def _value(given: str | int) -> struct_pb2.Value:
    if isinstance(given, str):
        return struct_pb2.Value(string_value=given)
    return struct_pb2.Value(number_value=given)


def _run_node(
    rehearsal: _Rehearsal, name: str, processes: NodeProcesses, store: Store, outputs: Outputs
) -> None:
    spec = rehearsal.spec
    component = handing_over.component_of(spec, name)
    container = job_spec.executors_of(spec)[component.executor_label].container
    places = rehearsal.outputs_of(name)
    told = handing_over.executor_input(spec, name, rehearsal.parameters, outputs, places)
    started = time.monotonic()
    place = rehearsal.place(name, {variable.name: variable.value for variable in container.env})
    try:
        if not rehearsal.is_vertex:
            by_their_types(told.inputs, component.input_definitions)
            if rehearsal.objects:
                rehearsal.objects.copy_inputs(told, rehearsal.folder(f"copies/{name}"))
        command = _filled_in([*container.command, *container.args], told)
        if processes.run(command, place, _look(rehearsal, name)):
            trace = _last_of(place.log)
            raise ComponentFailedError(name, failures.sentence_in(trace), trace, place.log)
        handing_over.take(spec, name, told, store, outputs)
    except InputError as error:
        raise ComponentFailedError(name, str(error), "", place.log) from error
    rehearsal.show_progress(ComponentRun(name, False, time.monotonic() - started, 0))


def _look(rehearsal: _Rehearsal, name: str) -> Callable[[], None]:
    """Shows for how long something has run, whenever it is called."""
    started = time.monotonic()
    return lambda: rehearsal.show_progress(ComponentProgress(name, time.monotonic() - started, ""))


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


def _last_of(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - _LAST_BYTES, 0))
        return file.read().decode(errors="replace")
