"""What TFX's cache says of a corpus that is given again, changed or not."""

import datetime
import multiprocessing
import os
from pathlib import Path

import pytest

from pipeline.corpus.dates import Corpus, resolve_corpus
from pipeline.sections.corpus import CorpusConfig
from tests.pipeline.local import reading_pipeline

pytestmark = pytest.mark.slow

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(
    ["pipeline.graph", "pipeline.local.runner", "pipeline.results.summary"]
)


def comes_from_the_cache(folder: Path, corpus: Corpus | None = None) -> bool:
    answer, sender = _server.Pipe(duplex=False)
    arguments = (folder / "output", corpus or Corpus([f"{folder}/*.txt"]), sender)
    process = _server.Process(target=reading_pipeline.run, args=arguments)
    process.start()
    sender.close()
    cached: bool = answer.recv()
    process.join()
    return cached


def test_content_counts_and_times_do_not(tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    corpus = tmp_path / "a.txt"
    corpus.write_text("".join(f"line {number}\n" for number in range(100, 200)))
    assert not comes_from_the_cache(tmp_path)
    assert comes_from_the_cache(tmp_path)
    # As `rsync -t` and `cp -p` leave it.
    before = corpus.stat()
    corpus.write_text("".join(f"line {number}\n" for number in range(200, 300)))
    os.utime(corpus, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert corpus.stat().st_size == before.st_size
    assert not comes_from_the_cache(tmp_path)
    corpus.touch()
    assert comes_from_the_cache(tmp_path)


def test_a_night_is_cached_and_no_other_nights(tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    for day in (22, 24):
        file = tmp_path / f"2026-11-{day}.txt"
        file.write_text("".join(f"line {number} of {day}\n" for number in range(100, 200)))
    config = CorpusConfig(
        files=(f"{tmp_path}/{{YYYY}}-{{MM}}-{{DD}}.txt",), days=3, max_missing_days=2
    )

    def is_cached(day: int) -> bool:
        night = resolve_corpus(config, datetime.date(2026, 11, day))
        return comes_from_the_cache(tmp_path, night)

    assert not is_cached(22)
    assert is_cached(22)
    # The same files, another night.
    assert not is_cached(23)
    assert not is_cached(24)
    assert is_cached(24)
    assert is_cached(22)
    before = file.stat()
    file.write_text(file.read_text().replace("line 1", "line 7"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert not is_cached(24)
    assert is_cached(22)
