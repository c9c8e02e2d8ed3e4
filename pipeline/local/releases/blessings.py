"""Which model is the last blessed one; `serving/` and `vectors/` hold that one and no other.

The metadata store says which it is, by the order in which blessings were noted. The gate notes one,
and so does a person by `skipgram bless`. The folders follow.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.embedding_evaluator.order_of_blessings import (
    BLESSED,
    FINAL,
    MODEL_ID,
    last_blessing,
    number,
    text,
)
from pipeline.atomic import replace_link, write_aside
from pipeline.local import artifact_files, metadata_store, serving_folder
from pipeline.local.metadata_store import StoreLocation
from pipeline.local.output_folder import RELEASE, OutputFolder
from pipeline.results.records import RUN_FILE, Blessing

if TYPE_CHECKING:
    from components.tfx_api import types

# A type of execution of our own: no node of the pipeline.
_BLESS = "Bless"
# Of a run, by component and output key: the model that is served, and whether the gate lets it be.
RUN_MODEL = ("EmbeddingAligner", "aligned_model")
RUN_BLESSING = ("EmbeddingComparison", "blessing")
# Custom properties of a ModelBlessing that no Evaluator wrote; by nobody: the gate's, given again.
RUN, BY, REASON = "run", "by", "reason"


class Release(NamedTuple):
    """The model that was blessed last, and what of it is noted."""

    blessing: mlmd.Artifact
    model: mlmd.Artifact
    pushed: mlmd.Artifact | None
    vectors: mlmd.Artifact | None

    @property
    def version(self) -> str:
        """Its name in `serving/`; "" if it was not pushed yet."""
        return text(self.pushed, serving_folder.VERSION) if self.pushed else ""

    @property
    def by_hand(self) -> Blessing | None:
        """Who blessed it, if it was not the gate."""
        return _blessing(self.blessing) if text(self.blessing, BY) else None


def last_release(store: MetadataStore, pipeline_name: str) -> Release | None:
    """The model that the gate compares the next one with."""
    live = _live_artifacts(store, pipeline_name)
    models = live.get("Model", {})
    blessing = last_blessing(live.get("ModelBlessing", {}).values(), models)
    if blessing is None:
        return None
    outputs = beside(store, blessing.id, only_outputs=True)

    def made(kind: str) -> mlmd.Artifact | None:
        found = live.get(kind, {})
        return found.get(max(outputs & found.keys(), default=0))

    return Release(
        blessing, models[number(blessing, MODEL_ID)], made("PushedModel"), made("WordVectors")
    )


def by_hand(store: MetadataStore, pipeline_name: str) -> list[Blessing]:
    """Those that people gave, in their order."""
    pipeline = store.get_context_by_type_and_name(metadata_store.PIPELINE_TYPE, pipeline_name)
    artifacts = store.get_artifacts_by_context(pipeline.id) if pipeline else []
    return [_blessing(one) for one in sorted(artifacts, key=lambda a: a.id) if text(one, BY)]


def bless(
    store: MetadataStore,
    location: StoreLocation,
    output: OutputFolder,
    model: mlmd.Artifact,
    noted: Mapping[str, str],
) -> None:
    """Notes that a model is the last blessed one from now on; `settle` does the rest.

    Args:
      store, location, output: of its run; the folder is locked.
      model: the EmbeddingAligner's.
      noted: of the blessing: the `run`, and of a person's `by` and `reason`.
    """
    from components.tfx_api import evaluator_constants, standard_artifacts

    blessing = standard_artifacts.ModelBlessing()
    blessing.set_int_custom_property(BLESSED, 1)
    blessing.set_int_custom_property(FINAL, 1)
    blessing.set_int_custom_property(MODEL_ID, model.id)
    blessing.set_string_custom_property("current_model", model.uri)
    for name, value in noted.items():
        blessing.set_string_custom_property(name, value)

    def write() -> None:
        Path(blessing.uri, evaluator_constants.BLESSED_FILE_NAME).touch()

    _execute(store, location, output, _BLESS, {"model": model}, {"blessing": blessing}, write)


def settle(
    store: MetadataStore, location: StoreLocation, output: OutputFolder, run: str
) -> tuple[Release | None, Path | None]:
    """Sees that `serving/` and `vectors/` hold the last blessed model, whatever was killed.

    Args:
      store, location, output: of the run; the folder is locked.
      run: the name that a new version has, if it is higher than all others.

    Returns:
      The last blessed model, and the folder in `serving/` of which something was missing.
    """
    last = last_release(store, location.pipeline_name)
    if last is None:
        return None, None
    if last.pushed is None or last.vectors is None:
        _release(store, location, output, last, run)
        return settle(store, location, output, run)
    if int(last.version) < serving_folder.highest(output.serving):
        # A later model was blessed, and its artifact was lost: what is served is that one still.
        return last, None
    made_by = metadata_store.name_of_model(store, last.model.id, run)
    content = json.dumps({"run": made_by, "version": last.version}) + "\n"
    if not (noted := Path(last.vectors.uri, RUN_FILE)).exists() or noted.read_text() != content:
        write_aside(noted, content)
    replace_link(output.vectors, Path(last.vectors.uri))
    return last, serving_folder.restore(output.serving, last.pushed)


def _blessing(artifact: mlmd.Artifact) -> Blessing:
    at = datetime.fromtimestamp(artifact.create_time_since_epoch // 1000).isoformat()
    return Blessing(text(artifact, RUN), text(artifact, BY), text(artifact, REASON), at)


def _live_artifacts(
    store: MetadataStore, pipeline_name: str
) -> dict[str, dict[int, mlmd.Artifact]]:
    """The artifacts of a pipeline that are not deleted: their type -> their id -> the artifact."""
    pipeline = store.get_context_by_type_and_name(metadata_store.PIPELINE_TYPE, pipeline_name)
    found: dict[str, dict[int, mlmd.Artifact]] = {}
    for artifact in store.get_artifacts_by_context(pipeline.id) if pipeline else []:
        if artifact.state == mlmd.Artifact.LIVE:
            found.setdefault(artifact.type.rsplit(".", 1)[-1], {})[artifact.id] = artifact
    return found


def beside(store: MetadataStore, artifact_id: int, *, only_outputs: bool = False) -> set[int]:
    """The ids of what the executions that read or wrote an artifact read and wrote."""
    events = store.get_events_by_artifact_ids([artifact_id])
    executions = {event.execution_id for event in events}
    around = store.get_events_by_execution_ids(list(executions))
    return {e.artifact_id for e in around if e.type == mlmd.Event.OUTPUT or not only_outputs}


def _release(
    store: MetadataStore, location: StoreLocation, output: OutputFolder, last: Release, run: str
) -> None:
    """Exports a blessed model and makes the copy that is to be served, by the components' code."""
    from components.embedding_exporter.component import WordVectors, export
    from components.rising_pusher.component import Executor, next_version
    from components.tfx_api import path_utils, standard_artifacts

    model = path_utils.serving_model_path(last.model.uri)
    pushed, vectors = standard_artifacts.PushedModel(), WordVectors()

    def write() -> None:
        serving = str(output.serving)
        Executor().keep(model, pushed, serving, next_version(serving, run))
        export(model, vectors.uri)

    inputs = {"model": last.model, "model_blessing": last.blessing}
    outputs = {"pushed_model": pushed, "vectors": vectors}
    _execute(store, location, output, RELEASE, inputs, outputs, write)


def _execute(
    store: MetadataStore,
    location: StoreLocation,
    output: OutputFolder,
    component: str,
    inputs: Mapping[str, mlmd.Artifact],
    outputs: Mapping[str, "types.Artifact"],
    write: Callable[[], Any],
) -> None:
    """Writes artifacts and notes it as TFX does; what a kill leaves the next run removes."""
    pipeline = store.get_context_by_type_and_name(
        metadata_store.PIPELINE_TYPE, location.pipeline_name
    )
    kind = store.put_execution_type(mlmd.ExecutionType(name=component))
    execution = mlmd.Execution(type_id=kind, last_known_state=mlmd.Execution.RUNNING)
    read = [(one, _event(key, mlmd.Event.INPUT)) for key, one in inputs.items()]
    execution.id, _, _ = store.put_execution(execution, read, [pipeline])
    for key, artifact in outputs.items():
        artifact.uri = str(output.artifacts / component / key / str(execution.id))
        artifact.mlmd_artifact.type_id = store.put_artifact_type(artifact.artifact_type)
        artifact.mlmd_artifact.state = mlmd.Artifact.LIVE
        Path(artifact.uri).mkdir(parents=True)
    write()
    execution.last_known_state = mlmd.Execution.COMPLETE
    wrote = [(one.mlmd_artifact, _event(key, mlmd.Event.OUTPUT)) for key, one in outputs.items()]
    store.put_execution(execution, wrote, [pipeline])
    artifact_files.note(store, execution)


def _event(key: str, kind: "mlmd.Event.Type") -> mlmd.Event:
    return mlmd.Event(type=kind, path=mlmd.Event.Path(steps=[mlmd.Event.Path.Step(key=key)]))
