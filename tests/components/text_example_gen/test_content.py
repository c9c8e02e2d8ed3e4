"""Fingerprints of real files; the clock is put forward where they are to be old enough."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from apache_beam.io.filesystems import FileSystems

from components.text_example_gen import content
from trainer_module.errors import InputError

Change = Callable[[Path], None]


class Corpus:
    """Two files, and what reads them."""

    def __init__(self, folder: Path) -> None:
        self.record = folder / "record.json"
        self.a, self.b = folder / "a.txt", folder / "b.txt"
        self.a.write_text("one two\n")
        self.b.write_text("six ten\n")
        self.read: list[str] = []

    def fingerprint(self) -> str:
        self.read.clear()
        return content.fingerprint([str(self.a), str(self.b)], self.record)


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    corpus = Corpus(tmp_path)
    digest = hashlib.file_digest

    def listed(file, name):
        corpus.read.append(Path(file.name).name)
        return digest(file, name)

    monkeypatch.setattr(hashlib, "file_digest", listed)
    return corpus


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour has gone by since the files were written."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 3600 * 10**9)


def keep_times(path: Path, change: Change) -> None:
    before = path.stat()
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def rewrite(path: Path) -> None:
    path.write_text("two one\n")


def patch_in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"t")


def replace_by_another(path: Path) -> None:
    other = path.with_name("other")
    rewrite(other)
    shutil.copystat(path, other)
    other.replace(path)


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("change", [rewrite, patch_in_place, replace_by_another])
def test_another_content_of_the_same_size_and_time_is_seen(corpus: Corpus, change: Change) -> None:
    before = corpus.fingerprint()
    keep_times(corpus.a, change)
    assert corpus.fingerprint() != before
    assert corpus.read == ["a.txt"]


@pytest.mark.usefixtures("later")
def test_a_link_to_another_file_of_the_same_size_and_time_is_seen(corpus: Corpus) -> None:
    one, two = (corpus.a.with_name(name) for name in ("one", "two"))
    corpus.a.rename(one)
    corpus.a.symlink_to(one)
    rewrite(two)
    shutil.copystat(one, two)
    before = corpus.fingerprint()
    corpus.a.unlink()
    corpus.a.symlink_to(two)
    assert corpus.fingerprint() != before


@pytest.mark.usefixtures("later")
def test_what_has_not_changed_is_not_read_again(corpus: Corpus) -> None:
    before = corpus.fingerprint()
    assert corpus.read == ["a.txt", "b.txt"]
    assert corpus.fingerprint() == before
    assert corpus.read == []


@pytest.mark.usefixtures("later")
def test_the_same_content_with_another_time_is_the_same(corpus: Corpus) -> None:
    before = corpus.fingerprint()
    os.utime(corpus.a, (1000, 1000))
    copy = corpus.b.with_name("copy")
    shutil.copy(corpus.b, copy)
    copy.replace(corpus.b)
    assert corpus.fingerprint() == before
    assert corpus.read == ["a.txt", "b.txt"]


def test_what_was_written_just_now_is_read_again(corpus: Corpus) -> None:
    # A change in the same tick of the clock would leave size and times as they are.
    before = corpus.fingerprint()
    assert corpus.fingerprint() == before
    assert corpus.read == ["a.txt", "b.txt"]


@pytest.mark.usefixtures("later")
def test_what_changes_while_it_is_read_is_read_again(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.file_digest

    def overtaken(file, name):
        computed = digest(file, name)
        Path(file.name).write_text("cut\n")
        return computed

    monkeypatch.setattr(hashlib, "file_digest", overtaken)
    before = corpus.fingerprint()
    monkeypatch.setattr(hashlib, "file_digest", digest)
    assert corpus.fingerprint() != before


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "null", '{"A": 1}', '{"A": []}', '{"A": [[1], 2]}', '{"A": {"0": "x"}}', "\0"],
)
def test_a_damaged_record_counts_as_none(corpus: Corpus, damage: str) -> None:
    before = corpus.fingerprint()
    corpus.record.write_text(damage.replace("A", str(corpus.a)))
    assert corpus.fingerprint() == before
    assert corpus.read == ["a.txt", "b.txt"]
    assert corpus.fingerprint() == before
    assert corpus.read == []


@pytest.mark.usefixtures("later")
def test_the_record_remembers_the_files_of_this_call_alone(corpus: Corpus) -> None:
    corpus.fingerprint()
    content.fingerprint([str(corpus.b)], corpus.record)
    assert list(json.loads(corpus.record.read_text())) == [str(corpus.b)]
    assert not list(corpus.record.parent.glob("*.new"))


def test_names_count_and_where_one_file_ends(tmp_path: Path) -> None:
    found = set()
    for contents in ({"a": "xy", "b": ""}, {"a": "x", "b": "y"}, {"b": "xy", "c": ""}, {"a": "xy"}):
        for name, text in contents.items():
            (tmp_path / name).write_text(text)
        found.add(content.fingerprint([str(tmp_path / name) for name in contents], None))
    assert len(found) == 4


def test_a_file_that_is_gone_or_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.txt", tmp_path):
        with pytest.raises(InputError, match=r"cannot be read \(.+\); check that it exists"):
            content.fingerprint([str(path)], None)


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")
    Path(path).write_text("a")
    record = tmp_path / "record.json"
    first = content.fingerprint([path], record)
    assert content.fingerprint([path], record) == first


class Remote:
    """A file of an object store: size, time, and the checksum that Beam is told of it."""

    length, mtime_nsec, checksum = 7, 10**9, "crc32c=1"

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(content.fileio, "stat", lambda path: self)
        monkeypatch.setattr(FileSystems, "checksum", self.asked)

    def asked(self, path: str) -> str:
        if not self.checksum:
            raise NotImplementedError
        return self.checksum

    def fingerprint(self) -> str:
        return content.fingerprint(["gs://bucket/a.txt"], None)


def test_of_a_remote_file_its_checksum_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    remote = Remote(monkeypatch)
    before = remote.fingerprint()
    remote.mtime_nsec = 2 * 10**9
    assert remote.fingerprint() == before
    remote.checksum = "crc32c=2"
    assert remote.fingerprint() != before


@pytest.mark.parametrize("checksum", ["", "7"])
def test_where_there_is_none_its_size_and_time_count(
    checksum: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = Remote(monkeypatch)
    remote.checksum = checksum
    before = remote.fingerprint()
    assert remote.fingerprint() == before
    remote.mtime_nsec += 1
    assert remote.fingerprint() != before
