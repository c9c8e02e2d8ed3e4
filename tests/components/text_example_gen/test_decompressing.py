import gzip
import random
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from components.text_example_gen import decompressing, files
from components.text_example_gen.account import ReadingCounts
from tests.components.text_example_gen.reading_bytes import COMPRESS, documents, read, sentence

# Those that are compressed: "" is among the keys of COMPRESS too.
COMPRESSED = [ending for ending in COMPRESS if ending]


def test_every_ending_is_tested() -> None:
    assert list(files.COMPRESSIONS) == list(decompressing._FORMATS) == COMPRESSED


@pytest.mark.parametrize("ending", COMPRESS)
def test_every_compression(ending: str) -> None:
    text = "".join(f"line {i} of the même text\n" for i in range(20_000)).encode()
    found, counts = read(COMPRESS[ending](text), f"a.txt{ending}")
    assert found == text.splitlines()
    assert counts == ReadingCounts(files=1, documents=20_000, bytes=len(text))


@pytest.mark.parametrize("ending", COMPRESSED)
def test_several_frames_are_one_file(ending: str) -> None:
    compress = COMPRESS[ending]
    data = compress(b"one t") + compress(b"") + compress(b"wo\nthree\n")
    assert documents(data, f"a.txt{ending}") == [b"one two", b"three"]


@pytest.mark.parametrize("ending", COMPRESSED)
@pytest.mark.parametrize("kept", [0.5, 0.999])
def test_truncated_file(ending: str, kept: float) -> None:
    noise = random.Random(1).randbytes(9000).hex().encode()
    data = COMPRESS[ending](re.sub(rb"(.{50})", rb"\1\n", noise))
    said = sentence(data[: int(len(data) * kept)], f"a.txt{ending}")
    assert said == (
        f"'a.txt{ending}' cannot be decompressed as {ending} (its end is missing);"
        " fetch or compress it again"
    )


@pytest.mark.parametrize("ending", COMPRESSED)
def test_damaged_file(ending: str) -> None:
    said = sentence(b"this was never compressed\n", f"a.jsonl{ending}")
    assert said.startswith(f"'a.jsonl{ending}' cannot be decompressed as {ending} (")


def test_a_changed_byte_is_noticed() -> None:
    data = bytearray(gzip.compress(b"one two three\n", compresslevel=0))
    data[18] ^= 1
    assert "incorrect data check" in sentence(bytes(data), "a.txt.gz")


@pytest.mark.parametrize("ending", COMPRESSED)
def test_empty_compressed_file(ending: str) -> None:
    assert read(b"", f"a.txt{ending}")[1].empty_files == 1
    assert read(COMPRESS[ending](b""), f"a.txt{ending}")[1].empty_files == 1


# Frames that are padded, skipped, long.


@pytest.mark.parametrize("ending", COMPRESSED)
@pytest.mark.parametrize("zeros", [1, 10, 511, 70_000])
def test_zeros_after_a_frame_are_passed_over(ending: str, zeros: int) -> None:
    compress = COMPRESS[ending]
    padded = compress(b"one t") + b"\0" * zeros + compress(b"wo\nthree\n") + b"\0" * zeros
    assert documents(padded, f"a.txt{ending}") == [b"one two", b"three"]


@pytest.mark.parametrize("ending", COMPRESSED)
@pytest.mark.parametrize("content", [b"\0" * 1000, b"\0" + COMPRESS[".gz"](b"one two\n")])
def test_zeros_before_all_frames_are_damage(ending: str, content: bytes) -> None:
    assert "cannot be decompressed" in sentence(content, f"a.txt{ending}")


@pytest.mark.parametrize("ending", COMPRESSED)
def test_what_follows_the_zeros_must_be_a_frame(ending: str) -> None:
    data = COMPRESS[ending](b"one two\n") + b"\0" * 600
    assert "cannot be decompressed" in sentence(data + b"rubbish rubbish", f"a.txt{ending}")


@pytest.mark.parametrize("ending", COMPRESSED)
def test_many_small_frames(ending: str) -> None:
    data = b"".join(COMPRESS[ending](b"line %d\n" % i) for i in range(3000))
    assert documents(data, f"a.txt{ending}") == [b"line %d" % i for i in range(3000)]


def skippable(content: bytes) -> bytes:
    return struct.pack("<II", 0x184D2A53, len(content)) + content


def test_skippable_frames_are_skipped() -> None:
    one, two = map(COMPRESS[".zst"], (b"one t", b"wo\nthree\n"))
    data = (
        skippable(b"first") + one + skippable(b"") + skippable(bytes(5000)) + two + skippable(one)
    )
    assert documents(data, "a.txt.zst") == [b"one two", b"three"]


def test_skippable_frames_alone_are_an_empty_file() -> None:
    assert read(skippable(b"nothing"), "a.txt.zst")[1].empty_files == 1


@pytest.mark.parametrize("window_log", [10, 27, 28, 31])
def test_every_window_of_zstd(window_log: int) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=window_log, hash_log=10)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = compressor.compress(b"one two\n" * 9000) + compressor.flush()
    assert zstandard.get_frame_parameters(data).window_size == 1 << window_log
    assert documents(data, "a.txt.zst") == [b"one two"] * 9000


def test_too_little_memory_for_a_window_is_not_called_damage(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=31, hash_log=10)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    path = tmp_path / "a.txt.zst"
    path.write_bytes(compressor.compress(b"one two\n" * 9000) + compressor.flush())
    script = (
        "import resource, sys, zstandard\n"
        "from components.text_example_gen import decompressing\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1500 << 20, 1500 << 20))\n"
        "try:\n"
        "    list(decompressing.decompressed(open(sys.argv[1], 'rb'), 'a.txt.zst'))\n"
        "except Exception as error:\n"
        "    print(error)\n"
    )
    folder = Path(decompressing.__file__).parents[2]
    command = [sys.executable, "-c", script, str(path)]
    ended = subprocess.run(command, capture_output=True, check=True, text=True, cwd=folder)
    assert ended.stdout.endswith("not enough memory); give the process more memory\n")
