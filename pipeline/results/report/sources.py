"""What a report is made from: records of runs, and the artifacts of one. Nothing here is computed.

What was pruned is not there, and what reads it says None.
"""

import gzip
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from components.embedding_comparison.comparison import COMPARISON_FILE, Comparison
from pipeline.results.embeddings import Embeddings
from pipeline.results.records import Blessing, RunRecord
from trainer_module.evaluation import word2vec_format

# By component and output key, as pipeline.local.metadata_store has them.
Key = tuple[str, str]

_EXAMPLES = ("TextExampleGen", "examples")
# components.text_example_gen.executor's, which takes Beam's import.
_READING_FILE = "reading.json"
# TFX's, in the folder of a Model.
_SERVING_MODEL = "Format-Serving"
# Documents whose lengths are taken: enough for a picture, and read in a tenth of a second.
_SAMPLED_DOCUMENTS = 10_000
# Bytes before a record of TFRecord, its length first, and after it: checksums.
_HEAD, _TAIL = 12, 4


class Sources(NamedTuple):
    """A run, the ones before it, and what people said of it."""

    record: RunRecord
    earlier: Sequence[RunRecord]  # the last one first
    folders: Mapping[Key, Path]  # of the run's artifacts: those that are there
    root: Path  # the output folder
    by_hand: Sequence[Blessing] = ()  # of the run


def embeddings(sources: Sources) -> Embeddings | None:
    """The vectors of the run's model, blessed or not."""
    exported = sources.folders.get(("EmbeddingExporter", "vectors"))
    if exported and (exported / word2vec_format.BINARY_FILE).exists():
        return Embeddings.load(exported)
    model = sources.folders.get(("EmbeddingAligner", "aligned_model"))
    return _of_saved_model(model / _SERVING_MODEL) if model else None


def _of_saved_model(folder: Path) -> Embeddings:
    """Takes the import of TensorFlow, which no blessed model needs."""
    from trainer_module.evaluation import saved_model

    model = saved_model.read(str(folder))
    tokens = [token.decode() for token in model.vocabulary.tokens]
    counts = model.vocabulary.counts.tolist()
    tokenization = model.settings.tokenization
    return Embeddings(tokens, model.target_table, counts, tokenization=tokenization)


def comparison(sources: Sources) -> Comparison | None:
    """What has moved since the last blessed model; None also where there was none."""
    folder = sources.folders.get(("EmbeddingComparison", "comparison"))
    if folder is None or not (folder / COMPARISON_FILE).exists():
        return None
    found = Comparison.read(folder)
    return found if found.compared else None


def reading(sources: Sources) -> Mapping[str, Any] | None:
    """What TextExampleGen has counted: its reading.json."""
    folder = sources.folders.get(_EXAMPLES)
    if folder is None or not (written := folder / _READING_FILE).exists():
        return None
    found: Mapping[str, Any] = json.loads(written.read_text(encoding="utf-8"))
    return found


def document_lengths(sources: Sources) -> list[int]:
    """Words between blanks, of each of some held-out documents.

    These are chosen and ordered by a hash of their text, so that the first ones are a fair sample.
    """
    folder = sources.folders.get(_EXAMPLES)
    if folder is None or not (folder / "Split-eval").is_dir():
        return []
    from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

    files = sorted((folder / "Split-eval").iterdir())
    records = list(islice((one for file in files for one in _records(file)), _SAMPLED_DOCUMENTS))
    if not records:
        return []
    texts = ExamplesToRecordBatchDecoder().DecodeBatch(records).column("text").to_pylist()
    return [len(text.split()) for [text] in texts]


def _records(path: Path) -> Iterator[bytes]:
    """Of a compressed file of TFRecords; TensorFlow, which reads them too, takes long to import."""
    with gzip.open(path) as file:
        while head := file.read(_HEAD):
            [length] = struct.unpack_from("<Q", head)
            yield file.read(length)
            file.read(_TAIL)
