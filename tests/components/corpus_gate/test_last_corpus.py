"""The strategy on a real metadata store; the component through TFX's own executor."""

from pathlib import Path

import pytest
from google.protobuf import json_format
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx import types
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.corpus_gate.last_corpus import LastBlessedCorpusStrategy, LastPushedCorpus
from components.embedding_evaluator.order_of_blessings import FINAL
from pipeline.graph import push_to


class Nights:
    """What nights leave in a metadata store."""

    def __init__(self) -> None:
        self.store = MetadataStore(mlmd.ConnectionConfig(fake_database=mlmd.FakeDatabaseConfig()))
        self.graphs = [self._artifact("TransformGraph")]
        self.models: list[types.Artifact] = []
        self.blessings: list[types.Artifact] = []

    def _artifact(self, type_name: str) -> types.Artifact:
        artifact = getattr(standard_artifacts, type_name)()
        type_id = self.store.put_artifact_type(mlmd.ArtifactType(name=type_name))
        [artifact.id] = self.store.put_artifacts([mlmd.Artifact(type_id=type_id)])
        artifact.type_id = type_id
        return artifact

    def _run(self, component: str, output: str, **inputs: types.Artifact | None) -> types.Artifact:
        """Puts an execution with one output of a type."""
        made = self._artifact(output)
        self._put(component, mlmd.Event.OUTPUT, made, **inputs)
        return made

    def _put(
        self,
        component: str,
        event: "mlmd.Event.Type",
        made: types.Artifact,
        **inputs: types.Artifact | None,
    ) -> None:
        type_id = self.store.put_execution_type(mlmd.ExecutionType(name=component))
        [execution] = self.store.put_executions([mlmd.Execution(type_id=type_id)])
        given = {key: artifact for key, artifact in inputs.items() if artifact is not None}
        kinds = [(mlmd.Event.INPUT, key, artifact) for key, artifact in given.items()]
        self.store.put_events(
            [
                mlmd.Event(
                    artifact_id=artifact.id,
                    execution_id=execution,
                    type=kind,
                    path=mlmd.Event.Path(steps=[mlmd.Event.Path.Step(key=key)]),
                )
                for kind, key, artifact in [*kinds, (event, "output", made)]
            ]
        )

    def transformed(self) -> types.Artifact:
        self.graphs.append(self._run("Transform", "TransformGraph"))
        return self.graphs[-1]

    def trained(
        self,
        graph: types.Artifact,
        base: types.Artifact | None = None,
        *,
        aligned_to: types.Artifact | None = None,
        blessed: bool = True,
    ) -> types.Artifact:
        """A model of a night, judged; its corpus has passed beside the last one."""
        for last in [it for it in self.models if it.id in self.last(graph)]:
            self.passed(graph, last)
        model = self._run("Trainer", "Model", transform_graph=graph, base_model=base)
        self.models.append(model)
        if aligned_to is not None:
            model = self._run("Aligner", "Model", model=model, baseline_model=aligned_to)
            self.models.append(model)
        blessing = self._run("Evaluator", "ModelBlessing", model=model)
        blessing.set_int_custom_property("blessed", int(blessed))
        blessing.set_int_custom_property(FINAL, 1)
        blessing.set_int_custom_property("current_model_id", model.id)
        self.blessings.append(blessing)
        return model

    def passed(self, graph: types.Artifact, last: types.Artifact, *, ended: bool = True) -> None:
        """The gate's word on a night's corpus."""
        self._run("CorpusGate", "Model", transform_graph=graph, last_model=last)
        execution = self.store.get_executions()[-1]
        state = mlmd.Execution.COMPLETE if ended else mlmd.Execution.FAILED
        execution.last_known_state = state
        self.store.put_executions([execution])

    def again(self, model: types.Artifact) -> None:
        """A person blesses one of the models."""
        blessing = self._artifact("ModelBlessing")
        for name, value in (("blessed", 1), (FINAL, 1), ("current_model_id", model.id)):
            blessing.set_int_custom_property(name, value)
        self.blessings.append(blessing)

    def last(self, graph: types.Artifact) -> list[int]:
        given = {
            "transform_graph": [graph],
            "model": self.models,
            "model_blessing": self.blessings,
        }
        found = LastBlessedCorpusStrategy().resolve_artifacts(self.store, given)
        assert found.keys() == given.keys()
        assert found["transform_graph"] == [graph]
        assert len(found["model_blessing"]) == len(found["model"])
        return [model.id for model in found["model"]]


def test_the_first_night_has_none() -> None:
    nights = Nights()
    monday = nights.transformed()
    assert nights.last(monday) == []
    nights.trained(monday)
    assert nights.last(monday) == []


def test_the_last_blessed_night_is_found_also_when_a_night_is_repeated() -> None:
    nights = Nights()
    monday, tuesday = nights.transformed(), nights.transformed()
    first = nights.trained(monday)
    assert nights.last(tuesday) == [first.id]
    second = nights.trained(tuesday)
    assert nights.last(tuesday) == [first.id]
    assert nights.last(monday) == [second.id]


def test_a_corpus_that_somebody_went_back_to_stays_beside_what_it_has_passed_beside() -> None:
    nights = Nights()
    monday, tuesday, wednesday = (nights.transformed() for _ in range(3))
    first, second, third = map(nights.trained, (monday, tuesday, wednesday))
    nights.passed(tuesday, third, ended=False)  # withheld
    assert nights.last(tuesday) == [third.id]
    nights.again(second)
    assert nights.last(tuesday) == [first.id]
    nights.again(first)
    assert nights.last(monday) == []


def test_other_models_of_tonights_corpus_are_left_out_and_those_not_blessed() -> None:
    nights = Nights()
    monday, tuesday, wednesday = (nights.transformed() for _ in range(3))
    first = nights.trained(monday)
    nights.trained(tuesday, blessed=False)
    nights.trained(wednesday)
    nights.trained(wednesday)
    assert nights.last(wednesday) == [first.id]


def test_a_model_that_was_aligned_is_of_the_corpus_that_it_was_trained_on() -> None:
    """And not of those whose model it was aligned to, or went on from."""
    nights = Nights()
    monday, tuesday = nights.transformed(), nights.transformed()
    first = nights.trained(monday, aligned_to=nights.trained(nights.transformed()))
    assert nights.last(tuesday) == [first.id]
    second = nights.trained(tuesday, base=first, aligned_to=first)
    assert nights.last(tuesday) == [first.id]
    assert nights.last(monday) == [second.id]


def test_a_gate_that_read_the_corpus_made_no_model_of_it() -> None:
    nights = Nights()
    monday, tuesday = nights.transformed(), nights.transformed()
    first = nights.trained(monday)
    # A resolver reads tonight's too, and gives what was there.
    nights._put("Resolver", mlmd.Event.INTERNAL_OUTPUT, first, transform_graph=tuesday)
    assert nights.last(tuesday) == [first.id]


@pytest.mark.parametrize("pushed", [True, False])
def test_the_model_that_was_pushed_last_is_copied_if_there_is_one(
    tmp_path: Path, pushed: bool
) -> None:
    if pushed:
        (tmp_path / "serving" / "7" / "assets").mkdir(parents=True)
        (tmp_path / "serving" / "7" / "assets" / "vocabulary").write_text("1 cat\n")
    graph, model = standard_artifacts.TransformGraph(), standard_artifacts.Model()
    model.uri = str(tmp_path / "model")
    destination = json_format.MessageToJson(push_to(str(tmp_path / "serving")))
    LastPushedCorpus.EXECUTOR_SPEC.executor_class().Do(
        {"transform_graph": [graph]}, {"model": [model]}, {"push_destination": destination}
    )
    copied = Path(path_utils.serving_model_path(model.uri), "assets", "vocabulary")
    assert copied.exists() == pushed
    assert Path(model.uri).is_dir()
