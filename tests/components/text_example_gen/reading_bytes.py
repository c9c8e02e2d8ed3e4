"""The documents of bytes, as of a file of some name."""

import bz2
import functools
import gzip
import io
from collections.abc import Callable

import pytest
import zstandard

from components.text_example_gen import reading
from components.text_example_gen.account import Options, ReadingCounts
from trainer_module.errors import InputError

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    # Of no time: the bytes are in the names of tests, which several processes must know alike.
    ".gz": functools.partial(gzip.compress, mtime=0),
    ".bz2": bz2.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


def read(
    data: bytes, name: str = "a.txt", limit: int = 1000, field: str = "text"
) -> tuple[list[bytes], ReadingCounts]:
    counts = ReadingCounts()
    options = Options(limit, 0.05, columns=(field,))
    return list(reading.read_documents(io.BytesIO(data), name, options, counts)), counts


def documents(data: bytes, name: str = "a.txt", limit: int = 1000) -> list[bytes]:
    return read(data, name, limit)[0]


def sentence(data: bytes, name: str = "a.txt", limit: int = 1000) -> str:
    with pytest.raises(InputError) as caught:
        read(data, name, limit)
    assert "\n" not in str(caught.value)
    return str(caught.value)
