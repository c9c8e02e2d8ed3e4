"""`skipgram prune`: what old runs have left goes, and nothing that a kept one needs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.embedding_evaluator.order_of_blessings import text
from pipeline.config import Config
from pipeline.local import artifact_files, metadata_store, serving_folder
from pipeline.local.output_folder import OutputFolder
from pipeline.local.releases import blessings
from pipeline.results.records import RunRecord

# They are empty folders, and the gate finds a kept model by them.
_NEVER_PRUNED = "ModelBlessing"


class Kind(NamedTuple):
    """Folders of one kind that go."""

    name: str
    folders: Sequence[Path]
    size: int  # bytes


class Plan(NamedTuple):
    """What goes."""

    artifacts: Sequence[mlmd.Artifact]
    kinds: Sequence[Kind]

    @property
    def size(self) -> int:
        """Of all, in bytes."""
        return sum(kind.size for kind in self.kinds)


def plan(store: MetadataStore, pipeline_name: str, output: OutputFolder, keep: int) -> Plan:
    """What can go if the last runs are kept.

    Kept are the last runs that ended with a verdict and all that failed since; whatever these read
    or wrote, from the cache or not; the highest versions in `serving/` with their models; and the
    last blessed model.

    Args:
      store: of the runs.
      pipeline_name: theirs.
      output: their folder.
      keep: how many runs with a verdict, and how many versions; at least 1.
    """
    records = metadata_store.runs(store, pipeline_name)
    kept_runs = _last(records, keep)
    dropped = records[len(kept_runs) :]
    artifacts = _artifacts(store, pipeline_name)
    versions = _dropped_versions(artifacts.values(), output, keep)
    kept = _of_runs(store, kept_runs) | _of_releases(store, pipeline_name, artifacts, versions)
    gone = [
        artifact
        for artifact in artifacts.values()
        if artifact.id not in kept
        and artifact.type != _NEVER_PRUNED
        and _folder(artifact, output).is_dir()
    ]
    names = [name for record in dropped for name in {record.name, record.run_id.replace(":", "-")}]
    trained = {
        metadata_store.name_of_model(store, artifact.id, "")
        for artifact in artifacts.values()
        if artifact.type == "Model" and artifact.id in kept
    }
    folders = {
        "artifacts": [_folder(artifact, output) for artifact in gone],
        "versions in serving": [output.serving / str(version) for version in versions],
        "logs": [output.logs / name for name in names],
        "TensorBoard": [output.tensorboard / name for name in names if name not in trained],
    }
    return Plan(gone, [_kind(name, found) for name, found in folders.items()])


def prune(
    config: Config,
    output: OutputFolder,
    keep: int,
    *,
    only_say: bool,
    say: Callable[[Plan], None],
) -> None:
    """Frees what can go; see plan.

    The store is told first: what a kill leaves is found by the next prune, and taken by no run.

    Args:
      config: says where the metadata store is.
      output: the folder.
      keep: see plan.
      only_say: whether nothing is to be removed.
      say: is told what goes, before it does.

    Raises:
      InputError: a run is under way.
    """
    with output.locked():
        location = metadata_store.store_location(config.metadata, output)
        store = metadata_store.open_store(location.connection)
        found = plan(store, location.pipeline_name, output, keep)
        say(found)
        if only_say:
            return
        artifact_files.forget(store, found.artifacts)
        with output.temporary_folder() as bin_:
            folders = (folder for kind in found.kinds for folder in kind.folders)
            for number, folder in enumerate(folders):
                folder.rename(bin_ / str(number))


def size_below(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def _last(records: Sequence[RunRecord], keep: int) -> Sequence[RunRecord]:
    verdicts = (metadata_store.BLESSED, metadata_store.NOT_BLESSED)
    ended = [number for number, record in enumerate(records) if record.status in verdicts]
    return records[: ended[keep - 1] + 1] if len(ended) >= keep else records


def _artifacts(store: MetadataStore, pipeline_name: str) -> dict[int, mlmd.Artifact]:
    """All of a pipeline, by their ids; of deleted ones a kill may have left files."""
    pipeline = store.get_context_by_type_and_name(metadata_store.PIPELINE_TYPE, pipeline_name)
    found = store.get_artifacts_by_context(pipeline.id) if pipeline else []
    return {artifact.id: artifact for artifact in found}


def _dropped_versions(
    artifacts: Iterable[mlmd.Artifact], output: OutputFolder, keep: int
) -> list[int]:
    """Those of ours that are not among the highest."""
    ours = {text(artifact, serving_folder.VERSION) for artifact in artifacts}
    return [v for v in serving_folder.versions(output.serving)[:-keep] if str(v) in ours]


def _of_runs(store: MetadataStore, records: Iterable[RunRecord]) -> set[int]:
    """The ids of all artifacts that runs read or wrote."""
    contexts = [
        store.get_context_by_type_and_name(metadata_store.RUN_TYPE, record.run_id)
        for record in records
    ]
    executions = [e.id for c in contexts for e in store.get_executions_by_context(c.id)]
    events = store.get_events_by_execution_ids(executions) if executions else []
    return {event.artifact_id for event in events}


def _of_releases(
    store: MetadataStore,
    pipeline_name: str,
    artifacts: Mapping[int, mlmd.Artifact],
    dropped: Sequence[int],
) -> set[int]:
    """The ids of what belongs to the last blessed model, and to those that stay in `serving/`."""
    last = blessings.last_release(store, pipeline_name)
    kept = {one.id for one in last or () if one is not None}
    for artifact in artifacts.values():
        version = text(artifact, serving_folder.VERSION)
        if version and int(version) not in dropped:
            kept |= blessings.beside(store, artifact.id)
    return kept


def _folder(artifact: mlmd.Artifact, output: OutputFolder) -> Path:
    """Of an artifact; one that does not exist if it lies elsewhere, as in a copied folder."""
    folder = Path(artifact.uri)
    return folder if folder.is_relative_to(output.artifacts) else output.artifacts / "elsewhere"


def _kind(name: str, folders: Iterable[Path]) -> Kind:
    found = [folder for folder in folders if folder.is_dir()]
    return Kind(name, found, sum(map(size_below, found)))
