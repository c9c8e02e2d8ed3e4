"""Whether artifacts are still as their components left them.

TFX takes an artifact out of its cache if its folder is there, whatever is in it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

# Custom property of an execution: the files of its outputs, by folder. Of an artifact it would be
# part of the cache keys of what comes after it.
_FILES = "files"


class _File(NamedTuple):
    size: int  # bytes
    modified: int  # nanoseconds
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "_File":
        """Reads all of a file."""
        status = path.stat()
        with path.open("rb") as file:
            return cls(
                status.st_size, status.st_mtime_ns, hashlib.file_digest(file, "sha256").hexdigest()
            )


def note(store: MetadataStore, execution: mlmd.Execution) -> None:
    """Notes what is in the outputs of an execution that has just ended."""
    noted = {
        artifact.uri: _files_below(Path(artifact.uri)) for artifact in _outputs(store, execution)
    }
    execution.custom_properties[_FILES].string_value = json.dumps(noted)
    store.put_executions([execution])


def disown_damaged(
    store: MetadataStore, executions: Iterable[mlmd.Execution], *, reads_all: bool = False
) -> list[str]:
    """Marks executions whose outputs are damaged as failed, and their artifacts as deleted.

    Their components run again then, and no model is compared with one of these.

    Args:
      store: of the executions.
      executions: to be looked at.
      reads_all: whether files are read that have the size and the time that they had: a disk may
        have lost what is in them.

    Returns:
      What is wrong with each, for people.
    """
    problems = []
    for execution in sorted(executions, key=lambda execution: execution.id):
        if execution.last_known_state != mlmd.Execution.COMPLETE:
            continue
        if problem := _damage(execution.custom_properties[_FILES].string_value, reads_all):
            problems.append(problem)
            _disown(store, execution)
    return problems


def forget(store: MetadataStore, artifacts: Iterable[mlmd.Artifact]) -> None:
    """Marks artifacts as deleted whose folders are about to go, and expects no files of them.

    Their executions stay what they are: what else these have written is as good as before.
    """
    artifacts = list(artifacts)
    for artifact in artifacts:
        artifact.state = mlmd.Artifact.DELETED
    store.put_artifacts(artifacts)
    events = store.get_events_by_artifact_ids([artifact.id for artifact in artifacts])
    makers = {event.execution_id for event in events if event.type == mlmd.Event.OUTPUT}
    executions = store.get_executions_by_id(list(makers))
    uris = {artifact.uri for artifact in artifacts}
    for execution in executions:
        noted = json.loads(execution.custom_properties[_FILES].string_value or "{}")
        left = {folder: files for folder, files in noted.items() if folder not in uris}
        execution.custom_properties[_FILES].string_value = json.dumps(left)
    store.put_executions(executions)


def _disown(store: MetadataStore, execution: mlmd.Execution) -> None:
    execution.last_known_state = mlmd.Execution.FAILED
    artifacts = _outputs(store, execution)
    for artifact in artifacts:
        artifact.state = mlmd.Artifact.DELETED
    store.put_artifacts(artifacts)
    store.put_executions([execution])


def _outputs(store: MetadataStore, execution: mlmd.Execution) -> list[mlmd.Artifact]:
    events = store.get_events_by_execution_ids([execution.id])
    ids = [event.artifact_id for event in events if event.type == mlmd.Event.OUTPUT]
    found: list[mlmd.Artifact] = store.get_artifacts_by_id(ids) if ids else []
    return found


def _files_below(folder: Path) -> dict[str, _File]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): _File.of(path) for path in paths}


def _damage(noted: str, reads_all: bool) -> str | None:
    """What is wrong with the outputs of an execution; None also of one of which nothing is noted.

    Args:
      noted: by `note`, or "".
      reads_all: see disown_damaged.
    """
    for folder, files in json.loads(noted or "{}").items():
        if not Path(folder).is_dir():
            return f"{folder} is gone"
        if problem := _first_problem(Path(folder), files, reads_all):
            return f"{folder} is damaged: {problem}"
    return None


def _first_problem(
    folder: Path, files: Mapping[str, list[int | str]], reads_all: bool
) -> str | None:
    for name, (size, modified, sha256) in files.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        status = path.stat()
        if status.st_size != size:
            return f"{name} has {status.st_size:,} bytes of {size:,}"
        # A copy of the folder has other times, and the same content.
        is_read = reads_all or status.st_mtime_ns != modified
        if is_read and _File.of(path).sha256 != sha256:
            return f"{name} has another content"
    return None
