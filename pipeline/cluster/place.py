"""Where on Google Cloud a pipeline and its custom job run, and as whom: checked in one place."""

import difflib
import json
from collections.abc import Mapping, Sequence

import click

from pipeline import config_file
from pipeline.failures import WrongCommandError
from pipeline.sections.deployment import DeploymentConfig
from trainer_module.errors import InputError

LABELS = "labels"
# Fields of `deployment`, and parameters of Vertex's job specs.
FIELDS = ("project", "region", "service_account", "network", LABELS)


def checked(parameters: Mapping[str, str]) -> DeploymentConfig:
    """Reads parameters as the fields that they stand for.

    Args:
      parameters: by some names of FIELDS; "" of one that is left to Vertex, labels in JSON.

    Raises:
      WrongCommandError: a value is not allowed.
    """
    given = {name: value for name, value in parameters.items() if value}
    try:
        fields = {name: json.loads(v) if name == LABELS else v for name, v in given.items()}
        return config_file.validated({"deployment": fields}).deployment
    except json.JSONDecodeError as error:
        raise WrongCommandError(
            f"labels = {given[LABELS]!r} is no JSON: write them as "
            '{"team": "search"}, or give --label team=search'
        ) from error
    except InputError as error:
        raise WrongCommandError(str(error)) from error


def require_region(region: str) -> None:
    """Checks that there is such a region.

    Raises:
      WrongCommandError: Vertex's client knows none of that name.
    """
    # It takes seconds to import, which TFX's Trainer for Vertex costs anyhow.
    from google.cloud.aiplatform.constants import base as aiplatform

    known = sorted(aiplatform.SUPPORTED_REGIONS - {"global"})
    if region in known:
        return
    near = difflib.get_close_matches(region, known, n=3) or known
    raise WrongCommandError(
        f"the region {region!r} is none that Vertex's client knows: set another, such as "
        f"{', '.join(near)}"
    )


def of_options(
    cluster: str, options: Mapping[str, str | None], labels: Sequence[str]
) -> dict[str, str]:
    """What options of `submit` set, as parameters of the job spec.

    Args:
      cluster: kubeflow or vertex.
      options: the values by names of FIELDS, None of what was not given.
      labels: each NAME=VALUE.

    Raises:
      click.UsageError: there is one, and the cluster has no use for it.
      WrongCommandError: a value is not allowed.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if cluster != "vertex" and (wrong := [*given, *(["label"] if labels else [])]):
        raise click.UsageError(
            f"--{wrong[0].replace('_', '-')} is for vertex: on {cluster} the client and the "
            "namespace say where a pipeline runs and as whom"
        )
    for name, value in given.items():
        if not value:
            raise click.UsageError(f"--{name.replace('_', '-')} needs a value: leave it out")
    if labels:
        given[LABELS] = json.dumps(dict(map(_pair, labels)), sort_keys=True)
    checked(given)
    return given


def _pair(label: str) -> tuple[str, str]:
    name, equals, value = label.partition("=")
    if not (name and equals):
        raise click.UsageError(f"--label takes NAME=VALUE, not {label!r}")
    return name, value
