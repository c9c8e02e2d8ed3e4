"""The corpora of the benchmarks, as the pipeline's own artifacts."""

import gzip
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

SHARED = Path("../shared/data")
BOOKS = SHARED / "standardebooks"
# Where the benchmarks' pipelines run, not to disturb the user's output/.
OUTPUT = Path("output-benchmarks")
EPOCHS = 2


class Corpus(NamedTuple):
    """What the Trainer takes, and what it was made from."""

    name: str
    transform_graph: str
    train_files: list[str]
    eval_files: list[str]
    text_files: list[str]  # TFRecords of the train split's documents
    eval_text_files: list[str]  # and of those held out
    summary: dict[str, Any]  # of the pipeline's run
    pipeline_seconds: float  # of the command, imports and evaluation included


# Of the pipelines that prepare the data: the objective that is compared with gensim's.
_OBJECTIVE = ("--set", "trainer.objective=negative_sampling")


def run_pipeline(name: str, *arguments: str, epochs: int = EPOCHS) -> Corpus:
    """Runs the pipeline as a user does; what is there from an earlier run comes from the cache.

    Args:
      name: of the corpus, and of the output folder.
      arguments: of `skipgram run`.
      epochs: of training.
    """
    return run_command(name, *_OBJECTIVE, "--set", f"trainer.epochs={epochs}", *arguments)


def run_command(name: str, *arguments: str) -> Corpus:
    """The same with the defaults of everything that the arguments do not say."""
    from pipeline.config import MetadataConfig
    from pipeline.local import metadata_store
    from pipeline.local.output_folder import OutputFolder

    output = OutputFolder(OUTPUT / name)
    command = [Path(sys.executable).with_name("skipgram"), "run", "--output", output.root]
    started = time.monotonic()
    # A model that is not blessed is no failure of a benchmark: its artifacts are there.
    subprocess.run([*map(str, command), *arguments], check=False, stdout=sys.stderr)
    seconds = time.monotonic() - started
    place = metadata_store.store_location(MetadataConfig(), output)
    store = metadata_store.open_store(place.connection)
    last = metadata_store.runs(store, place.pipeline_name)[0]
    artifacts = metadata_store.output_artifacts(store, last.run_id)
    examples = Path(artifacts["Transform", "transformed_examples"].uri)
    text = Path(artifacts["TextExampleGen", "examples"].uri)
    return Corpus(
        name,
        artifacts["Transform", "transform_graph"].uri,
        _files(examples / "Split-train"),
        _files(examples / "Split-eval"),
        _files(text / "Split-train"),
        _files(text / "Split-eval"),
        json.loads(output.summary.read_text()),
        seconds,
    )


def _files(folder: Path) -> list[str]:
    return sorted(map(str, folder.iterdir()))


def books_or_quick_start() -> list[str]:
    """The arguments of `skipgram run` for the books where they are, else for the quick start."""
    return ["--corpus", f"{BOOKS}/*.txt.gz"] if BOOKS.exists() else []


def tokens(corpus: Corpus) -> Iterator[list[str]]:
    """The tokens of the train split's documents, by our tokenizer."""
    from trainer_module.text import tokenization
    from trainer_module.text.words import Tokenization

    for text in _batches(corpus.text_files):
        for row in tokenization.tokenize(text, Tokenization()).to_list():
            yield [token.decode() for token in row]


def texts(files: list[str]) -> Iterator[str]:
    """Documents as they were read."""
    for text in _batches(files):
        yield from (document.decode() for document in text.numpy())


def _batches(files: list[str]) -> Iterator[Any]:
    """`[batch]` string each."""
    import tensorflow as tf

    from trainer_module import features

    spec = {features.TEXT: tf.io.FixedLenFeature([], tf.string)}
    for batch in tf.data.TFRecordDataset(files, "GZIP").batch(1000):
        yield tf.io.parse_example(batch, spec)[features.TEXT]


def words_of_files(files: list[Path]) -> Iterator[list[str]]:
    """The words of each line, as a user of gensim would read them."""
    word = re.compile(r"\w+")
    for path in files:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield word.findall(line.lower())
