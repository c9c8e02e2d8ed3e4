"""The pipeline, from Python."""

import datetime
import os
from pathlib import Path

from pipeline.config import Config
from pipeline.corpus.dates import resolve_corpus
from pipeline.local import run_command
from pipeline.local.output_folder import OutputFolder
from pipeline.results.records import Summary
from pipeline.terminal import console


def run(
    config: Config | None = None,
    *,
    output: str | os.PathLike[str] = "output",
    date: datetime.date | None = None,
) -> Summary:
    """Runs the whole pipeline on this machine, as `skipgram run` does.

    It forks a process for each component: call it before TensorFlow does anything in yours.

    Args:
      config: all that can be set; by default the quick-start corpus and all defaults.
      output: folder of the run's artifacts, metadata, model and vectors.
      date: last of the days that dates in the names of corpus.files stand for; None for today.

    Returns:
      The summary. `blessed` says whether the model passed the gate, `why_not_blessed` why not.

    Raises:
      InputError: the corpus, the configuration or the output folder cannot be used.
      ComponentFailedError: a component failed, or withheld the run.
    """
    folder = OutputFolder(Path(output))
    config = config or Config()
    return run_command.run(config, resolve_corpus(config.corpus, date), folder, console())
