"""The command `skipgram`: its subcommands, and how each of them ends."""

import io
import os
import signal
import sys
import traceback
from typing import NoReturn

import click

from pipeline import failures
from pipeline.commands import cluster, config, releases, report, results, run, shared, tune, words
from pipeline.commands.shared import Invocation, say
from pipeline.failures import RUN_FAILED, WRONG_COMMAND, WrongCommandError
from pipeline.terminal import print_what_can_be_printed, shown_lines


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@shared.debug
@click.version_option(package_name="skipgram-pipeline")
def cli() -> None:
    """Raw text in, gated skip-gram embeddings out.

    Exit codes: 0 all is well; 1 the run failed; 2 the command or the configuration is wrong;
    3 the model was not blessed, or the run was withheld before training; 130 and 143 interrupted,
    by SIGINT and SIGTERM.
    """


for _command in (
    run.run,
    tune.tune,
    words.neighbors,
    words.contexts,
    words.analogy,
    results.runs,
    report.report,
    report.compare,
    releases.bless,
    releases.prune,
    config.config,
    cluster.compile_,
    cluster.rehearse,
    cluster.submit,
):
    cli.add_command(_command)


class TerminatedError(KeyboardInterrupt):
    """A SIGTERM, which ends a command as Ctrl-C does."""


def main() -> None:
    """Runs the command and turns failures into one sentence and an exit code."""
    print_what_can_be_printed()
    asked = Invocation()
    signal.signal(signal.SIGTERM, _terminate)
    # It is ours alone: what we fork ends by it, as what we start does.
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    try:
        sys.exit(cli(standalone_mode=False, obj=asked))
    except click.ClickException as error:
        error.show(said := io.StringIO())
        click.echo(shown_lines(said.getvalue()), err=True, nl=False)
        code = WRONG_COMMAND
    except WrongCommandError as error:
        say(str(error))
        code = WRONG_COMMAND
    except (KeyboardInterrupt, click.Abort) as error:
        say("interrupted; the same command goes on where this run stopped")
        is_terminated = TerminatedError in (type(error), type(error.__cause__))
        code = failures.TERMINATED if is_terminated else failures.INTERRUPTED
    except failures.ComponentFailedError as error:
        code = _say_component_failed(error, asked)
    except Exception as error:
        say(failures.explain(error, asked.folder.absolute()))
        if asked.debug:
            click.echo(shown_lines(failures.without_credentials(traceback.format_exc())), err=True)
        code = RUN_FAILED
        if failures.memory_sentence(error):
            _end_at_once(code)
    sys.exit(code)


def _say_component_failed(error: failures.ComponentFailedError, asked: Invocation) -> int:
    """Says it and returns the exit code."""
    is_withheld = failures.is_withheld(error)
    sentence = failures.explain(error, asked.folder.absolute())
    say(sentence if is_withheld else f"{error.component} failed: {sentence} (log: {error.log})")
    if asked.debug:
        click.echo(shown_lines(failures.without_credentials(error.trace)), err=True)
    return failures.NOT_BLESSED if is_withheld else RUN_FAILED


def _terminate(*_: object) -> NoReturn:
    raise TerminatedError


def _end_at_once(code: int) -> NoReturn:
    """Without the interpreter's shutdown, which says a line for each object that needs memory."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
