"""`skipgram run`."""

import datetime
from pathlib import Path

import click

# What else a command needs it imports itself, so that none waits for what it does not use.
from pipeline.commands import shared
from pipeline.failures import NOT_BLESSED, RUN_FAILED, WRONG_COMMAND
from pipeline.local.output_folder import OutputFolder


class _RunCommand(click.Command):
    """Lists the fields of the configuration below its help."""

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes each field, its default, its unit and reason."""
        from pipeline import config
        from pipeline.config_reference import objective_defaults, yaml_value

        with formatter.section("Fields of the configuration, with their defaults"):
            for name, default, description in config.fields():
                shown = yaml_value(default) if isinstance(default, tuple) else default
                formatter.write_text(f"{name} = {'(none)' if default in ((), None) else shown}")
                with formatter.indentation():
                    formatter.write_text(description)
        with formatter.section("Defaults of trainer.* that an objective has of its own"):
            for objective, own in objective_defaults().items():
                listed = ", ".join(f"{name} = {value}" for name, value in own.items())
                formatter.write_text(f"{objective}: {listed or 'none'}")


def _require_free(context: click.Context, parameter: click.Parameter, code: int) -> int:
    """Callback of an exit code: one that says something else says nothing."""
    if code in (taken := (RUN_FAILED, WRONG_COMMAND, NOT_BLESSED)):
        raise click.BadParameter(
            f"{code} says something else already ({RUN_FAILED} the run failed, {WRONG_COMMAND} the "
            f"command is wrong, {NOT_BLESSED} not blessed): choose another from {max(taken) + 1} "
            "to 125",
            context,
            parameter,
        )
    return code


@click.command(cls=_RunCommand)
@shared.config
@shared.corpus
@shared.output
@shared.settings
@click.option(
    "--exit-code-if-unchanged",
    "unchanged",
    type=click.IntRange(0, 125),
    default=0,
    show_default=True,
    metavar="N",
    callback=_require_free,
    help="Exit code if all came from the cache and what is served has not changed, for scripts.",
)
@shared.debug
@click.pass_context
def run(
    context: click.Context,
    path: Path | None,
    corpus: tuple[str, ...],
    date: datetime.datetime | None,
    more_corpus: tuple[str, ...],
    output: Path,
    settings: tuple[str, ...],
    unchanged: int,
) -> None:
    """Run the pipeline: corpus in, gated and exported embeddings out.

    The same command again goes on where a killed run stopped; what has not changed comes from the
    cache.

    \b
    Examples:
      skipgram run
      skipgram run --corpus books/*.txt.gz --output books
      skipgram run --config nightly.yaml --set trainer.epochs=5
      skipgram run --corpus 'logs/{YYYY}-{MM}-{DD}/*.gz' --date 2026-11-24
    """
    config, found = shared.config_and_corpus(path, settings, corpus, more_corpus, date)
    from pipeline.local import run_command
    from pipeline.terminal import console

    folder, screen = OutputFolder(output), console()
    summary = run_command.run(config, found, folder, screen)
    run_command.show(summary, folder, screen)
    if summary.why_not_blessed is not None:
        shared.say(summary.why_not_blessed)
        context.exit(NOT_BLESSED)
    if summary.is_unchanged:
        context.exit(unchanged)
