import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from pipeline.cluster import job_spec, submission, vertex_runner
from pipeline.failures import WrongCommandError
from tests.pipeline.cluster.test_job_spec import configuration
from trainer_module.errors import InputError

GOLDEN = Path(__file__).with_name("golden")
_RECURRING_RUNS = "/apis/v2beta1/recurringruns"


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "KF_PIPELINES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.mark.parametrize(
    ("cluster", "missing"),
    [("vertex", "GOOGLE_APPLICATION_CREDENTIALS"), ("kubeflow", "KF_PIPELINES_ENDPOINT")],
)
def test_one_sentence_says_what_is_missing(cluster: str, missing: str) -> None:
    with pytest.raises(InputError, match=missing) as caught:
        submission.submit(cluster, GOLDEN / f"{cluster}.yaml", None, {"epochs": "5"})
    assert "\n" not in str(caught.value)


def test_a_key_file_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    with pytest.raises(InputError, match=r"CREDENTIALS = '.*key\.json' gives no credentials: "):
        submission.submit("vertex", GOLDEN / "vertex.yaml", None, {})


def test_a_parameter_that_the_spec_does_not_have_is_refused() -> None:
    with pytest.raises(
        InputError,
        match="no parameter 'epoch': its are corpus, epochs, labels, network, output, "
        "project, push_destination, region, service_account",
    ):
        submission.submit("vertex", GOLDEN / "vertex.yaml", None, {"epoch": "5"})


def test_a_parameter_that_is_no_number_is_refused() -> None:
    with pytest.raises(
        InputError, match="the parameter epochs = 'many' is not a whole number of at least 1"
    ):
        submission.submit("vertex", GOLDEN / "vertex.yaml", None, {"epochs": "many"})


def test_a_spec_of_another_cluster_is_refused() -> None:
    with pytest.raises(
        WrongCommandError, match=r"was compiled for kubeflow: compile it --to vertex"
    ):
        submission.submit("vertex", GOLDEN / "kubeflow.yaml", None, {})


def test_a_cluster_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(
        InputError, match=r"Kubeflow at http://127\.0\.0\.1:9 did not take the job: [^(<]*refused"
    ):
        submission.submit("kubeflow", GOLDEN / "kubeflow.yaml", None, {})


class _Pipelines(http.server.BaseHTTPRequestHandler):
    """Answers as Kubeflow Pipelines does where every experiment and run is known."""

    asked: ClassVar[list[tuple[str, dict[str, Any]]]] = []

    def do_GET(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if content:
            self.asked.append((self.path, json.loads(content)))
        body = (
            b'{"run_id": "77", "recurring_run_id": "78", "experiment_id": "1", '
            b'"display_name": "Default"}'
        )
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def pipelines() -> Iterator[str]:
    """The address of a cluster that takes what it is given."""
    _Pipelines.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pipelines) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.filterwarnings("ignore:This client only works with:FutureWarning")
def test_links_are_printed_without_the_password_of_the_endpoint(
    pipelines: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", f"http://me:sesame@{pipelines}/?token=sesame")
    said = submission.submit("kubeflow", GOLDEN / "kubeflow.yaml", None, {})
    assert said == "submitted: run 77"
    out, err = capsys.readouterr()
    assert f"Run details: http://{pipelines}/?token=...#/runs/details/77" in out
    assert "sesame" not in out + err


@pytest.mark.filterwarnings("ignore:This client only works with:FutureWarning")
def test_kubeflow_is_asked_to_start_it_every_night(
    pipelines: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", f"http://me:sesame@{pipelines}/?token=sesame")
    said = submission.submit(
        "kubeflow", GOLDEN / "kubeflow.yaml", "gs://other/place", {"epochs": "5"}, "0 3 * * *"
    )
    assert said == "scheduled: recurring run 78"
    [asked] = [content for path, content in _Pipelines.asked if path.endswith(_RECURRING_RUNS)]
    spec = asked.pop("pipeline_spec")
    assert spec["root"]["dag"]["tasks"]["corpus-listing"]["cachingOptions"] == {}
    assert asked == {
        "display_name": "skipgram 0 3 * * *",
        "experiment_id": "1",
        "mode": "ENABLE",
        "max_concurrency": 1,
        "no_catchup": True,
        "trigger": {"cron_schedule": {"cron": "0 0 3 * * *"}},
        "runtime_config": {
            "pipeline_root": "gs://other/place/artifacts",
            "parameters": submission._parameters(
                submission.job_spec.read(GOLDEN / "kubeflow.yaml"),
                "gs://other/place",
                {"epochs": "5"},
            ),
        },
    }
    out, err = capsys.readouterr()
    assert f"Schedule details: http://{pipelines}/?token=...#/recurringrun/details/78" in out
    assert "sesame" not in out + err


@pytest.mark.parametrize("endpoint", ["http://me:sesame@127.0.0.1:9", "http://me:sesame@:x"])
def test_a_cluster_that_does_not_answer_is_named_without_the_password(
    monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", endpoint)
    with pytest.raises(InputError, match="Kubeflow at http://") as caught:
        submission.submit("kubeflow", GOLDEN / "kubeflow.yaml", None, {})
    assert "sesame" not in str(caught.value)


def test_another_output_is_all_that_is_written_to() -> None:
    spec = job_spec.read(GOLDEN / "vertex.yaml")
    assert submission._parameters(spec, "gs://other/place", {"epochs": "5"}) == {
        "output": "gs://other/place",
        "push_destination": '{"filesystem": {"baseDirectory": "gs://other/place/serving"}}',
        "epochs": 5,
    }


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What Vertex's client is asked for: (endpoint, parent, PipelineJob)."""
    import google.auth
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.aiplatform.utils import gcs_utils
    from google.cloud.aiplatform_v1 import PipelineServiceClient

    asked = []

    def create(client: Any, *, parent: str, pipeline_job: Any, **_: Any) -> Any:
        asked.append((client.api_endpoint, parent, pipeline_job))
        pipeline_job.name = f"{parent}/pipelineJobs/1"
        return pipeline_job

    anybody = (AnonymousCredentials(), "the-credentials-project")  # type: ignore[no-untyped-call]
    monkeypatch.setattr(google.auth, "default", lambda *_, **__: anybody)
    monkeypatch.setattr(PipelineServiceClient, "create_pipeline_job", create)
    # It would ask Google Cloud whether the bucket is there.
    name = "create_gcs_bucket_for_pipeline_artifacts_if_it_does_not_exist"
    monkeypatch.setattr(gcs_utils, name, lambda **_: None)
    # Neither says where a compiled pipeline runs.
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "the-projects-of-the-shell")
    monkeypatch.setenv("GOOGLE_CLOUD_REGION", "asia-east1")
    return asked


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spec") / "vertex.yaml"
    config = configuration(
        deployment__region="europe-west4",
        deployment__service_account="nightly@words.iam.gserviceaccount.com",
        deployment__network="projects/12/global/networks/quiet",
        deployment__labels="{team: search, night: daily}",
    )
    job_spec.write(vertex_runner.compile_job(config), path)
    return path


def test_vertex_runs_a_spec_where_it_was_compiled_for(submitted: list[Any], labelled: Path) -> None:
    said = submission.submit("vertex", labelled, None, {})
    assert said == (
        "submitted: https://console.cloud.google.com/vertex-ai/locations/europe-west4/pipelines/"
        "runs/1?project=words"
    )
    [(endpoint, parent, job)] = submitted
    assert endpoint == "europe-west4-aiplatform.googleapis.com"
    assert parent == "projects/words/locations/europe-west4"
    assert job.service_account == "nightly@words.iam.gserviceaccount.com"
    assert job.network == "projects/12/global/networks/quiet"
    assert dict(job.labels).items() >= {"team": "search", "night": "daily"}.items()


def test_what_is_said_at_submission_holds_for_the_pipeline_and_for_its_custom_job(
    submitted: list[Any], labelled: Path
) -> None:
    elsewhere = {
        "project": "others",
        "region": "us-east1",
        "service_account": "me@others.iam.gserviceaccount.com",
        "network": "projects/34/global/networks/loud",
        "labels": '{"night": "first"}',
    }
    submission.submit("vertex", labelled, None, elsewhere)
    [(endpoint, parent, job)] = submitted
    assert endpoint == "us-east1-aiplatform.googleapis.com"
    assert parent == "projects/others/locations/us-east1"
    assert job.service_account == "me@others.iam.gserviceaccount.com"
    assert job.network == "projects/34/global/networks/loud"
    assert dict(job.labels).items() >= {"team": "search", "night": "first"}.items()
    # What the Trainer's node is told, as executor properties, and gives to its custom job.
    both = {**elsewhere, "labels": '{"night": "first", "team": "search"}'}
    assert dict(job.runtime_config.parameter_values) == both


def test_vertex_is_asked_to_start_it_every_night(
    submitted: list[Any], labelled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from google.cloud.aiplatform_v1 import Schedule, ScheduleServiceClient

    scheduled = []

    def create(client: Any, *, parent: str, schedule: Schedule, **_: Any) -> Schedule:
        scheduled.append((client.api_endpoint, parent, schedule))
        return Schedule(name=f"{parent}/schedules/78")

    monkeypatch.setattr(ScheduleServiceClient, "create_schedule", create)
    said = submission.submit("vertex", labelled, "gs://other/place", {}, "0 3 * * *")
    assert said == (
        "scheduled: https://console.cloud.google.com/vertex-ai/locations/europe-west4/pipelines/"
        "schedules/78?project=words"
    )
    assert not submitted
    [(endpoint, parent, schedule)] = scheduled
    assert endpoint == "europe-west4-aiplatform.googleapis.com"
    assert parent == "projects/words/locations/europe-west4"
    assert schedule.cron == "0 3 * * *"
    assert schedule.display_name == "skipgram 0 3 * * *"
    assert schedule.max_concurrent_run_count == 1
    assert not schedule.allow_queueing
    assert not schedule.catch_up
    job = schedule.create_pipeline_job_request.pipeline_job
    assert job.service_account == "nightly@words.iam.gserviceaccount.com"
    assert job.network == "projects/12/global/networks/quiet"
    assert dict(job.labels).items() >= {"team": "search", "night": "daily"}.items()
    assert job.runtime_config.gcs_output_directory == "gs://other/place/artifacts"
    assert dict(job.runtime_config.parameter_values)["output"] == "gs://other/place"
    assert "corpus-listing" in job.pipeline_spec["root"]["dag"]["tasks"]


def test_a_region_that_vertex_does_not_know_is_refused(
    submitted: list[Any], labelled: Path
) -> None:
    with pytest.raises(WrongCommandError, match=r"the region 'mars-west1' is none .* such as "):
        submission.submit("vertex", labelled, None, {"region": "mars-west1"})
    assert not submitted


def test_a_spec_of_an_older_version_is_to_be_compiled_anew(labelled: Path, tmp_path: Path) -> None:
    old = yaml.safe_load(labelled.read_text())
    del old["root"]["inputDefinitions"]["parameters"]["network"]
    del old["root"]["dag"]["tasks"]["trainer"]["inputs"]["parameters"]["network"]
    job_spec.write(old, tmp_path / "old.yaml")
    with pytest.raises(WrongCommandError, match="no parameter network, as an older version"):
        submission.submit("vertex", tmp_path / "old.yaml", None, {})


@pytest.mark.parametrize("name", ["project", "region"])
def test_a_place_without_a_name_is_refused(labelled: Path, name: str) -> None:
    with pytest.raises(WrongCommandError, match=f"the parameter {name} is empty: name one"):
        submission.submit("vertex", labelled, None, {name: ""})


def test_dataflow_does_not_stay_behind(tmp_path: Path) -> None:
    config = configuration(beam__runner="dataflow")
    job_spec.write(vertex_runner.compile_job(config), tmp_path / "spec.yaml")
    with pytest.raises(
        WrongCommandError, match=r"start Dataflow in region us-central1, not in europe-west4: comp"
    ):
        submission.submit("vertex", tmp_path / "spec.yaml", None, {"region": "europe-west4"})
