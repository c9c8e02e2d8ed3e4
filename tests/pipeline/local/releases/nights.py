"""Nights as TFX notes them in a real metadata store, with small models and without the work."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.types import standard_artifacts
from tfx.types.artifact import Artifact

from components.embedding_exporter.component import WordVectors
from pipeline.config import MetadataConfig
from pipeline.local import artifact_files, metadata_store
from pipeline.local.output_folder import OutputFolder
from pipeline.local.releases import blessings, conclusion
from pipeline.local.releases.conclusion import Outcome
from tests.saved_models import write_saved_model

Outputs = dict[tuple[str, str], mlmd.Artifact]
_KINDS: Mapping[str, type[Artifact]] = {
    "examples": standard_artifacts.Examples,
    "aligned_model": standard_artifacts.Model,
    "blessing": standard_artifacts.ModelBlessing,
    "pushed_model": standard_artifacts.PushedModel,
    "vectors": WordVectors,
}
_READ_THE_BLESSING = ("Pusher", "EmbeddingExporter")


class Night(NamedTuple):
    """What a run gave and what became of it."""

    name: str
    outputs: Outputs
    outcome: Outcome

    @property
    def model(self) -> mlmd.Artifact:
        return self.outputs["EmbeddingAligner", "aligned_model"]


class Nights:
    """Runs into one folder, each concluded as `skipgram run` does."""

    def __init__(self, root: Path, models: Path):
        self.output, self._models = OutputFolder(root), models
        with self.output.locked():
            pass
        self.output.artifacts.mkdir(parents=True)
        self.location = metadata_store.store_location(MetadataConfig(), self.output)
        self.store = metadata_store.open_store(self.location.connection)
        kind = self.store.put_context_type(mlmd.ContextType(name="pipeline"))
        context = mlmd.Context(type_id=kind, name=self.location.pipeline_name)
        self.store.put_contexts([context])
        self._pipeline = self.store.get_context_by_type_and_name("pipeline", context.name)

    def run(
        self,
        name: str,
        *,
        passes: bool = True,
        model: mlmd.Artifact | None = None,
        of: "Night | None" = None,
        formats: Sequence[str] | None = None,
        tokens: tuple[str, str] = ("cat", "dog"),
        end: bool = True,
    ) -> Night:
        """One run.

        Args:
          name: of it.
          passes: the gate.
          model: from the cache, and judged anew.
          of: a run of which all comes from the cache.
          formats: of the vectors; with `of` they are written anew.
          tokens: of the model.
          end: whether it was concluded; False as after a kill before the Pusher had begun.
        """
        self.begin(name)
        outputs: Outputs = {}
        if of is not None:
            for key, artifact in of.outputs.items():
                read = self._released(outputs) if key[0] in _READ_THE_BLESSING else []
                outputs[key] = self._execute(name, *key, read=read, cached=artifact)
            if formats:
                self._export(name, outputs, formats)
        else:
            self._train(name, outputs, model, tokens)
            self._judge(name, outputs, passes)
            if passes and end:
                self._push(name, outputs)
                self._export(name, outputs, formats or ["word2vec"])
        if not end:
            return Night(name, outputs, Outcome("", "", None, None, None, None))
        outcome = conclusion.conclude(self.store, self.location, self.output, outputs, name)
        blessed = bool(passes and not outcome.replaced_by) or bool(outcome.blessed_by)
        self.end(name, "blessed" if blessed else "not blessed")
        return Night(name, outputs, outcome)

    def begin(self, name: str) -> None:
        metadata_store.begin_run(self.store, self.location.pipeline_name, name, "a.txt")
        for folder in (self.output.logs, self.output.tensorboard):
            (folder / name).mkdir(parents=True)
            (folder / name / "file").write_text("text")

    def end(self, name: str, status: str) -> None:
        metadata_store.end_run(self.store, name, status, {"documents": int(name[-2:])})

    def last(self) -> blessings.Release:
        found = blessings.last_release(self.store, self.location.pipeline_name)
        assert found is not None
        return found

    def served(self) -> tuple[str, bytes]:
        """The highest version and its model's variables."""
        version = max(self.output.serving.iterdir(), key=lambda path: int(path.name))
        assert (version / "saved_model.pb").exists()
        return version.name, (version / "variables" / "variables.data-00000-of-00001").read_bytes()

    def exported(self) -> tuple[dict[str, str], str]:
        """What `vectors/` says of itself, and its vectors."""
        noted = json.loads((self.output.vectors / "run.json").read_text())
        return noted, (self.output.vectors / "vectors.txt").read_text()

    def formats(self) -> set[str]:
        """Of the files in `vectors/`."""
        return set(json.loads((self.output.vectors / "exports.json").read_text()))

    def _train(
        self, name: str, outputs: Outputs, model: mlmd.Artifact | None, tokens: tuple[str, str]
    ) -> None:
        value, counts = float(name[-2:]), dict(zip(tokens, (2, 1), strict=True))

        def write(uri: str, _: Any) -> None:
            if not (cache := self._models / "-".join([name, *tokens])).exists():
                write_saved_model(cache, counts, [[value, 0], [0, 1]])
            shutil.copytree(cache, Path(uri, "Format-Serving"))

        outputs["TextExampleGen", "examples"] = self._execute(name, "TextExampleGen", "examples")
        outputs["EmbeddingAligner", "aligned_model"] = self._execute(
            name,
            "EmbeddingAligner",
            "aligned_model",
            write,
            [outputs["TextExampleGen", "examples"]],
            model,
        )

    def _judge(self, name: str, outputs: Outputs, passes: bool) -> None:
        model = outputs["EmbeddingAligner", "aligned_model"]
        last = blessings.last_release(self.store, self.location.pipeline_name)

        def write(_: str, blessing: Artifact) -> None:
            blessing.set_int_custom_property("blessed", int(passes))
            blessing.set_int_custom_property("current_model_id", model.id)
            if last is not None and last.model.id != model.id:
                blessing.set_int_custom_property("baseline_model_id", last.model.id)

        def write_final(_: str, blessing: Artifact) -> None:
            write(_, blessing)
            blessing.set_int_custom_property("final", 1)

        read = [model, *([last.model] if last else [])]
        for component, how in (("Evaluator", write), ("EmbeddingComparison", write_final)):
            outputs[component, "blessing"] = self._execute(name, component, "blessing", how, read)

    def _push(self, name: str, outputs: Outputs) -> None:
        from components.rising_pusher.component import Executor

        saved = str(Path(outputs["EmbeddingAligner", "aligned_model"].uri, "Format-Serving"))

        def push(_: str, pushed: Artifact) -> None:
            shutil.copytree(saved, self.output.serving / name)
            Executor().keep(saved, pushed, str(self.output.serving), name)

        outputs["Pusher", "pushed_model"] = self._execute(
            name, "Pusher", "pushed_model", push, self._released(outputs)
        )

    def _export(self, name: str, outputs: Outputs, formats: Sequence[str]) -> None:
        from components.embedding_exporter.component import export

        saved = str(Path(outputs["EmbeddingAligner", "aligned_model"].uri, "Format-Serving"))
        outputs["EmbeddingExporter", "vectors"] = self._execute(
            name,
            "EmbeddingExporter",
            "vectors",
            lambda uri, _: export(saved, uri, formats),
            self._released(outputs),
            asked_for=formats,
        )

    def _released(self, outputs: Outputs) -> list[mlmd.Artifact]:
        return [
            outputs["EmbeddingAligner", "aligned_model"],
            outputs["EmbeddingComparison", "blessing"],
        ]

    def _execute(
        self,
        name: str,
        component: str,
        key: str,
        write: Any = None,
        read: list[mlmd.Artifact] | None = None,
        cached: mlmd.Artifact | None = None,
        asked_for: Sequence[str] = (),
    ) -> mlmd.Artifact:
        state = mlmd.Execution.CACHED if cached else mlmd.Execution.COMPLETE
        kind = self.store.put_execution_type(mlmd.ExecutionType(name=component))
        execution = mlmd.Execution(type_id=kind, last_known_state=state)
        if asked_for:
            execution.custom_properties["formats"].string_value = ",".join(asked_for)
            execution.custom_properties["min_recall"].double_value = 0.5
        contexts = [self._pipeline, self.store.get_context_by_type_and_name("pipeline_run", name)]
        inputs = [(one, _event(mlmd.Event.INPUT, "input")) for one in read or []]
        execution.id, _, _ = self.store.put_execution(execution, inputs, contexts)
        artifact = cached
        if artifact is None:
            made = _KINDS[key]()
            made.uri = str(self.output.artifacts / component / key / str(execution.id))
            Path(made.uri).mkdir(parents=True)
            (write or (lambda uri, _: Path(uri, "content").write_text("text")))(made.uri, made)
            artifact = made.mlmd_artifact
            artifact.type_id = self.store.put_artifact_type(made.artifact_type)
            artifact.state = mlmd.Artifact.LIVE
        output = (artifact, _event(mlmd.Event.OUTPUT, key))
        _, ids, _ = self.store.put_execution(execution, [output], contexts)
        if cached is None:
            artifact_files.note(self.store, execution)
        [found] = self.store.get_artifacts_by_id(ids[-1:])
        return found


def _event(kind: "mlmd.Event.Type", key: str) -> mlmd.Event:
    return mlmd.Event(type=kind, path=mlmd.Event.Path(steps=[mlmd.Event.Path.Step(key=key)]))
