"""What was run: `skipgram runs`."""

import json
from pathlib import Path

import click

# What else a command needs it imports itself, so that none waits for what it does not use.
from pipeline.commands import shared
from pipeline.local.output_folder import OutputFolder


@click.command()
@shared.config
@shared.output
@shared.settings
@shared.form(
    "table",
    "json",
    help="json: a list, the last run first, with all that its summary.json held.",
)
def runs(path: Path | None, output: Path, settings: tuple[str, ...], form: str) -> None:
    """What was run: when, on what, with which result.

    Of metadata on a server, the runs into this folder.
    """
    with shared.wrong_command():
        config = shared.load_config(path, settings)
    folder = OutputFolder(output)
    shared.require_runs(config, folder)
    from pipeline.local import metadata_store
    from pipeline.local.releases import blessings
    from pipeline.results import closing, display
    from pipeline.terminal import console

    location = metadata_store.store_location(config.metadata, folder)
    store = metadata_store.open_store(location.connection)
    records = metadata_store.runs(store, location.pipeline_name)
    last = blessings.last_release(store, location.pipeline_name)
    served = metadata_store.name_of_model(store, last.model.id, "") if last else None
    given = blessings.by_hand(store, location.pipeline_name)
    if form == "json":
        click.echo(json.dumps(closing.runs_as_json(records, served, given), indent=2))
        return
    screen = console()
    screen.print(display.runs_table(records, served))
    for line in (*display.why_failed(records), *closing.by_hand(given)):
        screen.print(line)
