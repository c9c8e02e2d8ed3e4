import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from components.embedding_exporter import component
from tests.components.embedding_exporter.test_format_list import without
from tests.saved_models import SETTINGS, write_saved_model
from trainer_module.errors import InputError

WORD2VEC = ["vectors.txt", "vectors.bin", "context_vectors.bin", "vocab.txt", "vocabulary.tsv"]
ALWAYS = ["exports.json", "space.json", "tokenization.json"]
VECTORS = np.array([[1, -0.5], [0.25, 1000], [0, 3]], np.float32)
CONTEXTS = np.array([[0, 2], [4, 8], [16, 0.5]], np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Trainer's artifact: a SavedModel with what is exported and nothing else."""
    return write_model(
        tmp_path_factory.mktemp("model"), {"the": 12, "größe": 3, "日本": 3}, VECTORS, CONTEXTS
    )


def write_model(folder: Path, counts: dict[str, int], *tables: np.ndarray) -> Path:
    settings = SETTINGS._replace(tokenizer="whitespace", normalization="nfkc")
    write_saved_model(folder / "Format-Serving", counts, *tables, settings=settings)
    return folder


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def run_component(
    folder: Path, model: Path, baseline: Path | None = None, blessed: int = 1, **given: object
) -> Path:
    """What the component leaves of a model."""
    models = []
    for path in (model, baseline):
        artifact = standard_artifacts.Model()
        artifact.uri = str(path)
        models.append(artifact if path else None)
    blessing, vectors = standard_artifacts.ModelBlessing(), component.WordVectors()
    blessing.set_int_custom_property("blessed", blessed)
    vectors.uri = str(folder / "vectors")
    component.EmbeddingExporter.EXECUTOR_SPEC.executor_class._FUNCTION(
        model=models[0],
        baseline_model=models[1],
        model_blessing=blessing,
        vectors=vectors,
        code_fingerprint="0123",
        **{"formats": "word2vec", "min_recall": 0.95, **given},
    )
    return folder / "vectors"


def test_export_writes_vectors_and_counts(model, tmp_path):
    component.export(str(model / "Format-Serving"), str(tmp_path))
    assert files_below(tmp_path) == sorted([*WORD2VEC, *ALWAYS])
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
    for name, table in (("vectors.bin", VECTORS), ("context_vectors.bin", CONTEXTS)):
        binary = (tmp_path / name).read_bytes()
        assert binary.startswith(b"3 2\nthe " + table[0].tobytes() + b"\n")
        assert len(binary) == len("3 2\n") + 3 * (len(" \n") + 8) + len("thegröße日本".encode())
    assert json.loads((tmp_path / "exports.json").read_text()) == {
        "word2vec": {"files": sorted(WORD2VEC)}
    }


def test_formats_that_are_asked_for_are_written_and_told(model, tmp_path):
    formats = "word2vec,parquet,safetensors,npy,faiss,vertex"
    folder = run_component(tmp_path, model, formats=formats)
    told = json.loads((folder / "exports.json").read_text())
    assert told == {
        "word2vec": {"files": sorted(WORD2VEC)},
        "parquet": {"files": ["vectors.parquet"]},
        "safetensors": {"files": ["tokens.txt", "vectors.safetensors"]},
        "npy": {"files": ["tokens.txt", "vectors.npy"]},
        "faiss": {"files": ["index.faiss", "tokens.txt"], "recall_at_10": 1.0, "ef_search": 64},
        "vertex": {"files": ["vertex/part-00000.json"], "deleted": 0},
    }
    files = {file for one in told.values() for file in one["files"]}
    assert files_below(folder) == sorted([*files, *ALWAYS])
    # All may be read by whom the umask lets, also what a library has written.
    assert len({(folder / file).stat().st_mode for file in files_below(folder)}) == 1


@pytest.mark.parametrize(
    ("blessed", "expected"),
    [(1, sorted([*WORD2VEC, *ALWAYS])), (0, [])],
)
def test_nothing_is_written_of_a_model_that_is_not_blessed(model, tmp_path, blessed, expected):
    assert files_below(run_component(tmp_path, model, blessed=blessed)) == expected


def test_what_is_gone_since_the_last_blessed_model_is_deleted(model, tmp_path):
    last = write_model(tmp_path / "last", {"the": 3, "sea": 2, "größe": 1}, VECTORS)
    folder = run_component(tmp_path, model, last, formats="word2vec,vertex")
    assert (folder / "vertex" / "delete" / "gone.txt").read_text() == "sea\n"
    # Where no node can leave out an input, there is a folder without a model in it.
    (tmp_path / "none").mkdir()
    folder = run_component(tmp_path / "first", model, tmp_path / "none", formats="word2vec,vertex")
    assert not (folder / "vertex" / "delete").exists()


@pytest.mark.parametrize("blessed", [0, 1])
def test_a_missing_library_is_said_before_anything_is_written(
    model, tmp_path, monkeypatch, blessed
):
    without(monkeypatch, "faiss")
    with pytest.raises(InputError, match=r"^the format faiss needs the library faiss"):
        run_component(tmp_path, model, formats="word2vec,faiss", blessed=blessed)
    assert not (tmp_path / "vectors").exists()


def test_a_folder_behind_a_uri_gets_the_same_files(model, tmp_path):
    """TensorFlow's file system in memory: Python's own functions do not know it."""
    formats = ["word2vec", "parquet", "faiss", "vertex"]
    component.export(str(model / "Format-Serving"), str(tmp_path), formats, 0.5, ["sea"])
    remote = "ram://vectors"
    component.export(str(model / "Format-Serving"), remote, formats, 0.5, ["sea"])
    for name in files_below(tmp_path):
        with tf.io.gfile.GFile(f"{remote}/{name}", "rb") as file:
            assert file.read() == (tmp_path / name).read_bytes()
    assert "vertex/delete/gone.txt" in files_below(tmp_path)
