"""Writes the vectors of a blessed model in the formats that were asked for."""

import contextlib
import importlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from components.embedding_evaluator.last_pushed_model import comparable_model
from components.embedding_exporter.format_list import (
    ALWAYS,
    EXPORTS_FILE,
    FORMATS,
    require_libraries,
)
from components.embedding_exporter.formats import Export, Writer, write_lines
from components.text_example_gen import files
from components.tfx_api import (
    InputArtifact,
    OutputArtifact,
    Parameter,
    artifact,
    component,
    path_utils,
    standard_artifacts,
)
from trainer_module import features, vocabulary
from trainer_module.evaluation.saved_model import read
from trainer_module.text.words import TOKENIZATION_FILE
from trainer_module.vocabulary import Vocabulary

SPACE_FILE = "space.json"
# Names of parameters below, by which the metadata store knows what was asked for.
FORMATS_PARAMETER, RECALL_PARAMETER = "formats", "min_recall"
SEPARATOR = ","  # between the names of formats


class WordVectors(artifact.Artifact):
    """A folder with the files of the formats, tokenization.json, space.json and exports.json.

    It is empty if nothing was blessed.
    """

    # TFX imports the class by this name when an artifact comes from a cluster.
    TYPE_NAME = "components.WordVectors"


def export(
    saved_model: str,
    folder: str,
    formats: Sequence[str] = (ALWAYS,),
    min_recall: float = 0.0,
    last_tokens: Sequence[str] = (),
) -> None:
    """Writes the vectors of a SavedModel, how it makes tokens, and its space.

    Args:
      saved_model: folder of a SavedModel made by trainer_module.evaluation.export.
      folder: where the files go; it holds none of them.
      formats: names in format_list.FORMATS.
      min_recall: what an index for approximate search must find of the nearest neighbours.
      last_tokens: of the last blessed model.

    Raises:
      InputError: a library is missing, or a format cannot hold the vectors; see its writer.
    """
    require_libraries(formats)
    model = read(saved_model)
    given = Export(model, _decoded(model.vocabulary), last_tokens, min_recall)
    exports = {name: _write(name, given, folder) for name in formats}
    with _on_this_machine(folder) as place:
        written = model.settings.tokenization.to_json()
        (place / TOKENIZATION_FILE).write_text(written, encoding="utf-8")
        # Vectors with the same space_id can be used together, though nights lie between them.
        write_lines(place / SPACE_FILE, [json.dumps({"space_id": model.settings.space_id})])
        write_lines(place / EXPORTS_FILE, [json.dumps(exports, indent=2)])


def _write(name: str, given: Export, folder: str) -> dict[str, Any]:
    """Writes one format; returns its files, below the folder, and its figures."""
    module, _, function = FORMATS[name].writer.partition(":")
    writer: Writer = getattr(importlib.import_module(f"{__package__}.{module}"), function)
    with _on_this_machine(folder) as place:
        paths = [place / file for file in FORMATS[name].files]
        figures = writer(given, *paths)
        written = sorted(file for path in paths for file in _files_of(path))
        return {"files": [str(file.relative_to(place)) for file in written], **figures}


@contextlib.contextmanager
def _on_this_machine(folder: str) -> Iterator[Path]:
    """The folder; of one behind a URI a folder whose files are copied there at the end.

    Libraries write to paths, and TensorFlow knows more file systems than they.
    """
    tf.io.gfile.makedirs(folder)
    if not files.is_remote(folder):
        yield Path(folder)
        return
    with tempfile.TemporaryDirectory() as aside:
        yield Path(aside)
        for file in _files_of(Path(aside)):
            target = os.path.join(folder, file.relative_to(aside))
            tf.io.gfile.makedirs(os.path.dirname(target))
            tf.io.gfile.copy(str(file), target, overwrite=True)


def _files_of(path: Path) -> list[Path]:
    """A file, or the files below a folder."""
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]


def _decoded(read: Vocabulary) -> list[str]:
    return [token.decode() for token in read.tokens]


def _last_tokens(baseline: Any) -> list[str]:
    """Of the last blessed model; none where there is none."""
    folder = comparable_model(baseline)
    if folder is None:
        return []
    return _decoded(vocabulary.read(os.path.join(folder, "assets", features.VOCABULARY)))


@component
def EmbeddingExporter(  # noqa: N802
    model: InputArtifact[standard_artifacts.Model],
    model_blessing: InputArtifact[standard_artifacts.ModelBlessing],
    vectors: OutputArtifact[WordVectors],
    formats: Parameter[str],
    min_recall: Parameter[float],
    code_fingerprint: Parameter[str],
    baseline_model: InputArtifact[standard_artifacts.Model] = None,
) -> None:
    """Exports a blessed model. For any other model it writes nothing.

    Args:
      model: the aligned one.
      model_blessing: the EmbeddingComparison's.
      vectors: the files of the formats, and how words are looked up in them.
      formats: names in format_list.FORMATS, with SEPARATOR between them.
      min_recall: see export.
      code_fingerprint: is not used; it makes TFX's cache key change with the code.
      baseline_model: the last blessed one; None, or without a model in it: there is none yet.
    """
    del code_fingerprint
    names = formats.split(SEPARATOR)
    # Also of a model that is not blessed: better tonight than in the night of the next one that is.
    require_libraries(names)
    tf.io.gfile.makedirs(vectors.uri)
    if model_blessing.get_int_custom_property("blessed") != 1:
        return
    saved_model = path_utils.serving_model_path(model.uri)
    export(saved_model, vectors.uri, names, min_recall, _last_tokens(baseline_model))
