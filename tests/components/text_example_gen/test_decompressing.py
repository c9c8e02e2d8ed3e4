import gzip
import random
import re

import pytest

from components.text_example_gen import files
from components.text_example_gen.reading import ReadingCounts
from tests.components.text_example_gen.reading_bytes import COMPRESS, documents, read, sentence

# Those that are compressed: "" is among the keys of COMPRESS too.
COMPRESSED = [ending for ending in COMPRESS if ending]


def test_every_ending_is_tested() -> None:
    assert list(files.COMPRESSIONS) == COMPRESSED


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
