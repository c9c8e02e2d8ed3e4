"""What is read of a run's artifacts."""

from pathlib import Path

import numpy as np

from pipeline.results.report import sources as read
from pipeline.results.report.sources import Sources
from tests.pipeline.results.report import made_up
from tests.saved_models import write_saved_model


def test_lengths_are_those_of_what_tensorflow_has_written(tmp_path: Path) -> None:
    assert read.document_lengths(made_up.written(tmp_path)) == [2, 1, 5]


def test_no_more_documents_are_read_than_a_picture_needs(tmp_path: Path) -> None:
    folder = made_up.write_examples(tmp_path / "many", [b"word"] * 10_050)
    found = made_up.sources(tmp_path)._replace(folders={("TextExampleGen", "examples"): folder})
    assert read.document_lengths(found) == [1] * 10_000


def test_a_split_without_documents_has_no_lengths(tmp_path: Path) -> None:
    folder = made_up.write_examples(tmp_path / "none", [])
    found = made_up.sources(tmp_path)._replace(folders={("TextExampleGen", "examples"): folder})
    assert read.document_lengths(found) == []


def test_what_was_pruned_is_none(tmp_path: Path) -> None:
    found = made_up.sources(tmp_path)
    assert read.embeddings(found) is None
    assert read.comparison(found) is None
    assert read.reading(found) is None
    assert read.document_lengths(found) == []


def test_vectors_of_a_model_that_was_not_exported_are_those_of_its_saved_model(
    tmp_path: Path,
) -> None:
    folders = {
        ("EmbeddingExporter", "vectors"): tmp_path / "empty",
        ("EmbeddingAligner", "aligned_model"): tmp_path / "model",
    }
    write_saved_model(tmp_path / "model" / "Format-Serving", {"sea": 3, "ship": 2}, np.eye(2))
    found = read.embeddings(Sources(made_up.record(), [], folders, tmp_path))
    assert found is not None
    assert found.counts is not None
    assert (found.tokens, found.counts.tolist()) == (["sea", "ship"], [3, 2])
    assert found.vectors.tolist() == [[1, 0], [0, 1]]
