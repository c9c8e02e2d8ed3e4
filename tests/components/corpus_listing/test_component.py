"""The component's function, and what it hands to the executor of TextExampleGen."""

import os
from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.corpus_listing.component import CorpusListing
from components.text_example_gen import matching
from trainer_module.errors import InputError


def listed(root: Path, patterns: str = "*.txt") -> str:
    """What a node answers, read from the file of its artifact as a cluster's entry point does."""
    fingerprint = standard_artifacts.String()
    fingerprint.uri = str(root.parent / "corpus-listing" / "fingerprint")
    CorpusListing.EXECUTOR_SPEC.executor_class._FUNCTION(
        root=str(root), patterns=patterns, fingerprint=fingerprint
    )
    return Path(fingerprint.uri).read_text()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.txt").write_text("one two\n")
    return folder


def test_the_same_files_give_the_same_fingerprint(corpus: Path) -> None:
    before = listed(corpus)
    assert before.startswith("num_files:1,content:")
    assert listed(corpus) == before


def test_a_changed_file_is_seen_though_size_and_time_are_the_same(corpus: Path) -> None:
    before, path = listed(corpus), corpus / "a.txt"
    status = path.stat()
    path.write_text("six ten\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert listed(corpus) != before


def test_a_new_file_is_seen_and_one_that_no_pattern_matches_is_not(corpus: Path) -> None:
    before = listed(corpus)
    (corpus / "b.jsonl").write_text("{}\n")
    assert listed(corpus) == before
    assert listed(corpus, "*.txt\n*.jsonl").startswith("num_files:2,")
    (corpus / "b.txt").write_text("one two\n")
    assert listed(corpus).startswith("num_files:2,")


@pytest.mark.parametrize("name", ["b.csv", "b.tsv.gz", "b.parquet"])
def test_a_table_is_seen(corpus: Path, name: str) -> None:
    before = listed(corpus, "*")
    (corpus / name).write_bytes(b"1,2\n")
    assert listed(corpus, "*").startswith("num_files:2,")
    assert listed(corpus, "*") != before


def test_an_empty_corpus_fails_with_the_sentence_of_the_executor(corpus: Path) -> None:
    (corpus / "a.txt").unlink()
    with pytest.raises(InputError) as here:
        matching.matching_files(str(corpus), "*.txt")
    with pytest.raises(InputError) as there:
        listed(corpus)
    assert str(there.value) == str(here.value)
    assert "no file matches" in str(there.value)
