import click
import pytest

from pipeline.cluster import place
from pipeline.failures import WrongCommandError

NOTHING = {"project": None, "region": None, "service_account": None, "network": None}


def test_options_are_parameters_of_the_job_spec() -> None:
    options = {**NOTHING, "project": "words", "region": "europe-west4"}
    assert place.of_options("vertex", options, ["team=search", "night="]) == {
        "project": "words",
        "region": "europe-west4",
        "labels": '{"night": "", "team": "search"}',
    }
    for cluster in ("vertex", "kubeflow"):
        assert place.of_options(cluster, NOTHING, []) == {}


@pytest.mark.parametrize(
    ("options", "labels", "named"),
    [
        ({"service_account": "a@b.c"}, [], "--service-account"),
        ({"region": ""}, [], "--region"),
        ({}, ["team=search"], "--label"),
    ],
)
def test_kubeflow_has_no_use_for_them(
    options: dict[str, str], labels: list[str], named: str
) -> None:
    with pytest.raises(click.UsageError, match=f"{named} is for vertex: on kubeflow the client"):
        place.of_options("kubeflow", {**NOTHING, **options}, labels)


@pytest.mark.parametrize("label", ["team", "=search"])
def test_a_label_is_a_name_and_a_value(label: str) -> None:
    with pytest.raises(click.UsageError, match=f"--label takes NAME=VALUE, not '{label}'"):
        place.of_options("vertex", NOTHING, [label])


def test_an_option_without_a_value_is_left_out() -> None:
    with pytest.raises(click.UsageError, match="--network needs a value: leave it out"):
        place.of_options("vertex", {**NOTHING, "network": ""}, [])


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"network": "default"}, r"deployment.network = 'default' is not allowed: .*projects/"),
        ({"service_account": "me"}, r"deployment.service_account = 'me' is not allowed"),
        ({"labels": '{"Team": "search"}'}, r"deployment.labels.Team.* is not allowed"),
        ({"labels": '{"team": 1}'}, r"deployment.labels.team = 1 is not allowed"),
        ({"labels": "team=search"}, r"labels = 'team=search' is no JSON: .* --label team=search"),
    ],
)
def test_what_google_cloud_would_refuse_is_refused_here(
    parameters: dict[str, str], complaint: str
) -> None:
    with pytest.raises(WrongCommandError, match=complaint):
        place.checked(parameters)
