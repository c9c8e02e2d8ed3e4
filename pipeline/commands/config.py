"""`skipgram config`."""

import os
from pathlib import Path
from typing import get_args

import click

from pipeline.commands import shared
from pipeline.failures import WrongCommandError, is_disk_full
from pipeline.sections.corpus import Kind
from pipeline.terminal import shown


@click.command()
@click.option(
    "--output",
    metavar="FILE.yaml",
    type=shared.LocalPath(path_type=Path),
    help="Where to write it, in place of the terminal.",
)
@click.option(
    "--kind",
    type=click.Choice(get_args(Kind)),
    default="text",
    show_default=True,
    help="Of the corpus: its own defaults are written.",
)
def config(output: Path | None, kind: Kind) -> None:
    """Write all fields of the configuration, with their defaults and reasons, in YAML.

    \b
    Examples:
      skipgram config --output nightly.yaml
      skipgram config --kind edges
      skipgram run --config nightly.yaml
    """
    from pipeline.atomic import write_aside
    from pipeline.config_reference import as_yaml

    if output is None:
        click.echo(as_yaml(kind), nl=False)
        return
    shared.invocation(click.get_current_context()).folder = output
    if os.path.lexists(output):
        raise WrongCommandError(f"{output} is there already: name another file, or delete it first")
    try:
        write_aside(output, as_yaml(kind))
    except OSError as error:
        if is_disk_full(error, output):
            raise
        raise WrongCommandError(
            f"cannot write {output}: {error.strerror}; name another file with --output"
        ) from error
    name = shown(str(output))
    click.echo(f"{name} has all fields and their defaults: skipgram run --config {name}")
