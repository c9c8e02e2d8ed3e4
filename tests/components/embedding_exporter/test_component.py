import json
import os
from pathlib import Path

import numpy as np
import pytest
from tfx.types import standard_artifacts

from components.embedding_exporter import component
from tests.saved_models import SETTINGS, write_saved_model

FILES = ["space.json", "tokenization.json", "vectors.bin", "vectors.txt", "vocabulary.tsv"]
VECTORS = np.array([[1, -0.5], [0.25, 1000], [0, 3]], np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Trainer's artifact: a SavedModel with what is exported and nothing else."""
    folder = tmp_path_factory.mktemp("model")
    settings = SETTINGS._replace(tokenizer="whitespace", normalization="nfkc")
    counts = {"the": 12, "größe": 3, "日本": 3}
    write_saved_model(folder / "Format-Serving", counts, VECTORS, settings=settings)
    return folder


def test_export_writes_vectors_and_counts(model, tmp_path):
    component.export(str(model / "Format-Serving"), str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == FILES
    assert json.loads((tmp_path / "tokenization.json").read_text(encoding="utf-8")) == {
        "tokenizer": "whitespace",
        "normalization": "nfkc",
    }
    assert json.loads((tmp_path / "space.json").read_text()) == {"space_id": SETTINGS.space_id}
    assert (tmp_path / "vectors.txt").read_text(encoding="utf-8") == (
        "3 2\nthe 1 -0.5\ngröße 0.25 1000\n日本 0 3\n"
    )
    assert (tmp_path / "vocabulary.tsv").read_text(encoding="utf-8") == (
        "token\tcount\nthe\t12\ngröße\t3\n日本\t3\n"
    )
    binary = (tmp_path / "vectors.bin").read_bytes()
    assert binary.startswith(b"3 2\nthe " + VECTORS[0].tobytes() + b"\n")
    assert len(binary) == len("3 2\n") + 3 * (len(" \n") + 8) + len("thegröße日本".encode())


@pytest.mark.parametrize(
    ("blessed", "expected"),
    [(1, FILES), (0, [])],
)
def test_nothing_is_written_of_a_model_that_is_not_blessed(model, tmp_path, blessed, expected):
    given, blessing = standard_artifacts.Model(), standard_artifacts.ModelBlessing()
    given.uri = str(model)
    blessing.set_int_custom_property("blessed", blessed)
    vectors = component.WordVectors()
    vectors.uri = str(tmp_path / "vectors")
    export = component.EmbeddingExporter.EXECUTOR_SPEC.executor_class._FUNCTION
    export(model=given, model_blessing=blessing, vectors=vectors, code_fingerprint="0123")
    assert sorted(os.listdir(tmp_path / "vectors")) == expected
