"""`skipgram tune`: from the command line's words to the best of some trials, on this machine."""

import datetime
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from components.hyperparameter_tuner.records import SEARCH_FILE, Search
from pipeline import failures
from pipeline.atomic import write_aside
from pipeline.beam_arguments import require_job_server
from pipeline.config import Config
from pipeline.corpus.dates import Corpus
from pipeline.failures import WrongCommandError
from pipeline.local import beginning
from pipeline.local.output_folder import OutputFolder
from pipeline.results import display, tuned

# What takes seconds to import, before the components are forked.
_HEAVY_MODULES = (
    "pipeline.local.local_pipeline",
    "pipeline.local.runner",
    "components.hyperparameter_tuner.tuner",
)


class Asked(NamedTuple):
    """How far to search."""

    trials: int
    sample: float | None  # share of the documents to train on, in (0, 1]; None: data.usual_share


def tune(
    config: Config, corpus: Corpus | None, output: OutputFolder, asked: Asked, console: Console
) -> Search:
    """Searches, and goes on with what a killed search has found.

    Args:
      config: what the first trial trains by, and what stays as it is in all.
      corpus: what to read, from `corpus.dates.resolve_corpus`; None: the quick-start corpus.
      output: the output folder, of runs too.
      asked: how far to search.
      console: where progress is shown.

    Raises:
      InputError: see run_command.run.
      ComponentFailedError: a component failed: the Tuner where there is nothing to train on, or
        nothing held out.
    """
    failures.require_memory()
    config = _with_windows(beginning.with_base_in_full(config))
    with output.locked():
        location = beginning.usable_location(config, output)
        require_job_server(config.beam)
        corpus = beginning.found(corpus, output, console)
        # Not a number, as the names of runs are: it is none, and `skipgram runs` does not show it.
        name = f"tune-{datetime.datetime.now():%Y%m%d%H%M%S%f}"
        logs = output.logs / name
        logs.mkdir(parents=True)
        beginning.prepare_forks(config, _HEAVY_MODULES, logs, console)
        beginning.remove_unusable(location, output, console)
        from pipeline.local import local_pipeline, metadata_store, runner

        with output.temporary_folder() as temporary, display.ProgressDisplay(console) as progress:
            runner.run(
                local_pipeline.create_tuning_pipeline(
                    config, corpus, output, location, **asked._asdict()
                ),
                run_id=location.run_id(name),
                seed=config.seed,
                logs=logs,
                temporary=temporary,
                show_progress=progress.show,
            )
        store = metadata_store.open_store(location.connection)
        artifacts = metadata_store.output_artifacts(store, location.run_id(name))
        path = Path(artifacts["Tuner", "tuner_results"].uri, SEARCH_FILE)
        return Search.of_json(path.read_text(encoding="utf-8"))


def _with_windows(config: Config) -> Config:
    """So that Transform writes tokens: of pairs written out no other window can be drawn."""
    if config.corpus.kind == "pairs":
        return config
    windows = config.preprocessing.model_copy(update={"emit": "windows"})
    return config.model_copy(update={"preprocessing": windows})


def require_place(path: Path) -> None:
    """Checks that a configuration may be written there, before hours are spent on it.

    Raises:
      WrongCommandError: something stands there that no search has written, or no file can.
    """
    if path.is_dir():
        raise WrongCommandError(f"{path} is a folder: name a file with --to")
    if path.exists() and not path.read_bytes().startswith(tuned.FIRST_LINE.encode()):
        raise WrongCommandError(
            f"{path} is there already, and not of `skipgram tune`: name another file with --to, or "
            "delete it first"
        )


def write(path: Path, search: Search, config: Config, command: str) -> None:
    """Writes the configuration of the best trial; see tuned.as_yaml."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_aside(path, tuned.as_yaml(search, config, command))
