"""The clients that the pipeline writes to gs:// with, as they are, against the emulator."""

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gcs.clients import LARGE
from tests.gcs.emulator import Emulator, emulator
from tests.gcs.store import RefusedError, Store

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def words(tmp_path: Path) -> Iterator[Emulator]:
    with emulator(tmp_path, "words") as running:
        yield running
        assert running.foreign == []


def found_by(client: str, words: Emulator, home: Path) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.gcs.clients", client],
        env={"PATH": os.environ["PATH"], "HOME": str(home), **words.environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_tensorflow(words: Emulator, tmp_path: Path) -> None:
    assert found_by("gfile", words, tmp_path) == {
        "text": "hello you",
        "part": list((LARGE * 2)[5000:5003]),
        "md5": hashlib.md5(LARGE * 1000).hexdigest(),
        "length": len(LARGE) * 1000,
        "folders": [True, True, True, False, False],
        "listed": ["deep/", "text.txt"],
        "matched": ["gs://words/a/text.txt"],
        "exist": [False, False, True],
        "missing": "NotFoundError",
    }
    # A folder that was made is an object; one that came about is none.
    assert words.store.names("words") == ["a/deep/er/large", "moved/", "moved/ein Wort", "tmp/"]
    assert words.store.get("words", "moved/ein Wort").content == b"hello you"


def test_beam(words: Emulator, tmp_path: Path) -> None:
    assert found_by("beam", words, tmp_path) == {
        "md5": hashlib.md5(LARGE * 5000).hexdigest(),
        "checksum": base64.b64encode(bytes.fromhex("e3069283")).decode(),  # CRC-32C's check value
        "exist": [True, False],
        "matched": {"gs://words/moved/ein Wort": 9, "gs://words/moved/d": 9},
    }
    names = words.store.names("words")
    assert names == ["copy", "moved/d", "moved/ein Wort", "read", "records/part-00000-of-00001.gz"]
    assert words.store.get("words", "read").content == b"one,two\n"
    assert words.store.get("words", names[-1]).content[:2] == b"\x1f\x8b"  # gzip's


def test_a_listing_by_pages() -> None:
    store = Store(["words"])
    for name in ("b/1", "a", "b/2", "ä", "c"):
        store.put("words", name, b"")
    first = store.listing("words", delimiter="/", most=2)
    assert ([blob.name for blob in first.blobs], first.prefixes) == (["a"], ["b/"])
    rest = store.listing("words", delimiter="/", page=first.next_page)
    assert ([blob.name for blob in rest.blobs], rest.prefixes) == (["c", "ä"], [])
    assert rest.next_page == ""
    below = store.listing("words", prefix="b/", delimiter="/")
    assert ([blob.name for blob in below.blobs], below.prefixes) == (["b/1", "b/2"], [])


def test_a_generation_that_is_gone_is_refused() -> None:
    store = Store(["words"])
    first = store.put("words", "a", b"1", if_generation=0)
    with pytest.raises(RefusedError) as refused:
        store.put("words", "a", b"2", if_generation=0)
    assert refused.value.status == 412
    second = store.put("words", "a", b"2", if_generation=first.generation)
    assert second.generation > first.generation
    with pytest.raises(RefusedError, match="another generation"):
        store.delete("words", "a", first.generation)
    assert store.get("words", "a").content == b"2"


def test_nobody_else_is_reached(words: Emulator) -> None:
    proxy = words.environment["https_proxy"]
    code = "import urllib.request as u; u.urlopen('https://example.org')"
    ended = subprocess.run(
        [sys.executable, "-c", code], env={"https_proxy": proxy}, capture_output=True, check=False
    )
    assert b"403" in ended.stderr
    assert words.foreign == ["example.org"]
    words.foreign.clear()
