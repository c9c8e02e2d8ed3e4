"""The command `skipgram`."""

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

# What else a command needs it imports itself, so that none waits for what it does not use.
from pipeline import failures
from pipeline.failures import WrongCommandError
from pipeline.local.output_folder import OutputFolder
from pipeline.native_output import stderr_to
from trainer_module.errors import InputError

if TYPE_CHECKING:
    from pipeline.config import Config

RUN_FAILED, WRONG_COMMAND, NOT_BLESSED = 1, 2, 3
_DEBUG = "--debug"


class _RunCommand(click.Command):
    """Lists the fields of the configuration below its help."""

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes each field, its default, its unit and reason."""
        from pipeline import config
        from trainer_module.hyperparameters import OBJECTIVE_DEFAULTS

        with formatter.section("Fields of the configuration, with their defaults"):
            for name, default, description in config.fields():
                formatter.write_text(f"{name} = {'(none)' if default in ((), None) else default}")
                with formatter.indentation():
                    formatter.write_text(description)
        with formatter.section("Defaults of trainer.* that an objective has of its own"):
            for objective, own in OBJECTIVE_DEFAULTS.items():
                listed = ", ".join(f"{name} = {value}" for name, value in own.items())
                formatter.write_text(f"{objective}: {listed or 'none'}")


_config = click.option(
    "--config",
    "path",
    metavar="FILE.yaml",
    type=click.Path(path_type=Path),
    help="Fields of the configuration; `skipgram run --help` lists them.",
)
_settings = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="SECTION.FIELD=VALUE",
    help="Set one field of the configuration; may be given several times.",
)
_parameters = click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a runtime parameter: corpus, epochs, output or push_destination; may be given "
    "several times.",
)
_target = click.option(
    "--to",
    "target",
    required=True,
    type=click.Choice(["kubeflow", "vertex"]),
    help="Kubeflow Pipelines, or Google's Vertex Pipelines.",
)
_spec = click.argument(
    "spec", metavar="SPEC", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
_output = click.option(
    "--output",
    default="output",
    show_default=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the run's artifacts, metadata, model and vectors.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(_DEBUG, is_flag=True, help="Show the traceback of a failure.")
@click.version_option(package_name="skipgram-pipeline")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Raw text in, gated skip-gram embeddings out.

    Exit codes: 0 all is well; 1 the run failed; 2 the command or the configuration is wrong;
    3 the model was not blessed.
    """
    context.obj = debug


@cli.command(cls=_RunCommand)
@_config
@click.option(
    "--corpus",
    multiple=True,
    metavar="GLOB ...",
    help="Files, folders and globs of .txt and .jsonl, plain or .gz, .bz2, .zst; one document a "
    "line. Default: the docstrings of the installed packages.",
)
@click.argument("more_corpus", nargs=-1, metavar="")
@_output
@_settings
@click.option(_DEBUG, is_flag=True, help="Show the traceback of a failure.")
@click.pass_context
def run(
    context: click.Context,
    path: Path | None,
    corpus: tuple[str, ...],
    more_corpus: tuple[str, ...],
    output: Path,
    settings: tuple[str, ...],
    debug: bool,
) -> None:
    """Run the pipeline: corpus in, gated and exported embeddings out.

    The same command again goes on where a killed run stopped; what has not changed comes from the
    cache.

    \b
    Examples:
      skipgram run
      skipgram run --corpus books/*.txt.gz --output books
      skipgram run --config nightly.yaml --set trainer.epochs=5
    """
    context.obj = context.obj or debug
    if more_corpus and not corpus:
        raise click.UsageError(f"what is {more_corpus[0]!r}? Name files with --corpus")
    from pipeline import config_file
    from pipeline.corpus.patterns import resolve

    try:
        config = config_file.load(path, settings, (*corpus, *more_corpus))
        # Before anything is imported or written: a wrong name is a wrong command.
        patterns = resolve(config.corpus.files) if config.corpus.files else None
        _require_password(config)
    except InputError as error:
        raise WrongCommandError(str(error)) from error
    from rich.console import Console

    from pipeline.local import run_command

    folder, console = OutputFolder(output), Console()
    summary = run_command.run(config, patterns, folder, console)
    run_command.show(summary, folder, console)
    if not summary["blessed"]:
        _say(summary["why_not_blessed"])
        context.exit(NOT_BLESSED)


@cli.command()
@click.argument("words", nargs=-1, required=True, metavar="WORD ...")
@click.option("-k", default=10, show_default=True, type=click.IntRange(min=1), help="How many.")
@_output
def neighbors(words: tuple[str, ...], k: int, output: Path) -> None:
    """The words whose vectors are nearest to WORD's."""
    from rich.console import Console

    from pipeline.results import display
    from pipeline.results.embeddings import Embeddings

    vectors, console = Embeddings.load(OutputFolder(output).vectors), Console()
    for word in words:
        console.print(display.ranking(word, vectors.neighbors(word, k)))


@cli.command()
@click.argument("a")
@click.argument("b")
@click.argument("c")
@click.option("-k", default=10, show_default=True, type=click.IntRange(min=1), help="How many.")
@_output
def analogy(a: str, b: str, c: str, k: int, output: Path) -> None:
    """A is to B as C is to what?"""
    from rich.console import Console

    from pipeline.results import display
    from pipeline.results.embeddings import Embeddings

    vectors = Embeddings.load(OutputFolder(output).vectors)
    title = f"{a} is to {b} as {c} is to"
    Console().print(display.ranking(title, vectors.analogy(a, b, c, k)))


@cli.command()
@_config
@_output
@_settings
def runs(path: Path | None, output: Path, settings: tuple[str, ...]) -> None:
    """What was run: when, on what, with which result.

    Of metadata on a server, the runs into this folder.
    """
    from pipeline import config_file

    try:
        config = config_file.load(path, settings)
        _require_password(config)
    except InputError as error:
        raise WrongCommandError(str(error)) from error
    folder = OutputFolder(output)
    if config.metadata.type == "sqlite" and not folder.metadata.exists():
        raise InputError(
            f"there is no metadata store in {folder.root}: run `skipgram run` first, with the "
            "same --output"
        )
    from rich.console import Console

    from pipeline.local import metadata_store
    from pipeline.results import display

    place = metadata_store.place(config.metadata, folder)
    store = metadata_store.open_store(place.connection)
    records = metadata_store.runs(store, place.pipeline_name)
    console = Console()
    console.print(display.runs_table(records))
    for line in display.why_failed(records):
        console.print(line)


@cli.command("compile")
@_target
@_config
@click.option(
    "--corpus",
    metavar="GLOB",
    help="Files as the cluster sees them, by one glob: gs://bucket/books/*.txt.gz.",
)
@_settings
@click.option(
    "--output",
    "spec",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The job spec, a PipelineSpec of Kubeflow Pipelines in YAML.",
)
def compile_(
    target: str, path: Path | None, corpus: str | None, settings: tuple[str, ...], spec: Path
) -> None:
    """Write the job spec that Kubeflow or Vertex runs.

    \b
    Examples:
      skipgram compile --to vertex --config nightly.yaml --output nightly.spec.yaml
      skipgram compile --to kubeflow --corpus '/data/books/*.txt.gz' \\
        --set deployment.image=registry/skipgram:1 --set deployment.output=/data/output \\
        --output books.yaml
    """
    from pipeline import config_file
    from pipeline.cluster import deployment

    try:
        config = config_file.load(path, settings, [corpus] if corpus else [])
        deployment.require(config, target)
    except InputError as error:
        raise WrongCommandError(str(error)) from error
    with _quietly():
        from pipeline.cluster import compile_command

        compile_command.compile_to(target, config, spec)
    click.echo(
        f"{spec} is what {target} runs; see what it does on files of this machine: "
        f"skipgram rehearse {spec} --parameter corpus=FOLDER"
    )


@cli.command()
@_spec
@click.option(
    "--root",
    default="rehearsal",
    show_default=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
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
    from rich.console import Console

    given = _assigned(parameters)
    if root.exists() and any(root.iterdir()):
        raise WrongCommandError(
            f"a rehearsal needs an empty folder, and {root} is not: name another"
        )
    with _quietly():
        from pipeline.cluster import compile_command

        compile_command.rehearse(spec, root.absolute(), given, Console())


@cli.command()
@_target
@_spec
@click.option("--output", metavar="URI", help="In place of deployment.output.")
@_parameters
def submit(target: str, spec: Path, output: str | None, parameters: tuple[str, ...]) -> None:
    """Hand SPEC to a cluster, by its own client.

    Vertex: project and region are those of Google Cloud's SDK or of GOOGLE_CLOUD_PROJECT and
    GOOGLE_CLOUD_REGION, and so are the credentials. Kubeflow: KF_PIPELINES_ENDPOINT, and what
    kfp.Client looks for.

    \b
    Example:
      skipgram submit --to vertex nightly.spec.yaml --parameter epochs=5
    """
    given = _assigned(parameters)
    with _quietly():
        from pipeline.cluster import submission

        submitted = submission.submit(target, spec, output, given)
    click.echo(submitted)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without what TensorFlow, Beam and TFX say of themselves, which take some 20 s to import."""
    click.echo("Importing TensorFlow, Beam and TFX ...")
    if _DEBUG in sys.argv:
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


def _require_password(config: "Config") -> None:
    from pipeline.config import PASSWORD_VARIABLE

    if config.metadata.type == "mysql" and PASSWORD_VARIABLE not in os.environ:
        raise InputError(
            f"metadata.type is mysql and the environment variable {PASSWORD_VARIABLE} is not set: "
            f"set it to the password of user {config.metadata.user}"
        )


def _say(sentence: str) -> None:
    click.echo(f"skipgram: {sentence}", err=True)


def main() -> None:
    """Runs the command and turns failures into one sentence and an exit code."""
    debug = _DEBUG in sys.argv
    try:
        sys.exit(cli(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        code = WRONG_COMMAND
    except WrongCommandError as error:
        _say(str(error))
        code = WRONG_COMMAND
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted; the same command goes on where this run stopped")
        code = RUN_FAILED
    except failures.ComponentFailedError as error:
        sentence = failures.explain(error, _asked_folder())
        _say(f"{error.component} failed: {sentence} (log: {error.log})")
        if debug:
            click.echo(error.trace, err=True)
        code = RUN_FAILED
    except Exception as error:
        _say(failures.explain(error, _asked_folder()))
        if debug:
            traceback.print_exc()
        code = RUN_FAILED
    sys.exit(code)


def _asked_folder() -> Path:
    """The --output of the command that failed."""
    for position, word in enumerate(sys.argv[:-1]):
        if word == "--output":
            return Path(sys.argv[position + 1]).absolute()
    given = [word.partition("=")[2] for word in sys.argv if word.startswith("--output=")]
    return Path(given[0] if given else "output").absolute()
