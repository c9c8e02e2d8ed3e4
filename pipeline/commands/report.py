"""What came out of runs: `skipgram report` and `compare`."""

import json
from pathlib import Path

import click

# What else a command needs it imports itself, so that none waits for what it does not use.
from pipeline.commands import shared
from pipeline.local.output_folder import OutputFolder


@click.command()
@click.argument("said", default="last", metavar="[RUN]")
@click.option(
    "--to",
    metavar="FILE.html",
    type=shared.LocalPath(path_type=Path, dir_okay=False),
    help="Default: report.html in --output, and of an earlier run reports/RUN.html.",
)
@click.option("--open", "opens", is_flag=True, help="Show it in the browser.")
@shared.config
@shared.output
@shared.settings
def report(
    said: str,
    to: Path | None,
    opens: bool,
    path: Path | None,
    output: Path,
    settings: tuple[str, ...],
) -> None:
    """Draw the report of RUN anew, and say where it is.

    RUN is the name of a run, a part that only its name has, or `last`.
    """
    with shared.wrong_command():
        config = shared.load_config(path, settings)
    folder = OutputFolder(output)
    shared.require_runs(config, folder)
    from pipeline.local import report_command
    from pipeline.terminal import shown

    written = report_command.report(config, folder, said, to)
    click.echo(shown(str(written)))
    if opens:
        import webbrowser

        if not webbrowser.open(written.absolute().as_uri()):
            shared.say("no browser could be started: open the file yourself")


@click.command()
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@shared.config
@shared.output
@shared.settings
@shared.form(
    "table",
    "json",
    help="json: figures with their difference, and what differs in what was given.",
)
def compare(
    first: str,
    second: str,
    path: Path | None,
    output: Path,
    settings: tuple[str, ...],
    form: str,
) -> None:
    """Two runs side by side: their figures, and what differs in what they were given."""
    with shared.wrong_command():
        config = shared.load_config(path, settings)
    folder = OutputFolder(output)
    shared.require_runs(config, folder)
    from pipeline.local import report_command
    from pipeline.results.report import side_by_side as tables
    from pipeline.terminal import console

    found = report_command.compare(config, folder, first, second)
    if form == "json":
        click.echo(json.dumps(found.as_json(), indent=2))
        return
    screen = console()
    screen.print(tables.as_rich(tables.figures_table(found), "Figures"))
    if found.differing:
        screen.print(tables.as_rich(tables.differing_table(found), "What differs"))
    if found.caution:
        screen.print(f"note: {found.caution}", highlight=False, soft_wrap=True)
