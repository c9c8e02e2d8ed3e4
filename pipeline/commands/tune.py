"""`skipgram tune`."""

import datetime
import shlex
import sys
from pathlib import Path

import click

# What else a command needs it imports itself, so that none waits for what it does not use.
from pipeline.commands import shared
from pipeline.failures import without_credentials
from pipeline.local.output_folder import OutputFolder
from pipeline.terminal import shown


def _share(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Callback of the share; not a number is none."""
    if value is not None and not 0 < value <= 1:
        raise click.BadParameter(
            f"{value} is no share above 0 and up to 1, which takes all documents",
            context,
            parameter,
        )
    return value


@click.command()
@shared.config
@shared.corpus
@click.option(
    "--trials",
    default=20,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, 1000),
    help="How many models to train; the first one by what is set.",
)
@click.option(
    "--sample",
    metavar="SHARE",
    type=float,
    callback=_share,
    help="Share of the documents that each is trained on, in (0, 1]. What is best on a small share "
    "may be worse on the whole.  [default: what holds 500,000 tokens, and at least 0.1]",
)
@shared.output
@shared.settings
@click.option(
    "--to",
    "tuned_file",
    metavar="FILE.yaml",
    type=shared.LocalPath(path_type=Path),
    help="Where to write what was found.  [default: tuned.yaml in --output]",
)
@shared.debug
def tune(
    path: Path | None,
    corpus: tuple[str, ...],
    date: datetime.datetime | None,
    more_corpus: tuple[str, ...],
    trials: int,
    sample: float | None,
    output: Path,
    settings: tuple[str, ...],
    tuned_file: Path | None,
) -> None:
    """Search for better settings: some trials on a sample, and the best one as YAML.

    Searched are trainer.learning_rate, epochs, num_sampled and num_negatives, sampler and
    sampler_power, and preprocessing.window and subsample, around what is set; all else stays as it
    is. Models are told apart by how high they rank held-out contexts, the same ones in all trials.

    The same command again goes on where a killed one stopped, and with more --trials where that one
    ended. With the --output of runs, what those have read comes from the cache.

    \b
    Examples:
      skipgram tune --trials 20
      skipgram tune --corpus books/*.txt.gz --trials 30 --sample 0.2 --output books
      skipgram tune --config nightly.yaml --set trainer.objective=negative_sampling --to tuned.yaml
      skipgram run --config output/tuned.yaml
    """
    config, found = shared.config_and_corpus(path, settings, corpus, more_corpus, date)
    from pipeline.local import tune_command
    from pipeline.results import tuned
    from pipeline.terminal import console

    folder, screen = OutputFolder(output), console()
    place = tuned_file or folder.root / "tuned.yaml"
    tune_command.require_place(place)
    search = tune_command.tune(config, found, folder, tune_command.Asked(trials, sample), screen)
    command = without_credentials(shlex.join(["skipgram", *sys.argv[1:]]))
    tune_command.write(place, search, config, command)
    screen.print(tuned.trials_table(search))
    for line in (*tuned.failures_of(search), f"{tuned.verdict(search)}."):
        screen.print(line, highlight=False, markup=False, soft_wrap=True)
    name = shown(str(place))
    where = "" if output == Path(shared.DEFAULT_OUTPUT) else f" --output {shown(str(output))}"
    best = f"{name} has the best one: skipgram run --config {name}{where}"
    said = (*tuned.warning(search, f"{name}{where}"), best)
    for line in said:
        screen.print(line, highlight=False, markup=False, soft_wrap=True)
