"""Little files that unpack to much: bytes held at once are bounded."""

import bz2
import gzip
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from components.text_example_gen import decompressing

_SCRIPT = """
import re, sys
from components.text_example_gen import reading
from components.text_example_gen.account import Options, ReadingCounts

def peak():  # ru_maxrss would begin with that of the parent
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1]) / 1024

options, counts = Options(100_000, 0.05), ReadingCounts()
before = peak()
with open(sys.argv[1], "rb") as file:
    for _ in reading.read_documents(file, sys.argv[1], options, counts):
        pass
print(peak() - before)
"""


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone tells")


def zstd_bomb(piece: bytes, count: int) -> bytes:
    compressor = zstandard.ZstdCompressor(level=19).compressobj()
    return b"".join(compressor.compress(piece) for _ in range(count)) + compressor.flush()


@pytest.mark.parametrize(
    ("ending", "compress", "most"),
    [
        (".gz", gzip.compress, 1 << 18),
        (".bz2", bz2.compress, 1 << 18),
        (".zst", lambda data: zstd_bomb(data[: 1 << 20], len(data) >> 20), 9 << 20),
    ],
)
def test_what_is_unpacked_at_once_is_bounded(
    ending: str, compress: Callable[[bytes], bytes], most: int
) -> None:
    bomb = compress(bytes(64 << 20))
    sizes = [len(block) for block in decompressing.decompressed(io.BytesIO(bomb), f"a{ending}")]
    assert sum(sizes) == 64 << 20
    assert max(sizes) <= most


def peak_mebibytes(path: Path) -> float:
    """How much memory reading a file takes, in a process of its own."""
    folder = Path(decompressing.__file__).parents[2]
    command = [sys.executable, "-c", _SCRIPT, str(path)]
    ended = subprocess.run(command, capture_output=True, check=True, text=True, cwd=folder)
    return float(ended.stdout)


@needs_proc
@pytest.mark.parametrize("piece", [b"\n", b"\r\n", b"\r", b" \t\n", b" "])
def test_memory_of_a_bomb_of_blanks(piece: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bomb.txt.zst"
    path.write_bytes(zstd_bomb(piece * (1 << 20), 32))
    assert path.stat().st_size < 10_000
    assert peak_mebibytes(path) < 60  # 32 to 96 MiB of blanks, which were as many objects once


@needs_proc
def test_memory_of_a_long_json_line(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b'{"text": "' + b"word " * 12_000_000 + b'"}\n')
    assert peak_mebibytes(path) < 2.5 * 60  # the line is 60 MB; 2.0 times that was measured
