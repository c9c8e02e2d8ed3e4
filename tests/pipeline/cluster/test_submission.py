from pathlib import Path

import pytest

from pipeline.cluster import submission
from pipeline.failures import WrongCommandError
from trainer_module.errors import InputError

GOLDEN = Path(__file__).with_name("golden")


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


def test_a_parameter_that_the_spec_does_not_have_is_refused() -> None:
    with pytest.raises(
        InputError, match="no parameter 'epoch': its are corpus, epochs, output, push_destination"
    ):
        submission.submit("vertex", GOLDEN / "vertex.yaml", None, {"epoch": "5"})


def test_a_parameter_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="the parameter epochs = 'many' is not a whole number"):
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


def test_another_output_is_all_that_is_written_to() -> None:
    from pipeline.cluster import job_spec

    spec = job_spec.read(GOLDEN / "vertex.yaml")
    assert submission._parameters(spec, "gs://other/place", {"epochs": "5"}) == {
        "output": "gs://other/place",
        "push_destination": '{"filesystem": {"baseDirectory": "gs://other/place/serving"}}',
        "epochs": 5,
    }
