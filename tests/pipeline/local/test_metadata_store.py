import datetime
from pathlib import Path

import pytest
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.config import MetadataConfig
from pipeline.failures import WrongCommandError
from pipeline.local import metadata_store
from pipeline.local.output_folder import OutputFolder
from trainer_module.errors import InputError

NAME = "skipgram"


def open_in(folder: Path) -> MetadataStore:
    location = metadata_store.store_location(MetadataConfig(), OutputFolder(folder))
    return metadata_store.open_store(location.connection)


@pytest.fixture
def store(tmp_path: Path) -> MetadataStore:
    return open_in(tmp_path)


def put_execution(
    store: MetadataStore,
    component: str,
    state: "mlmd.Execution.State",
    *,
    pipeline: str = NAME,
    run_id: str = "",
    outputs: dict[str, Path] | None = None,
    event_type: "mlmd.Event.Type" = mlmd.Event.OUTPUT,
) -> int:
    """Notes an execution as TFX does, and makes the folders of its outputs."""
    execution_type = store.put_execution_type(mlmd.ExecutionType(name=component))
    artifact_type = store.put_artifact_type(mlmd.ArtifactType(name="Folder"))
    events = []
    for key, folder in (outputs or {}).items():
        path = mlmd.Event.Path(steps=[mlmd.Event.Path.Step(key=key)])
        artifact = mlmd.Artifact(type_id=artifact_type, uri=str(folder))
        events.append((artifact, mlmd.Event(type=event_type, path=path)))
    runs = [store.get_context_by_type_and_name("pipeline_run", run_id)] if run_id else []
    pipeline_type = store.put_context_type(mlmd.ContextType(name="pipeline"))
    execution_id, _, _ = store.put_execution(
        mlmd.Execution(type_id=execution_type, last_known_state=state),
        events,
        [mlmd.Context(type_id=pipeline_type, name=pipeline), *runs],
        reuse_context_if_already_exist=True,
    )
    return execution_id


def make_folder(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "content").write_text("half written?")
    return path


class TestRuns:
    def test_a_new_store_has_none(self, store):
        assert metadata_store.runs(store, NAME) == []

    def test_one_that_began_is_unfinished(self, store):
        before = datetime.datetime.now() - datetime.timedelta(seconds=1)
        metadata_store.begin_run(store, NAME, "monday", "books/*.txt")
        [run] = metadata_store.runs(store, NAME)
        assert (run.run_id, run.corpus, run.status) == ("monday", "books/*.txt", "unfinished")
        assert run.result == {}
        assert before <= run.started <= datetime.datetime.now() + datetime.timedelta(seconds=1)

    def test_one_that_ended_has_its_status_and_result(self, store):
        metadata_store.begin_run(store, NAME, "monday", "größe.txt")
        result = {"perplexity": 2.5, "blessed": True, "objective": "nce"}
        metadata_store.end_run(store, "monday", "blessed", result)
        [run] = metadata_store.runs(store, NAME)
        assert (run.corpus, run.status, run.result) == ("größe.txt", "blessed", result)

    def test_the_last_one_comes_first(self, store):
        for name in ("b", "c", "a"):
            metadata_store.begin_run(store, NAME, name, "x")
        metadata_store.end_run(store, "b", "failed", {"error": "no pairs"})
        assert [(run.run_id, run.status) for run in metadata_store.runs(store, NAME)] == [
            ("a", "unfinished"),
            ("c", "unfinished"),
            ("b", "failed"),
        ]

    def test_one_that_is_not_of_ours_is_left_out(self, store):
        type_id = store.put_context_type(mlmd.ContextType(name="pipeline_run"))
        store.put_contexts([mlmd.Context(type_id=type_id, name="other")])
        assert metadata_store.runs(store, NAME) == []

    def test_are_there_when_the_store_is_opened_again(self, tmp_path):
        metadata_store.begin_run(open_in(tmp_path), NAME, "monday", "x")
        [run] = metadata_store.runs(open_in(tmp_path), NAME)
        assert run.run_id == "monday"

    def test_of_other_pipelines_are_left_out(self, store):
        metadata_store.begin_run(store, "skipgram-a", "monday", "x")
        metadata_store.begin_run(store, "skipgram-b", "tuesday", "x")
        [run] = metadata_store.runs(store, "skipgram-b")
        assert run.run_id == "tuesday"
        assert metadata_store.runs(store, NAME) == []


class TestNewName:
    NIGHT = datetime.datetime(2026, 11, 24, 3, 0, 0)

    @pytest.mark.parametrize(
        ("before", "served", "name"),
        [
            ([], 0, "20261124030000"),
            (["2026-11-22T12:00:00.005"], 1_795_608_000, "20261124030000"),  # of an older version
            (["20261124030000"], 0, "20261124030001"),  # in the same second
            (["20261124035959-0123456789ab"], 0, "20261124035960"),  # the clock went back
            (["20261123030000"], 20261124030007, "20261124030008"),
        ],
    )
    def test_is_the_time_and_above_all_before_it(self, store, before, served, name):
        for run_id in before:
            metadata_store.begin_run(store, NAME, run_id, "x")
        assert metadata_store.new_name(store, NAME, served, self.NIGHT) == name

    def test_runs_of_other_pipelines_do_not_matter(self, store):
        metadata_store.begin_run(store, "skipgram-other", "20261124030000", "x")
        assert metadata_store.new_name(store, NAME, 0, self.NIGHT) == "20261124030000"


class TestFindRun:
    @pytest.fixture
    def records(self, store):
        for day in ("22", "23", "24"):
            run_id = f"202611{day}030000-0123456789ab"
            metadata_store.begin_run(store, NAME, run_id, "x")
        return metadata_store.runs(store, NAME)

    @pytest.mark.parametrize(
        ("said", "day"), [("last", "24"), ("20261123030000", "23"), ("22", "22"), ("1123", "23")]
    )
    def test_by_name_by_a_part_that_no_other_has_and_the_last(self, records, said, day):
        assert metadata_store.find_run(records, said).name == f"202611{day}030000"

    def test_a_part_of_several_names(self, records):
        with pytest.raises(WrongCommandError) as caught:
            metadata_store.find_run(records, "2026")
        assert str(caught.value) == (
            "2026 is part of the names of 3 runs: say one of 20261124030000, 20261123030000, "
            "20261122030000"
        )

    def test_a_wrong_name_is_answered_with_the_nearest(self, records):
        for said in ("20261125030000", "0123456789ab", ""):
            with pytest.raises(WrongCommandError, match=f"^{said} is no run; the nearest is 2026"):
                metadata_store.find_run(records, said)

    def test_where_there_are_none(self):
        with pytest.raises(WrongCommandError, match=r"^last is no run$"):
            metadata_store.find_run([], "last")


class TestStoreLocation:
    NAME = "20261122120000"
    ON_A_SERVER = MetadataConfig(type="mysql", socket="/run/mysqld.sock")

    def test_of_metadata_in_the_folder(self, tmp_path):
        location = metadata_store.store_location(MetadataConfig(), OutputFolder(tmp_path / "books"))
        assert location.connection.sqlite.filename_uri == str(
            tmp_path / "books" / "metadata.sqlite"
        )
        assert location.pipeline_name == "skipgram"
        assert location.run_id(self.NAME) == self.NAME

    def test_on_a_server_each_folder_has_a_name_of_its_own(self, tmp_path):
        locations = []
        for name in ("a", "b"):
            with OutputFolder(tmp_path / name).locked():
                locations.append(
                    metadata_store.store_location(self.ON_A_SERVER, OutputFolder(tmp_path / name))
                )
        a, b = (location.pipeline_name for location in locations)
        assert a != b
        assert locations[0].connection == locations[1].connection
        # Two runs that begin in the same second are two all the same.
        assert locations[0].run_id(self.NAME) == self.NAME + a.removeprefix("skipgram")
        assert locations[1].run_id(self.NAME) == self.NAME + b.removeprefix("skipgram")

    def test_on_a_server_of_a_folder_that_nothing_was_run_into(self, tmp_path):
        with pytest.raises(InputError, match="nothing was run into"):
            metadata_store.store_location(self.ON_A_SERVER, OutputFolder(tmp_path))


class TestOutputArtifacts:
    def test_are_found_by_component_and_key(self, store):
        metadata_store.begin_run(store, NAME, "monday", "x")
        put_execution(
            store,
            "components.text_example_gen.component.TextExampleGen",
            mlmd.Execution.COMPLETE,
            run_id="monday",
            outputs={"examples": Path("/examples/1")},
        )
        put_execution(
            store,
            "tfx.components.trainer.component.Trainer",
            mlmd.Execution.CACHED,
            run_id="monday",
            outputs={"model": Path("/model/2"), "model_run": Path("/model_run/2")},
        )
        found = metadata_store.output_artifacts(store, "monday")
        assert {output: artifact.uri for output, artifact in found.items()} == {
            ("TextExampleGen", "examples"): "/examples/1",
            ("Trainer", "model"): "/model/2",
            ("Trainer", "model_run"): "/model_run/2",
        }

    def test_of_another_run_and_unfinished_ones_are_left_out(self, store):
        for name in ("monday", "tuesday"):
            metadata_store.begin_run(store, NAME, name, "x")
        put_execution(
            store,
            "Trainer",
            mlmd.Execution.COMPLETE,
            run_id="monday",
            outputs={"model": Path("/model/1")},
        )
        put_execution(
            store,
            "Trainer",
            mlmd.Execution.RUNNING,
            run_id="tuesday",
            outputs={"model": Path("/model/2")},
            event_type=mlmd.Event.PENDING_OUTPUT,
        )
        assert metadata_store.output_artifacts(store, "tuesday") == {}


class TestRemoveUnusable:
    @pytest.mark.parametrize(
        "state", [mlmd.Execution.NEW, mlmd.Execution.RUNNING, mlmd.Execution.FAILED]
    )
    def test_what_did_not_complete_is_removed_and_marked_failed(self, store, tmp_path, state):
        number = put_execution(store, "Transform", state)
        graph = make_folder(tmp_path / "Transform" / "transform_graph" / str(number))
        system = make_folder(
            tmp_path / "Transform" / ".system" / "executor_execution" / str(number)
        )
        metadata_store.remove_unusable(store, NAME, tmp_path)
        assert not graph.exists()
        assert not system.exists()
        [execution] = store.get_executions_by_id([number])
        assert execution.last_known_state == mlmd.Execution.FAILED

    @pytest.mark.parametrize("state", [mlmd.Execution.COMPLETE, mlmd.Execution.CACHED])
    def test_what_completed_stays(self, store, tmp_path, state):
        done = put_execution(store, "Trainer", state)
        killed = put_execution(store, "Trainer", mlmd.Execution.RUNNING)
        kept = make_folder(tmp_path / "Trainer" / "model" / str(done))
        lost = make_folder(tmp_path / "Trainer" / "model" / str(killed))
        metadata_store.remove_unusable(store, NAME, tmp_path)
        assert kept.joinpath("content").exists()
        assert not lost.exists()
        [execution] = store.get_executions_by_id([done])
        assert execution.last_known_state == state

    def test_numbers_that_only_begin_alike_stay(self, store, tmp_path):
        number = put_execution(store, "Trainer", mlmd.Execution.RUNNING)
        kept = make_folder(tmp_path / "Trainer" / "model" / f"{number}0")
        metadata_store.remove_unusable(store, NAME, tmp_path)
        assert kept.exists()

    def test_what_other_pipelines_do_is_left_alone(self, store, tmp_path):
        put_execution(store, "Trainer", mlmd.Execution.COMPLETE)
        number = put_execution(store, "Trainer", mlmd.Execution.RUNNING, pipeline="skipgram-other")
        # In this pipeline's folder, so that nothing but the store keeps it.
        folder = make_folder(tmp_path / "Trainer" / "model" / str(number))
        metadata_store.remove_unusable(store, NAME, tmp_path)
        assert folder.exists()
        [execution] = store.get_executions_by_id([number])
        assert execution.last_known_state == mlmd.Execution.RUNNING

    def test_artifacts_of_another_store_are_refused(self, store, tmp_path):
        put_execution(store, "Trainer", mlmd.Execution.COMPLETE, pipeline="skipgram-other")
        artifacts = tmp_path / "artifacts"
        folder = make_folder(artifacts / "Trainer" / "model" / "1")
        with pytest.raises(InputError) as caught:
            metadata_store.remove_unusable(store, NAME, artifacts)
        assert str(caught.value) == (
            f"the metadata store knows nothing of what is in {artifacts}: it was made with another "
            "store or in another place, or the store was emptied; choose another folder with "
            "--output"
        )
        assert folder.exists()

    def test_a_new_store_and_no_folder_are_nothing_to_do(self, store, tmp_path):
        metadata_store.remove_unusable(store, NAME, tmp_path / "artifacts")
        assert store.get_executions() == []
