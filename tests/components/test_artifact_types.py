"""The types of our own that a cluster names."""

import importlib

import pytest

import components
from components.embedding_comparison.component import ModelComparison
from components.embedding_exporter.component import WordVectors


@pytest.mark.parametrize("artifact_type", [ModelComparison, WordVectors])
def test_a_cluster_finds_it_by_its_two_words(artifact_type: type) -> None:
    package, name = artifact_type.TYPE_NAME.split(".")
    assert getattr(importlib.import_module(package), name) is artifact_type


def test_no_other_is_found() -> None:
    with pytest.raises(AttributeError, match="'components' has no attribute 'Vectors'"):
        _ = components.Vectors
