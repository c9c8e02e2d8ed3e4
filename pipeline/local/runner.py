"""Runs a pipeline on this machine: TFX's LocalDagRunner, each component in a process of its own.

The processes are forked from one that has imported everything, so a component costs no imports, its
memory is its own (what Beam held of the corpus is gone when the Trainer starts), and what it prints
goes to a log of its own. A killed parent takes the running component with it.
"""

import dataclasses
import gc
import multiprocessing
import multiprocessing.connection
import multiprocessing.process
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.forked_workers.runner import fork_ahead
from components.processes import die_with, ending_signal, hint_at_memory
from components.tfx_api import (
    Compiler,
    LocalDagRunner,
    Pipeline,
    extract_local_deployment_config,
    metadata,
    pipeline_pb2,
    substitute_runtime_parameter,
)
from pipeline.beam_arguments import ON_THIS_MACHINE
from pipeline.failures import ComponentFailedError, sentence_of
from pipeline.local import artifact_files
from pipeline.results.records import (
    ComponentProgress,
    ComponentRun,
    ComponentWarning,
    ShowProgress,
)
from trainer_module.training.progress import WARNING

# New objects before Python's collector looks at them. Beam makes and drops as many as 700, its own
# choice, for a few elements: the collector took a sixth of Transform.
_OBJECTS_BEFORE_COLLECTING = 50_000

_RUN_ID = "pipeline-run-id"
_STDOUT, _STDERR = 1, 2
_LOOK_SECONDS = 0.2
# Characters; a pipe that nobody reads yet holds four times that. The log has the whole.
_LONGEST_TRACE = 1 << 14

# A line of a component's, maybe of one of its workers.
_WARNING = re.compile(rf"(?:worker \d+: )?{WARNING}(?P<sentence>.+)")
# Until a signal arrives that was sent to all processes of a run at once, as systemd does.
_SIGNAL_SECONDS = 0.5

_fork = multiprocessing.get_context("fork")


class _Failure(NamedTuple):
    sentence: str
    trace: str


def run(
    pipeline: Pipeline,
    *,
    run_id: str,
    seed: int,
    logs: Path,
    temporary: Path,
    show_progress: ShowProgress,
) -> list[ComponentRun]:
    """Runs the components one after the other.

    Args:
      pipeline: with a metadata store on this machine.
      run_id: names the run in the metadata store.
      seed: of Python's random numbers in each component; Beam shuffles by them.
      logs: folder for a log a component.
      temporary: folder for the temporary files of the components, which do not remove all of them.
      show_progress: is called when a component starts, several times a second while it runs, and
        when it has ended.

    Returns:
      How each component ended, in order.

    Raises:
      ComponentFailedError: a component failed; the components after it did not run.
    """
    logs.mkdir(parents=True, exist_ok=True)
    ir = Compiler().compile(pipeline)
    substitute_runtime_parameter(ir, {_RUN_ID: run_id})
    return [
        _run_component(ir, component, seed, logs / f"{component}.log", temporary, show_progress)
        for component in _node_ids(ir)
    ]


def _node_ids(ir: pipeline_pb2.Pipeline) -> Iterator[str]:
    return (node.pipeline_node.node_info.id for node in ir.nodes)


def _run_component(
    ir: pipeline_pb2.Pipeline,
    component: str,
    seed: int,
    log: Path,
    temporary: Path,
    show_progress: ShowProgress,
) -> ComponentRun:
    started = time.monotonic()
    result, child_result = _fork.Pipe(duplex=False)
    output, child_output = os.pipe()
    process = _fork.Process(
        target=_in_child,
        args=(ir, component, seed, log, temporary, child_output, child_result, os.getpid()),
    )
    process.start()
    os.close(child_output)
    child_result.close()
    try:
        line = ""
        for lines in _printed(process, output):
            for warned in filter(None, map(_WARNING.fullmatch, lines)):
                show_progress(ComponentWarning(component, warned["sentence"]))
            line = next((x for x in reversed(lines) if x), line)
            show_progress(ComponentProgress(component, time.monotonic() - started, line))
    finally:
        # Not reached by a SIGKILL: then the child ends itself.
        process.kill()
        process.join()
        os.close(output)
    if process.exitcode == -signal.SIGTERM:
        time.sleep(_SIGNAL_SECONDS)  # one to us ends this, and the run was interrupted
    ended = _received(result)
    if ended is None:
        raise ComponentFailedError(component, _killed(component, process.exitcode), "", log)
    if isinstance(ended, _Failure):
        raise ComponentFailedError(component, ended.sentence, ended.trace, log)
    done = dataclasses.replace(ended, seconds=time.monotonic() - started)
    show_progress(done)
    return done


def _printed(process: multiprocessing.process.BaseProcess, output: int) -> Iterator[list[str]]:
    """Yields the lines that the process has printed since the last ones, until it ends."""
    rest, open_ = b"", True
    while open_ or process.is_alive():
        ready = multiprocessing.connection.wait(
            [output, process.sentinel] if open_ else [process.sentinel], _LOOK_SECONDS
        )
        lines: list[bytes] = []
        if output in ready:
            printed = os.read(output, 1 << 16)
            open_ = bool(printed)
            *lines, rest = (rest + printed).split(b"\n")
        elif process.sentinel in ready:
            return
        yield [line.decode(errors="replace") for line in lines]


def _received(
    result: multiprocessing.connection.Connection,
) -> ComponentRun | _Failure | None:
    try:
        received: ComponentRun | _Failure = result.recv()
    except EOFError:
        return None
    return received


def _killed(component: str, exit_code: int | None) -> str:
    name, hint = ending_signal(exit_code), hint_at_memory(exit_code)
    cause = f"by {name}" if name else f"with exit code {exit_code}"
    hint = f"; {hint}" if hint else ""
    return f"the process of {component} was ended {cause}{hint}: give the same command again"


def _in_child(
    ir: pipeline_pb2.Pipeline,
    component: str,
    seed: int,
    log: Path,
    temporary: Path,
    output: int,
    result: multiprocessing.connection.Connection,
    parent: int,
) -> NoReturn:
    die_with(parent)
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTING)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is asked to stop, and stops us
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(output, _STDOUT)
    os.dup2(descriptor, _STDERR)
    random.seed(seed)
    _put_temporary_files_into(temporary)
    try:
        if _is_divided(ir, component):
            fork_ahead()
        LocalDagRunner().run_with_ir(_only(ir, component))
        result.send(ComponentRun(component, _noted_as_cached(ir, component), 0.0, _peak_memory()))
    except BaseException as error:
        traceback.print_exc()
        result.send(_Failure(sentence_of(error), traceback.format_exc()[-_LONGEST_TRACE:]))
    sys.stdout.flush()
    # Without the interpreter's shutdown: threads of Beam and TensorFlow may not survive it.
    os._exit(0)


def _is_divided(ir: pipeline_pb2.Pipeline, component: str) -> bool:
    """Whether Beam runs the component, on this machine."""
    specs = extract_local_deployment_config(ir).executor_specs
    if component not in specs:  # a resolver
        return False
    arguments = specs[component].beam_executable_spec.beam_pipeline_args
    return set(ON_THIS_MACHINE) <= set(arguments)


def _put_temporary_files_into(folder: Path) -> None:
    """For this process, its native code and the programs that it starts."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def _only(ir: pipeline_pb2.Pipeline, component: str) -> pipeline_pb2.Pipeline:
    """The pipeline with all components but one skipped."""
    copy = pipeline_pb2.Pipeline()
    copy.CopyFrom(ir)
    for node in copy.nodes:
        if node.pipeline_node.node_info.id != component:
            node.pipeline_node.execution_options.skip.SetInParent()
    return copy


def _noted_as_cached(ir: pipeline_pb2.Pipeline, component: str) -> bool:
    """Whether the component was answered from the cache; if not, what it wrote is noted."""
    config = extract_local_deployment_config(ir).metadata_connection_config
    connection = getattr(config, config.WhichOneof("connection_config"))
    with metadata.Metadata(connection) as handle:
        execution = _last_execution(handle.store, ir, component)
        # Of a look-up that raised, TFX makes one that found nothing: and a gate would let all pass.
        if execution.last_known_state == mlmd.Execution.FAILED:
            raise RuntimeError(f"{component} did not find out what it was to look up")
        if execution.last_known_state == mlmd.Execution.CACHED:
            return True
        artifact_files.note(handle.store, execution)
        return False


def _last_execution(
    store: MetadataStore, ir: pipeline_pb2.Pipeline, component: str
) -> mlmd.Execution:
    name = f"{ir.pipeline_info.id}.{component}"
    context = store.get_context_by_type_and_name("node", name)
    executions = store.get_executions_by_context(context.id)
    return max(executions, key=lambda execution: execution.id)


def _peak_memory() -> int:
    """Of this process or, where workers did the work, of the largest of them."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(of).ru_maxrss for of in who) * 1024
