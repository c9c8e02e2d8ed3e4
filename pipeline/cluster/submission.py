"""Hands a job spec to a cluster, by that cluster's own client and its own credentials."""

import contextlib
import io
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec

from pipeline.cluster import cloud_storage, job_spec, place, schedules
from pipeline.config import PIPELINE_NAME
from pipeline.failures import WrongCommandError, without_credentials
from pipeline.sections.deployment import DeploymentConfig
from trainer_module.errors import InputError

_KUBEFLOW_ENDPOINT = "KF_PIPELINES_ENDPOINT"
_KEY_FILE = "GOOGLE_APPLICATION_CREDENTIALS"


def submit(
    cluster: str,
    path: Path,
    output: str | None,
    given: Mapping[str, str],
    schedule: str | None = None,
) -> str:
    """Starts a run of a job spec, or has the cluster start one again and again.

    Args:
      cluster: kubeflow or vertex.
      path: of the spec.
      output: URI of the folder in place of the spec's, if any.
      given: runtime parameters.
      schedule: when, which schedules.require_schedule has let pass; None: now, and once.

    Returns:
      A sentence that says where the run or the schedule is seen.

    Raises:
      WrongCommandError: the spec is another cluster's or names code of others, or a parameter is
        unknown.
      InputError: the spec cannot run, or the client finds no credentials or no cluster.
    """
    spec = job_spec.read(path)
    if (other := job_spec.made_for(spec)) != cluster:
        raise WrongCommandError(f"{path} was compiled for {other}: compile it --to {cluster}")
    job_spec.validate(spec)
    root = cloud_storage.below(output, "artifacts") if output else spec.default_pipeline_root
    parameters = _parameters(spec, output, given)
    if cluster == "vertex":
        return _to_vertex(path, root, parameters, _place(spec, parameters), schedule)
    return _to_kubeflow(path, root, parameters, schedule)


def _parameters(
    spec: PipelineSpec, output: str | None, given: Mapping[str, str]
) -> dict[str, str | int]:
    of_output = job_spec.folders(output) if output else {}
    values = job_spec.parameter_values(spec, {**of_output, **given})
    if place.LABELS in values:
        compiled = spec.root.input_definitions.parameters[place.LABELS].default_value.string_value
        both = [place.checked({place.LABELS: text}).labels for text in (compiled, given["labels"])]
        values[place.LABELS] = json.dumps({**both[0], **both[1]}, sort_keys=True)
    return values


def _place(spec: PipelineSpec, parameters: Mapping[str, str | int]) -> DeploymentConfig:
    """Where the pipeline runs: where its custom job will, by the same parameters."""
    known = spec.root.input_definitions.parameters
    if lacking := [name for name in place.FIELDS if name not in known]:
        raise WrongCommandError(
            f"the job spec has no parameter {lacking[0]}, as an older version compiled it: "
            "compile it anew"
        )
    values = {n: str(parameters.get(n, known[n].default_value.string_value)) for n in place.FIELDS}
    for name in ("project", "region"):
        if not values[name]:
            raise WrongCommandError(f"the parameter {name} is empty: name one")
    found = place.checked(values)
    place.require_region(found.region)
    _require_dataflow_there(spec, found)
    return found


def _require_dataflow_there(spec: PipelineSpec, found: DeploymentConfig) -> None:
    """Beam's arguments are in the spec as it was compiled."""
    words = {word for one in job_spec.executors_of(spec).values() for word in one.container.args}
    for name in ("project", "region"):
        for word in sorted(words):
            option, _, value = word.partition("=")
            if option == f"--{name}" and value != getattr(found, name):
                raise WrongCommandError(
                    f"the nodes of this job spec start Dataflow in {name} {value}, not in "
                    f"{getattr(found, name)}: compile it with deployment.{name}="
                    f"{getattr(found, name)}"
                )


def _to_vertex(
    path: Path,
    root: str,
    parameters: Mapping[str, Any],
    there: DeploymentConfig,
    schedule: str | None,
) -> str:
    import google.auth
    import google.auth.exceptions
    from google.api_core.exceptions import GoogleAPIError
    from google.cloud import aiplatform

    try:
        credentials, _ = google.auth.default()
    except google.auth.exceptions.GoogleAuthError as error:
        if key := os.environ.get(_KEY_FILE):
            reason = without_credentials(str(error))
            raise InputError(f"{_KEY_FILE} = {key!r} gives no credentials: {reason}") from error
        raise InputError(
            "Google Cloud finds no credentials here: run `gcloud auth application-default login` "
            f"or set {_KEY_FILE}"
        ) from error
    try:
        aiplatform.init(project=there.project, location=there.region, credentials=credentials)
        job = aiplatform.PipelineJob(
            display_name=PIPELINE_NAME,
            template_path=str(path),
            pipeline_root=root,
            parameter_values=dict(parameters),
            labels=dict(there.labels) or None,
        )
        if schedule:
            return _scheduled_by_vertex(job, schedule, there)
        job.submit(service_account=there.service_account, network=there.network)
    except (GoogleAPIError, google.auth.exceptions.GoogleAuthError, ValueError) as error:
        reason = without_credentials(str(error))
        raise InputError(f"Vertex did not take the job in {there.region}: {reason}") from error
    return f"submitted: {job._dashboard_uri()}"


def _scheduled_by_vertex(job: Any, schedule: str, there: DeploymentConfig) -> str:
    """Vertex leaves out a run that is due while the last one runs, and catches up on none."""
    made = job.create_schedule(
        cron=schedule,
        display_name=_name(schedule),
        allow_queueing=False,
        max_concurrent_run_count=1,
        service_account=there.service_account,
        network=there.network,
    )
    return f"scheduled: {made._dashboard_uri()}"


def _to_kubeflow(path: Path, root: str, parameters: Mapping[str, Any], schedule: str | None) -> str:
    import kfp
    import urllib3.exceptions
    from kfp_server_api.exceptions import ApiException

    if not os.environ.get(_KUBEFLOW_ENDPOINT):
        raise InputError(
            f"{_KUBEFLOW_ENDPOINT} is not set: set it to the address of Kubeflow Pipelines"
        )
    try:
        with contextlib.redirect_stdout(_WithoutCredentials(sys.stdout)):
            client = kfp.Client()
            if schedule:
                return _scheduled_by_kubeflow(client, path, root, parameters, schedule)
            run = client.create_run_from_pipeline_package(
                str(path), arguments=dict(parameters), pipeline_root=root
            )
    except (ApiException, urllib3.exceptions.HTTPError) as error:
        # Of a connection that failed urllib3 names objects first, and the reason last.
        reason = str(getattr(error, "reason", None) or error).rpartition("): ")[2]
        raise InputError(
            without_credentials(
                f"Kubeflow at {os.environ[_KUBEFLOW_ENDPOINT]} did not take the job: {reason}"
            )
        ) from error
    return f"submitted: run {run.run_id}"


def _scheduled_by_kubeflow(
    client: Any, path: Path, root: str, parameters: Mapping[str, Any], schedule: str
) -> str:
    """Kubeflow has runs that are due wait for the last one, and catches up on the last alone."""
    made = client.create_recurring_run(
        experiment_id=client.create_experiment(PIPELINE_NAME).experiment_id,
        job_name=_name(schedule),
        cron_expression=schedules.with_seconds(schedule),
        max_concurrency=1,
        no_catchup=True,
        params=dict(parameters),
        pipeline_package_path=str(path),
        pipeline_root=root,
    )
    link = f"{client._get_url_prefix()}/#/recurringrun/details/{made.recurring_run_id}"
    print(f"Schedule details: {link}")
    return f"scheduled: recurring run {made.recurring_run_id}"


def _name(schedule: str) -> str:
    return f"{PIPELINE_NAME} {schedule}"


class _WithoutCredentials(io.TextIOBase):
    """Passes on what a client prints, such as links that begin with its endpoint."""

    def __init__(self, to: TextIO):
        self._to = to

    def write(self, text: str) -> int:
        self._to.write(without_credentials(text))
        return len(text)

    def flush(self) -> None:
        self._to.flush()
