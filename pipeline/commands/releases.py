"""What is kept of runs: `skipgram bless` and `prune`."""

import getpass
import os
from pathlib import Path

import click

# What else a command needs it imports itself, so that none waits for what it does not use.
from pipeline.commands import shared
from pipeline.local.output_folder import OutputFolder


def _user() -> str:
    """Who gives the command; in a container a user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


@click.command()
@click.argument("run")
@click.option("--reason", required=True, metavar="TEXT", help="Why; `skipgram runs` shows it.")
@shared.config
@shared.output
@shared.settings
@shared.debug
def bless(
    run: str, reason: str, path: Path | None, output: Path, settings: tuple[str, ...]
) -> None:
    """Serve and export the model of RUN, whatever the gate said of it.

    RUN is a name that `skipgram runs` shows, a part that no other has, or `last`. An earlier run
    may be blessed again: that is the way back. The next run is compared with its model. `--config`
    and `--set` matter where the metadata store is on a server.

    \b
    Examples:
      skipgram bless last --reason "the new feed has shorter documents"
      skipgram bless 20261123030000 --reason "last night's names are wrong"
    """
    with shared.wrong_command():
        config = shared.load_config(path, settings)
    folder = OutputFolder(output)
    shared.require_runs(config, folder)
    from pipeline.local.releases import bless_command

    click.echo(bless_command.bless(config, folder, run, _user(), reason))


@click.command()
@click.option(
    "--keep",
    required=True,
    metavar="N",
    type=click.IntRange(min=1),
    help="How many of the last runs, and of the versions in serving/, stay.",
)
@click.option("--dry-run", "only_say", is_flag=True, help="Say what would go, and remove nothing.")
@shared.config
@shared.output
@shared.settings
@shared.debug
def prune(
    keep: int, only_say: bool, path: Path | None, output: Path, settings: tuple[str, ...]
) -> None:
    """Remove what old runs have left: artifacts, logs, TensorBoard's folders, versions.

    The last blessed model stays, and what the cache needs for the runs that are kept. Runs that
    failed do not count. `skipgram runs` goes on to show all.
    """
    with shared.wrong_command():
        config = shared.load_config(path, settings)
    folder = OutputFolder(output)
    shared.require_runs(config, folder)
    from pipeline.local.releases import prune_command

    def say(found: "prune_command.Plan") -> None:
        for kind in found.kinds:
            click.echo(f"{kind.name:<20}{len(kind.folders):>6,}{kind.size / 1e6:>12,.1f} MB")
        left = prune_command.size_below(folder.root) - found.size
        what = "would go" if only_say else "go"
        click.echo(f"{found.size / 1e6:,.1f} MB {what}, {left / 1e6:,.1f} MB stay in {folder.root}")

    prune_command.prune(config, folder, keep, only_say=only_say, say=say)
