"""What TFX's cache says of a corpus that is given again, changed or not."""

import multiprocessing
import os
from pathlib import Path

import pytest

from tests.pipeline.local import reading_pipeline

pytestmark = pytest.mark.slow

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(
    ["pipeline.graph", "pipeline.local.runner", "pipeline.results.summary"]
)


def comes_from_the_cache(folder: Path) -> bool:
    answer, sender = _server.Pipe(duplex=False)
    arguments = (folder / "output", f"{folder}/*.txt", sender)
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
