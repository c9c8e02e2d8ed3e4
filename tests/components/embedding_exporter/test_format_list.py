import importlib
import importlib.util
import re
from pathlib import Path

import pytest

from components.embedding_exporter import format_list
from components.embedding_exporter.format_list import FORMATS
from pipeline import config_file
from trainer_module.errors import InputError
from trainer_module.evaluation import word2vec_format

DOCS = Path(__file__).parents[3] / "docs" / "exports.md"


def without(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """As on a machine where a module is not installed."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == missing else found(name, *rest),
    )


@pytest.mark.parametrize("name", FORMATS)
def test_each_has_a_writer_and_a_row_in_the_docs(name: str) -> None:
    module, _, function = FORMATS[name].writer.partition(":")
    assert callable(
        getattr(importlib.import_module(f"components.embedding_exporter.{module}"), function)
    )
    [row] = re.findall(rf"^\| `{name}` \|.*$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    for file in FORMATS[name].files:
        assert f"`{file}" in row


def test_those_asked_for_are_in_the_order_of_the_table_and_word2vec_among_them() -> None:
    loaded = config_file.load(settings=["exporter.formats=[vertex, npy, npy]"])
    assert loaded.exporter.formats == ("word2vec", "npy", "vertex")
    assert config_file.load().exporter.formats == ("word2vec",)
    assert config_file.load(settings=["exporter.formats=[]"]).exporter.formats == ("word2vec",)


def test_a_wrong_name_is_an_error_that_has_the_right_ones() -> None:
    with pytest.raises(InputError, match=r"exporter.formats.0 = 'parket'.*'word2vec', 'parquet'"):
        config_file.load(settings=["exporter.formats=[parket]"])


def test_a_library_that_is_missing_is_said_before_anything_runs(monkeypatch) -> None:
    without(monkeypatch, "faiss")
    assert config_file.load(settings=["exporter.formats=[npy]"]).exporter.formats[1:] == ("npy",)
    sentence = (
        r"^in exporter.formats, the format faiss needs the library faiss, which is not installed: "
        r"give `pip install 'skipgram-pipeline\[faiss\]'`, or take faiss out of exporter.formats$"
    )
    with pytest.raises(InputError, match=sentence):
        config_file.load(settings=["exporter.formats=[faiss]"])


def test_word2vecs_files_are_those_that_the_commands_read() -> None:
    names = {word2vec_format.BINARY_FILE, word2vec_format.VOCABULARY_FILE}
    assert names < set(FORMATS[format_list.ALWAYS].files)


def test_the_extras_are_those_of_the_package() -> None:
    written = (DOCS.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    for one in FORMATS.values():
        assert one.extra is None or f"\n{one.extra} = [" in written
