"""What the metadata store says of runs, and what we add to it."""

import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.rising_pusher.versions import next_number, number_of_run
from pipeline.config import PIPELINE_NAME, MetadataConfig
from pipeline.failures import WrongCommandError, unknown_name
from pipeline.local import artifact_files, metadata_file, metadata_server
from pipeline.local.output_folder import OutputFolder
from pipeline.results.records import RunRecord
from trainer_module.errors import InputError

# TFX's.
PIPELINE_TYPE = "pipeline"
RUN_TYPE = "pipeline_run"

# Custom properties of a run's context.
_PIPELINE = "pipeline"
_CORPUS = "corpus"
_STATUS = "status"
_RESULT = "result"

BLESSED = "blessed"
NOT_BLESSED = "not blessed"
FAILED = "failed"
# Of a run that never said how it ended: it is running, or it was killed.
UNFINISHED = "unfinished"

_UNFINISHED_STATES = (mlmd.Execution.NEW, mlmd.Execution.RUNNING, mlmd.Execution.FAILED)


class StoreLocation(NamedTuple):
    """Where runs are noted, and by which name of their pipeline.

    One output folder is one pipeline: its lock keeps two runs of one pipeline apart.
    """

    connection: mlmd.ConnectionConfig  # without a password
    pipeline_name: str

    def run_id(self, name: str) -> str:
        """What tells a run from all others in the store; its name does so within its pipeline."""
        return name + self.pipeline_name.removeprefix(PIPELINE_NAME)


def store_location(config: MetadataConfig, output: OutputFolder) -> StoreLocation:
    """Where the runs into an output folder are noted.

    Raises:
      InputError: nothing was run into the folder yet, or its file is damaged or not ours.
    """
    if config.type == "mysql":
        name = f"{PIPELINE_NAME}-{output.identity()}"
        return StoreLocation(metadata_server.connection(config), name)
    metadata_file.require_usable(output.metadata, output.artifacts)
    file = mlmd.SqliteMetadataSourceConfig(
        filename_uri=str(output.metadata),
        connection_mode=mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE,
    )
    return StoreLocation(mlmd.ConnectionConfig(sqlite=file), PIPELINE_NAME)


def open_store(connection: mlmd.ConnectionConfig) -> MetadataStore:
    """Opens a store, which is made if it is not there.

    Raises:
      InputError: see metadata_server.open_store; or the file is damaged.
    """
    if connection.HasField("mysql"):
        return metadata_server.open_store(connection)
    try:
        return MetadataStore(connection)
    except RuntimeError as error:
        file = Path(connection.sqlite.filename_uri)
        artifacts = OutputFolder(file.parent).artifacts
        raise InputError(metadata_file.refusal(file, artifacts, str(error))) from error


def begin_run(store: MetadataStore, pipeline_name: str, run_id: str, corpus: str) -> None:
    """Notes that a run begins, and on what, before TFX does."""
    type_id = store.put_context_type(mlmd.ContextType(name=RUN_TYPE))
    context = mlmd.Context(type_id=type_id, name=run_id)
    context.custom_properties[_PIPELINE].string_value = pipeline_name
    context.custom_properties[_CORPUS].string_value = corpus
    context.custom_properties[_STATUS].string_value = UNFINISHED
    store.put_contexts([context])


def end_run(store: MetadataStore, run_id: str, status: str, result: Mapping[str, Any]) -> None:
    """Notes how a run ended."""
    context = store.get_context_by_type_and_name(RUN_TYPE, run_id)
    context.custom_properties[_STATUS].string_value = status
    context.custom_properties[_RESULT].string_value = json.dumps(result)
    store.put_contexts([context])


def runs(store: MetadataStore, pipeline_name: str) -> list[RunRecord]:
    """All runs of a pipeline, the last one first."""
    contexts = [
        context
        for context in store.get_contexts_by_type(RUN_TYPE)
        if context.custom_properties[_PIPELINE].string_value == pipeline_name
    ]
    return [_record(context) for context in sorted(contexts, key=lambda c: c.id, reverse=True)]


def _record(context: mlmd.Context) -> RunRecord:
    text = {name: value.string_value for name, value in context.custom_properties.items()}
    return RunRecord(
        context.name,
        datetime.fromtimestamp(context.create_time_since_epoch / 1000),
        text[_CORPUS],
        text[_STATUS],
        json.loads(text.get(_RESULT, "{}")),
    )


def new_name(store: MetadataStore, pipeline_name: str, last: int, now: datetime) -> str:
    """The name of a run that begins: a number above those of all runs, and above another."""
    numbers = (number_of_run(record.run_id) or 0 for record in runs(store, pipeline_name))
    return str(next_number(max(last, *numbers, 0), now))


def find_run(records: Sequence[RunRecord], said: str) -> RunRecord:
    """The run that somebody means.

    Args:
      records: of all runs, the last one first.
      said: its name, a part that only its name has, or `last`.

    Raises:
      WrongCommandError: it is none of them, or not one alone.
    """
    if said == "last" and records:
        return records[0]
    found = [record for record in records if said == record.name] or [
        record for record in records if said and said in record.name
    ]
    names = [record.name for record in (found or records)]
    if len(found) > 1:
        raise WrongCommandError(
            f"{said} is part of the names of {len(found)} runs: say one of {', '.join(names)}"
        )
    if not found:
        raise WrongCommandError(unknown_name("run", said, names))
    return found[0]


def name_of_model(store: MetadataStore, model_id: int, current: str) -> str:
    """The name of the first run that ended with a model, else of the current one if it gave it.

    A killed run has the name of the one that went on with it.
    """
    events = store.get_events_by_artifact_ids([model_id])
    executions = {event.execution_id for event in events if event.type == mlmd.Event.OUTPUT}
    contexts = {c.id: c for e in executions for c in store.get_contexts_by_execution(e)}
    records = [_record(c) for _, c in sorted(contexts.items()) if c.type == RUN_TYPE]
    ended = [record.name for record in records if record.status in (BLESSED, NOT_BLESSED)]
    names = [record.name for record in records]
    return next(iter(ended), current if current in names or not names else names[-1])


def output_artifacts(store: MetadataStore, run_id: str) -> dict[tuple[str, str], mlmd.Artifact]:
    """What a run's components gave, from the cache or not.

    Returns:
      (component, output key) -> the artifact.
    """
    context = store.get_context_by_type_and_name(RUN_TYPE, run_id)
    names = {
        execution_type.id: execution_type.name for execution_type in store.get_execution_types()
    }
    executions = {e.id: e for e in store.get_executions_by_context(context.id)}
    found = {}
    for event in store.get_events_by_execution_ids(list(executions)):
        if event.type == mlmd.Event.OUTPUT:
            [artifact] = store.get_artifacts_by_id([event.artifact_id])
            component = names[executions[event.execution_id].type_id].rsplit(".", 1)[-1]
            found[component, event.path.steps[0].key] = artifact
    return found


def why_unreadable(store: MetadataStore, pipeline_name: str) -> str | None:
    """What is damaged of a pipeline's artifacts, all of which are read; the next run removes it."""
    pipeline = store.get_context_by_type_and_name(PIPELINE_TYPE, pipeline_name)
    executions = store.get_executions_by_context(pipeline.id) if pipeline else []
    damages = artifact_files.disown_damaged(store, executions, reads_all=True)
    return damages[0] if damages else None


def remove_unusable(store: MetadataStore, pipeline_name: str, artifacts: Path) -> list[str]:
    """Marks what no run can use as failed, and removes it.

    That is what killed runs had half written, and what was damaged since. To be called while no
    other run of the pipeline is under way; those of others do not matter.

    Args:
      store: of this pipeline and maybe of others.
      pipeline_name: of the runs.
      artifacts: folder of the pipeline's artifacts.

    Returns:
      What was damaged, and how.

    Raises:
      InputError: there are artifacts, and the store knows nothing of the pipeline. It would number
        new ones as they are, and mix the two.
    """
    pipeline = store.get_context_by_type_and_name(PIPELINE_TYPE, pipeline_name)
    if pipeline is None:
        if artifacts.exists():
            raise InputError(
                f"the metadata store knows nothing of what is in {artifacts}: it was made with "
                "another store or in another place, or the store was emptied; choose another "
                "folder with --output"
            )
        return []
    of_pipeline = store.get_executions_by_context(pipeline.id)
    damages = artifact_files.disown_damaged(store, of_pipeline)
    executions = [e for e in of_pipeline if e.last_known_state in _UNFINISHED_STATES]
    for execution in executions:
        for folder in artifacts.glob(f"*/*/{execution.id}"):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in artifacts.glob(f"*/.system/*/{execution.id}"):
            shutil.rmtree(folder, ignore_errors=True)
        execution.last_known_state = mlmd.Execution.FAILED
    if executions:
        store.put_executions(executions)
    return damages
