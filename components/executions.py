"""What the metadata store says of executions: what they took."""

from collections.abc import Iterable

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

_ENDED = (mlmd.Execution.COMPLETE, mlmd.Execution.CACHED)


def readers(store: MetadataStore, artifacts: Iterable[int], key: str) -> set[int]:
    """Ids of the executions that took one of some artifacts as their input of that key."""
    ids = sorted(artifacts)
    events = store.get_events_by_artifact_ids(ids) if ids else []
    return {event.execution_id for event in events if _is_input(event, key)}


def ended_readers(store: MetadataStore, artifacts: Iterable[int], key: str) -> list[mlmd.Execution]:
    """The same executions, those that ended well, the newest first."""
    found = store.get_executions_by_id(sorted(readers(store, artifacts, key)))
    ended = [execution for execution in found if execution.last_known_state in _ENDED]
    return sorted(ended, key=lambda execution: execution.id, reverse=True)


def inputs(store: MetadataStore, execution: int, key: str) -> set[int]:
    """Ids of what an execution took as its input of that key."""
    events = store.get_events_by_execution_ids([execution])
    return {event.artifact_id for event in events if _is_input(event, key)}


def _is_input(event: mlmd.Event, key: str) -> bool:
    return bool(event.type == mlmd.Event.INPUT and event.path.steps[0].key == key)
