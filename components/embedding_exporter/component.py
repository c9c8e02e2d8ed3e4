"""Writes the vectors of a blessed model in word2vec's formats."""

import json
import os
from collections.abc import Iterable

import tensorflow as tf

from components.tfx_api import (
    InputArtifact,
    OutputArtifact,
    Parameter,
    artifact,
    component,
    path_utils,
    standard_artifacts,
)
from trainer_module.evaluation import word2vec_format
from trainer_module.evaluation.saved_model import read
from trainer_module.text.words import TOKENIZATION_FILE

SPACE_FILE = "space.json"


class WordVectors(artifact.Artifact):
    """A folder with vectors.txt, vectors.bin, vocabulary.tsv, tokenization.json and space.json.

    It is empty if nothing was blessed.
    """

    # TFX imports the class by this name when an artifact comes from a cluster.
    TYPE_NAME = "components.WordVectors"


def export(saved_model: str, folder: str) -> None:
    """Writes the target table of a SavedModel, its vocabulary, how it makes tokens, and its space.

    Args:
      saved_model: folder of a SavedModel made by trainer_module.evaluation.export.
      folder: where the five files go.
    """
    model = read(saved_model)
    tokens, counts = [token.decode() for token in model.vocabulary.tokens], model.vocabulary.counts
    vectors = model.target_table
    _write(folder, word2vec_format.TEXT_FILE, _utf8(word2vec_format.text_lines(tokens, vectors)))
    _write(folder, word2vec_format.BINARY_FILE, word2vec_format.binary_records(tokens, vectors))
    _write(
        folder,
        word2vec_format.VOCABULARY_FILE,
        _utf8(word2vec_format.vocabulary_lines(tokens, counts.tolist())),
    )
    _write(folder, TOKENIZATION_FILE, [model.settings.tokenization.to_json().encode()])
    # Vectors with the same space_id can be used together, though nights lie between them.
    space = json.dumps({"space_id": model.settings.space_id}) + "\n"
    _write(folder, SPACE_FILE, [space.encode()])


def _utf8(lines: Iterable[str]) -> Iterable[bytes]:
    return (line.encode() for line in lines)


def _write(folder: str, name: str, parts: Iterable[bytes]) -> None:
    with tf.io.gfile.GFile(os.path.join(folder, name), "wb") as file:
        for part in parts:
            file.write(part)


@component
def EmbeddingExporter(  # noqa: N802
    model: InputArtifact[standard_artifacts.Model],
    model_blessing: InputArtifact[standard_artifacts.ModelBlessing],
    vectors: OutputArtifact[WordVectors],
    code_fingerprint: Parameter[str],
) -> None:
    """Exports a blessed model. For any other model it writes nothing.

    Args:
      model: the aligned one.
      model_blessing: the EmbeddingComparison's.
      vectors: the files in word2vec's formats, and how words are looked up in them.
      code_fingerprint: is not used; it makes TFX's cache key change with the code.
    """
    del code_fingerprint
    tf.io.gfile.makedirs(vectors.uri)
    if model_blessing.get_int_custom_property("blessed") != 1:
        return
    export(path_utils.serving_model_path(model.uri), vectors.uri)
