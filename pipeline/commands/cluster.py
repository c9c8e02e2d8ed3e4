"""Pipelines on a cluster: `skipgram compile`, `rehearse` and `submit`."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

# What else a command needs it imports itself, so that none waits for what it does not use.
from pipeline.commands import shared
from pipeline.failures import WrongCommandError
from pipeline.paths import require_plain
from pipeline.terminal import console, shown, stderr_to

_Command = TypeVar("_Command", bound=Callable[..., Any])

_parameters = click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a runtime parameter: corpus, epochs, output or push_destination, and for Vertex also "
    "project, region, service_account, network or labels; may be given several times.",
)


def _place(command: _Command) -> _Command:
    """Where a pipeline runs and as whom."""
    for option, metavar, words in (
        ("--project", "NAME", "Vertex: in place of deployment.project."),
        ("--region", "NAME", "Vertex: in place of deployment.region."),
        ("--service-account", "EMAIL", "Vertex: in place of deployment.service_account."),
        ("--network", "NAME", "Vertex: in place of deployment.network."),
    ):
        command = click.option(option, metavar=metavar, help=words)(command)
    return click.option(
        "--label",
        "labels",
        multiple=True,
        metavar="NAME=VALUE",
        help="Vertex: a label beside those of deployment.labels; may be given several times.",
    )(command)


_to = click.option(
    "--to",
    "cluster",
    required=True,
    type=click.Choice(["kubeflow", "vertex"]),
    help="Kubeflow Pipelines, or Google's Vertex Pipelines.",
)
_spec = click.argument(
    "spec", metavar="SPEC", type=shared.LocalPath(path_type=Path, exists=True, dir_okay=False)
)


@click.command("compile")
@_to
@shared.config
@click.option(
    "--corpus",
    metavar="GLOB",
    help="Files as the cluster sees them, by one glob: gs://bucket/books/*.txt.gz.",
)
@shared.settings
@click.option(
    "--output",
    "spec",
    required=True,
    metavar="FILE",
    type=shared.LocalPath(path_type=Path, dir_okay=False),
    callback=shared.note_folder,
    help="The job spec, a PipelineSpec of Kubeflow Pipelines in YAML.",
)
def compile_(
    cluster: str, path: Path | None, corpus: str | None, settings: tuple[str, ...], spec: Path
) -> None:
    """Write the job spec that Kubeflow or Vertex runs.

    \b
    Examples:
      skipgram compile --to vertex --config nightly.yaml --output nightly.spec.yaml
      skipgram compile --to kubeflow --corpus 'gs://bucket/books/*.txt.gz' \\
        --set deployment.image=registry/skipgram:1 --set deployment.output=gs://bucket/output \\
        --output books.yaml
    """
    from pipeline import config_file
    from pipeline.cluster import deployment

    with shared.wrong_command():
        config = config_file.load(path, settings, [] if corpus is None else [corpus])
        deployment.require(config, cluster)
    with _quietly():
        from pipeline.cluster import compile_command

        compile_command.compile_to(cluster, config, spec)
    click.echo(
        f"{shown(str(spec))} is what {cluster} runs; see what it does on files of this machine: "
        f"skipgram rehearse {shown(str(spec))} --parameter corpus=FOLDER"
    )


@click.command()
@_spec
@click.option(
    "--root",
    default="rehearsal",
    show_default=True,
    metavar="DIR",
    type=shared.LocalPath(path_type=Path, file_okay=False),
    help="An empty folder for all that the nodes write.",
)
@_parameters
def rehearse(spec: Path, root: Path, parameters: tuple[str, ...]) -> None:
    """Do on this machine what a cluster would do with SPEC.

    Each node's command runs as it stands in the spec: in a process of its own, an empty folder and
    an environment without yours, with the installed packages alone. What would fail there fails
    here, and says in which node.

    \b
    Example:
      skipgram rehearse nightly.spec.yaml --root rehearsal --parameter corpus=/data/books
    """
    require_plain(str(root.absolute()))
    given = _assigned(parameters)
    if root.exists() and any(root.iterdir()):
        raise WrongCommandError(
            f"a rehearsal needs an empty folder, and {root} is not: name another"
        )
    with _quietly():
        from pipeline.cluster import compile_command

        compile_command.rehearse(spec, root.absolute(), given, console())


@click.command()
@_to
@_spec
@click.option("--output", metavar="URI", help="In place of deployment.output.")
@_parameters
@click.option(
    "--schedule",
    metavar="CRON",
    help="Have the cluster start a run at these times: minute, hour, day of the month, month and "
    "day of the week, such as '0 3 * * *'.",
)
@_place
def submit(
    cluster: str,
    spec: Path,
    output: str | None,
    parameters: tuple[str, ...],
    schedule: str | None,
    labels: tuple[str, ...],
    **options: str | None,
) -> None:
    """Hand SPEC to a cluster, by its own client.

    Vertex: where it runs and as whom is what the options say, else what SPEC was compiled with
    (deployment.project, region, service_account, network, labels), for the pipeline and for the
    Trainer's job alike. The credentials are those that Google Cloud's SDK finds. Kubeflow:
    KF_PIPELINES_ENDPOINT, and what kfp.Client looks for.

    \b
    Examples:
      skipgram submit --to vertex nightly.spec.yaml --parameter epochs=5
      skipgram submit --to vertex nightly.spec.yaml --region europe-west4 --label team=search
      skipgram submit --to kubeflow nightly.spec.yaml --schedule '0 3 * * *'
    """
    from pipeline.cluster import cloud_storage, place, schedules

    given = {**_assigned(parameters), **place.of_options(cluster, options, labels)}
    with shared.wrong_command():
        if output is not None:
            cloud_storage.require_gs(output, "--output")
            require_plain(output)
        cloud_storage.require_parameters(given)
        if schedule is not None:
            schedules.require_schedule(schedule)
    with _quietly():
        from pipeline.cluster import submission

        submitted = submission.submit(cluster, spec, output, given, schedule)
    click.echo(shown(submitted))


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without what TensorFlow, Beam and TFX say of themselves, which take some 20 s to import."""
    click.echo("Importing TensorFlow, Beam and TFX ...")
    if shared.invocation(click.get_current_context()).debug:
        yield
        return
    with stderr_to(Path(os.devnull)):
        yield


def _assigned(parameters: tuple[str, ...]) -> dict[str, str]:
    pairs = [parameter.partition("=") for parameter in parameters]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise click.UsageError(f"--parameter takes NAME=VALUE, not {name!r}")
    return {name: value for name, _, value in pairs}
