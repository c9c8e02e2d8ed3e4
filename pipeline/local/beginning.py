"""How a command begins that runs a pipeline here: what it looks at, says and imports before."""

import contextlib
import importlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from components.processes import importing
from components.text_example_gen import files
from pipeline.config import Config
from pipeline.corpus.dates import Corpus, missing_days
from pipeline.corpus.patterns import resolve
from pipeline.corpus.quick_start import quick_start_corpus
from pipeline.failures import WrongCommandError
from pipeline.local.output_folder import OutputFolder
from pipeline.paths import expanded
from pipeline.results import display
from pipeline.terminal import stderr_to
from trainer_module.hyperparameters import BASES

if TYPE_CHECKING:
    from pipeline.local.metadata_store import StoreLocation

_LEAST_SECONDS_TO_SAY = 2.0  # a step that is quicker needs no line of its own


def with_base_in_full(config: Config) -> Config:
    """The configuration, with the path of a warm start as it is seen from everywhere here.

    Raises:
      WrongCommandError: there is nothing at that path.
    """
    base = config.trainer.base_path
    if base is None or files.is_remote(base):
        return config
    path = Path(expanded(base)).absolute()
    if not path.exists():
        raise WrongCommandError(f"there is no {path} (trainer.warm_start): name {BASES}")
    trainer = config.trainer.model_copy(update={"warm_start": str(path)})
    return config.model_copy(update={"trainer": trainer})


def usable_location(config: Config, output: OutputFolder) -> "StoreLocation":
    """Where the run is noted, tried before the long imports."""
    from pipeline.local import metadata_store

    location = metadata_store.store_location(config.metadata, output)
    metadata_store.open_store(location.connection)
    return location


def found(corpus: Corpus | None, output: OutputFolder, console: Console) -> Corpus:
    """The corpus, of which people are told what is missing; None stands for the quick start's."""
    if corpus is None:
        with said(console, "Quick-start corpus: the docstrings of the installed packages"):
            corpus = Corpus(resolve([str(quick_start_corpus(output.corpus))]))
    if corpus.missing:
        warn(console, missing_days(corpus))
    return corpus


def remove_unusable(location: "StoreLocation", output: OutputFolder, console: Console) -> None:
    """Removes what killed runs have left and what was damaged since; see metadata_store."""
    from pipeline.local import metadata_store

    store = metadata_store.open_store(location.connection)
    for damage in metadata_store.remove_unusable(store, location.pipeline_name, output.artifacts):
        warn(console, f"{damage}: removed; what it was made by runs again if it is needed")


def prepare_forks(config: Config, modules: Sequence[str], logs: Path, console: Console) -> None:
    """Does once what each component would do first.

    Args:
      config: says how components tokenise.
      modules: what takes seconds to import, by dotted names.
      logs: folder for what they say of themselves.
      console: where people see that it takes some time.
    """
    what = "Importing TensorFlow, Beam and TFX"
    with said(console, what), stderr_to(logs / "imports.log"), importing():
        for module in modules:
            importlib.import_module(module)
        from trainer_module.text import unicode_tables
        from trainer_module.text.words import Tokenization

        unicode_tables.prepare(*Tokenization.of(config.preprocessing))


def warn(console: Console, sentence: str) -> None:
    """Says what people must see of what goes on."""
    console.print(display.warning(sentence), highlight=False, soft_wrap=True)


@contextlib.contextmanager
def said(console: Console, what: str) -> Iterator[None]:
    """Says what is done now and, where that was long, how long it took."""
    started = time.monotonic()
    console.print(f"{what} ...", highlight=False)
    yield
    if (seconds := time.monotonic() - started) >= _LEAST_SECONDS_TO_SAY:
        console.print(f"  {seconds:.0f} s", highlight=False)
