"""The door: what `import skipgram` gives, and what it costs."""

import subprocess
import sys
from pathlib import Path

import pytest

import skipgram

NAMES = ["Config", "Embeddings", "InputError", "Sampler", "Summary", "losses", "run", "train"]


def test_its_names_are_these() -> None:
    assert skipgram.__all__ == NAMES
    assert set(NAMES) <= set(dir(skipgram))


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_found_and_documented(name: str) -> None:
    assert getattr(skipgram, name).__doc__


def test_another_name_is_none_of_its_attributes() -> None:
    with pytest.raises(AttributeError, match="no attribute 'word2vec'"):
        skipgram.word2vec  # noqa: B018


def test_to_import_it_imports_nothing_heavy() -> None:
    code = "import skipgram, sys; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(ended.stdout.split())
    assert "skipgram" in imported
    assert not imported & {"tensorflow", "apache_beam", "tfx", "numpy", "pydantic"}


def test_it_says_that_it_is_typed() -> None:
    assert Path(skipgram.__file__).with_name("py.typed").exists()
