import fnmatch
import os

import pytest

from components.text_example_gen import files


@pytest.mark.parametrize(
    ("name", "ending", "compression", "of_format"),
    [
        ("/a/b.txt", ".txt", "", ".txt"),
        ("b.TXT.GZ", ".txt.gz", ".gz", ".txt"),
        ("b.txt.bz2", ".txt.bz2", ".bz2", ".txt"),
        ("b.jsonl", ".jsonl", "", ".jsonl"),
        ("b.jsonl.zst", ".jsonl.zst", ".zst", ".jsonl"),
        ("b.csv.gz", ".csv.gz", ".gz", ".csv"),
        ("b.TSV", ".tsv", "", ".tsv"),
        ("b.parquet", ".parquet", "", ".parquet"),
        ("b.parquet.gz", None, ".gz", ""),
        ("b.json", None, "", ""),
        ("txt", None, "", ""),
    ],
)
def test_endings(name: str, ending: str | None, compression: str, of_format: str) -> None:
    assert files.known_ending(name) == ending
    assert files.compression(name) == compression
    assert files.format_of(name) == of_format


def test_escaped_name_matches_itself_alone() -> None:
    name = "a[1]*?{SPAN}].txt"
    assert fnmatch.fnmatchcase(name, files.escape(name))
    assert not fnmatch.fnmatchcase("a1xx{SPAN}].txt", files.escape(name))
    assert "{SPAN}" not in files.escape(name)


@pytest.mark.parametrize(
    ("patterns", "root", "relative"),
    [
        (["/a/b/c.txt"], "/a/b", ["c.txt"]),
        (["/a/b/*.txt", "/a/bc/*.txt"], "/a", ["b/*.txt", "bc/*.txt"]),
        (["/a/*/c.txt", "/a/*/d.txt"], "/a", ["*/c.txt", "*/d.txt"]),
        (["/a.txt"], "/", ["a.txt"]),
        (["/a/x.txt", "/b/x.txt"], "/", ["a/x.txt", "b/x.txt"]),
        (["gs://bucket/a/*.txt"], "gs://bucket/a", ["*.txt"]),
        (["gs://bucket/*.txt", "gs://bucket/a/*.txt"], "gs://bucket", ["*.txt", "a/*.txt"]),
        (["gs://one/a.txt", "gs://two/a.txt"], "", ["gs://one/a.txt", "gs://two/a.txt"]),
        (["gs://one/a.txt", "/a/b.txt"], "", ["gs://one/a.txt", "/a/b.txt"]),
    ],
)
def test_split_root(patterns: list[str], root: str, relative: list[str]) -> None:
    assert files.split_root(patterns) == (root, relative)
    assert [os.path.join(root, pattern) for pattern in relative] == patterns


def test_names_for_a_sentence() -> None:
    assert files.name_few(["a"]) == "'a'"
    assert files.name_few(["a", "b", "c", "d", "e"]) == "'a', 'b', 'c' and 2 more"
