"""What several commands take and do."""

import contextlib
import datetime
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from components.text_example_gen import files
from pipeline.failures import WrongCommandError, without_credentials
from pipeline.local.output_folder import OutputFolder
from pipeline.paths import expanded
from pipeline.terminal import shown_lines
from trainer_module.errors import InputError

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.corpus.dates import Corpus

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

# Where commands write to, and read from.
DEFAULT_OUTPUT = "output"


@dataclass
class Invocation:
    """What main() must know of the command when it fails."""

    debug: bool = False
    folder: Path = Path(DEFAULT_OUTPUT)  # where the command writes to


def invocation(context: click.Context) -> Invocation:
    """That of main(), which all commands share."""
    return context.ensure_object(Invocation)


class LocalPath(click.Path):
    """A path on this machine; `~` is the home folder also where no shell has seen it."""

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """The path, checked as click.Path does."""
        if "://" in str(value):
            self.fail(f"{value} is a URI; this takes a path on this machine", parameter, context)
        return super().convert(expanded(str(value)), parameter, context)


def _note_debug(context: click.Context, _: click.Parameter, value: bool) -> None:
    invocation(context).debug |= value


def note_folder(context: click.Context, _: click.Parameter, value: Path) -> Path:
    """Callback of options that say where the command writes to."""
    invocation(context).folder = value
    return value


def form(*forms: str, help: str) -> Callable[[Decorated], Decorated]:
    """The option `--format`, which a command takes as `form`; the first is the default."""
    return click.option(
        "--format",
        "form",
        default=forms[0],
        show_default=True,
        type=click.Choice(forms),
        help=help,
    )


debug = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=_note_debug,
    help="Show the traceback of a failure.",
)
config = click.option(
    "--config",
    "path",
    metavar="FILE.yaml",
    type=LocalPath(path_type=Path),
    help="Fields of the configuration; `skipgram run --help` lists them.",
)
settings = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="SECTION.FIELD=VALUE",
    help="Set one field of the configuration; may be given several times, and the last of a field "
    "counts.",
)
output = click.option(
    "--output",
    default=DEFAULT_OUTPUT,
    show_default=True,
    metavar="DIR",
    type=LocalPath(path_type=Path, file_okay=False),
    callback=note_folder,
    help="Folder of the run's artifacts, metadata, model and vectors.",
)


def corpus(command: Decorated) -> Decorated:
    """What a command reads, whose names may follow without `--corpus`, and of which day."""
    for option in (
        click.argument("more_corpus", nargs=-1, metavar=""),
        click.option(
            "--date",
            metavar="YYYY-MM-DD",
            type=click.DateTime(["%Y-%m-%d"]),
            help="Last of the days that {YYYY}, {MM} and {DD} in the corpus stand for; corpus.days "
            "says how many. Default: today.",
        ),
        click.option(
            "--corpus",
            multiple=True,
            metavar="GLOB ...",
            help=f"Files, folders and globs of {files.DESCRIPTION}; one document, session, edge or "
            "pair a row, as corpus.kind says. Default: the docstrings of the installed packages.",
        ),
    ):
        command = option(command)
    return command


def say(sentence: str) -> None:
    """Tells the person at the terminal what went wrong."""
    click.echo(f"skipgram: {shown_lines(without_credentials(sentence))}", err=True)


@contextlib.contextmanager
def wrong_command() -> Iterator[None]:
    """Says of an InputError inside that what was typed is wrong, and so the exit code is 2."""
    from pipeline.corpus.dates import MissingDaysError

    try:
        yield
    except MissingDaysError:
        raise
    except InputError as error:
        raise WrongCommandError(str(error)) from error


def require_runs(config: "Config", folder: OutputFolder) -> None:
    """Checks that there is a metadata store to look into.

    Raises:
      InputError: nothing was run into the folder yet.
    """
    if config.metadata.type == "sqlite" and not os.path.lexists(folder.metadata):
        raise InputError(
            f"there is no metadata store in {folder.root}: run `skipgram run` first, with the "
            "same --output"
        )


def load_config(path: Path | None, settings: Sequence[str], corpus: Sequence[str] = ()) -> "Config":
    """The configuration of a command on this machine; see config_file.load.

    Raises:
      InputError: also where the password of a metadata server is not set.
    """
    from pipeline import config_file
    from pipeline.config import PASSWORD_VARIABLE

    config = config_file.load(path, settings, corpus)
    if config.metadata.type == "mysql" and PASSWORD_VARIABLE not in os.environ:
        raise InputError(
            f"metadata.type is mysql and the environment variable {PASSWORD_VARIABLE} is not set: "
            f"set it to the password of user {config.metadata.user}"
        )
    return config


def config_and_corpus(
    path: Path | None,
    settings: Sequence[str],
    named: Sequence[str],
    more: Sequence[str],
    date: datetime.datetime | None,
) -> tuple["Config", "Corpus | None"]:
    """The configuration of a command, and what it reads; None stands for the quick-start corpus.

    Before anything is imported or written: a wrong name is a wrong command.

    Args:
      path, settings: of load_config.
      named, more, date: of the options that `corpus` gives a command.

    Raises:
      WrongCommandError: see load_config, and corpus.dates.resolve_corpus.
      MissingDaysError: days are missing.
    """
    if more and not named:
        raise click.UsageError(f"what is {more[0]!r}? Name files with --corpus")
    from pipeline.corpus.dates import resolve_corpus

    with wrong_command():
        config = load_config(path, settings, (*named, *more))
        return config, resolve_corpus(config.corpus, date.date() if date else None)
