"""Which model a warm start begins with, by a real metadata store; and the copy on a cluster."""

from pathlib import Path

import pytest
from google.protobuf import json_format
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx import types
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.embedding_evaluator.order_of_blessings import FINAL
from components.multi_worker_trainer.base_model import BaseModelStrategy, PushedBaseModel
from pipeline.graph import push_to

CONFIG = '{"trainer": {}}'


class Nights:
    """Runs of the Trainer as TFX notes them."""

    def __init__(self) -> None:
        connection = mlmd.ConnectionConfig()
        connection.fake_database.SetInParent()
        self.store = MetadataStore(connection)
        self._types = {
            name: self.store.put_artifact_type(mlmd.ArtifactType(name=name))
            for name in ("Model", "ModelBlessing", "TransformGraph")
        }
        self._trainer = self.store.put_execution_type(mlmd.ExecutionType(name="Trainer"))
        self._models: dict[int, types.Artifact] = {}
        self._blessings: list[types.Artifact] = []

    def corpus(self) -> int:
        return self._artifact("TransformGraph")

    def _artifact(self, name: str) -> int:
        [found] = self.store.put_artifacts([mlmd.Artifact(type_id=self._types[name])])
        return int(found)

    def train(
        self,
        corpus: int,
        base: int | None = None,
        *,
        config: str = CONFIG,
        epochs: int = 2,
        state: mlmd.Execution.State = mlmd.Execution.COMPLETE,
    ) -> int:
        execution = mlmd.Execution(type_id=self._trainer, last_known_state=state)
        execution.custom_properties["custom_config"].string_value = config
        execution.custom_properties["epochs"].int_value = epochs
        [number] = self.store.put_executions([execution])
        model = self._artifact("Model")
        self._models[model] = standard_artifacts.Model()
        self._models[model].id = model
        taken = {"transform_graph": corpus, **({} if base is None else {"base_model": base})}
        self.store.put_events(
            [_event(number, mlmd.Event.INPUT, key, artifact) for key, artifact in taken.items()]
            + [_event(number, mlmd.Event.OUTPUT, "model", model)]
        )
        return model

    def bless(self, model: int) -> None:
        blessing = standard_artifacts.ModelBlessing()
        blessing.id = self._artifact("ModelBlessing")
        blessing.set_int_custom_property("blessed", 1)
        blessing.set_int_custom_property(FINAL, 1)
        blessing.set_int_custom_property("current_model_id", model)
        self._blessings.append(blessing)

    def remove(self, model: int) -> None:
        del self._models[model]

    def base_of(self, corpus: int, config: str = CONFIG, epochs: int = 2) -> int | None:
        graph = standard_artifacts.TransformGraph()
        graph.id = corpus
        given = {
            "transform_graph": [graph],
            "model": [*self._models.values()],
            "model_blessing": self._blessings,
        }
        found = BaseModelStrategy(config, epochs).resolve_artifacts(self.store, given)
        assert found.keys() == given.keys()
        ids = [model.id for model in found["model"]]
        assert len(ids) <= 1
        return ids[0] if ids else None


def _event(execution: int, kind: mlmd.Event.Type, key: str, artifact: int) -> mlmd.Event:
    event = mlmd.Event(execution_id=execution, type=kind, artifact_id=artifact)
    event.path.steps.add().key = key
    event.path.steps.add().index = 0
    return event


def test_the_first_night_has_no_base() -> None:
    nights = Nights()
    assert nights.base_of(nights.corpus()) is None


def test_the_next_night_begins_with_the_last_blessed_model() -> None:
    nights = Nights()
    blessed, withheld = nights.train(nights.corpus()), nights.train(nights.corpus())
    nights.bless(blessed)
    assert nights.base_of(nights.corpus()) == blessed
    nights.bless(withheld)
    assert nights.base_of(nights.corpus()) == withheld


def test_the_same_night_again_has_the_base_that_it_had() -> None:
    nights = Nights()
    one, other = nights.corpus(), nights.corpus()
    first = nights.train(one)
    nights.bless(first)
    assert nights.base_of(one) is None
    second = nights.train(other, base=first)
    assert nights.base_of(other) == first
    nights.bless(second)
    assert nights.base_of(other) == first
    # The third has the corpus of the first: its model is there.
    assert nights.base_of(one) is None


@pytest.mark.parametrize("changed", [{"config": "{}"}, {"epochs": 3}])
def test_another_training_on_the_same_corpus_goes_on_from_the_last(
    changed: dict[str, object],
) -> None:
    nights = Nights()
    corpus = nights.corpus()
    first = nights.train(corpus)
    nights.bless(first)
    assert nights.base_of(corpus, **changed) == first  # type: ignore[arg-type]


def test_a_training_that_did_not_end_decides_nothing() -> None:
    nights = Nights()
    first, corpus = nights.train(nights.corpus()), nights.corpus()
    nights.bless(first)
    nights.train(corpus, state=mlmd.Execution.FAILED)
    assert nights.base_of(corpus) == first


def test_the_last_of_the_same_trainings_counts() -> None:
    nights = Nights()
    corpus = nights.corpus()
    first, second = nights.train(nights.corpus()), nights.train(nights.corpus())
    nights.train(corpus, base=first)
    nights.train(corpus, base=second, state=mlmd.Execution.CACHED)
    assert nights.base_of(corpus) == second


def test_a_base_that_was_removed_is_none() -> None:
    nights = Nights()
    corpus = nights.corpus()
    first = nights.train(nights.corpus())
    nights.bless(nights.train(corpus, base=first))
    last = nights.train(nights.corpus())
    nights.bless(last)
    nights.remove(first)
    assert nights.base_of(corpus) == last


@pytest.mark.parametrize("versions", [[], ["9", "10"]])
def test_on_a_cluster_the_last_pushed_model_is_copied(tmp_path: Path, versions: list[str]) -> None:
    for version in versions:
        (tmp_path / "serving" / version).mkdir(parents=True)
        (tmp_path / "serving" / version / "saved_model.pb").write_text(version)
    model = standard_artifacts.Model()
    model.uri = str(tmp_path / "model")
    PushedBaseModel.EXECUTOR_SPEC.executor_class().Do(
        {"transform_graph": [standard_artifacts.TransformGraph()]},
        {"model": [model]},
        {
            "push_destination": json_format.MessageToJson(push_to(str(tmp_path / "serving"))),
            "custom_config": CONFIG,
            "epochs": 2,
        },
    )
    copied = Path(path_utils.serving_model_path(model.uri), "saved_model.pb")
    assert (tmp_path / "model").is_dir()
    assert copied.exists() == bool(versions)
    assert not versions or copied.read_text() == "10"
