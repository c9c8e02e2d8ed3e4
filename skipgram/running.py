"""The pipeline, from Python."""

import os
from pathlib import Path

from rich.console import Console

from pipeline.config import Config
from pipeline.corpus.patterns import resolve
from pipeline.local import run_command
from pipeline.local.output_folder import OutputFolder
from pipeline.results.records import Summary


def run(
    config: Config | None = None,
    *,
    output: str | os.PathLike[str] = "output",
) -> Summary:
    """Runs the whole pipeline on this machine, as `skipgram run` does.

    It forks a process for each component: call it before TensorFlow does anything in yours.

    Args:
      config: all that can be set; by default the quick-start corpus and all defaults.
      output: folder of the run's artifacts, metadata, model and vectors.

    Returns:
      The summary. `blessed` says whether the model passed the gate, `why_not_blessed` why not.

    Raises:
      InputError: the corpus, the configuration or the output folder cannot be used.
      ComponentFailedError: a component failed.
    """
    folder = OutputFolder(Path(output))
    config = config or Config()
    patterns = resolve(config.corpus.files) if config.corpus.files else None
    return run_command.run(config, patterns, folder, Console())
