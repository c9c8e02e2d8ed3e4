"""From the bytes of a file as they are stored to blocks of its content.

Generators in constant memory. Nothing here knows of Beam.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Protocol

from components.text_example_gen import files
from trainer_module.errors import InputError

BLOCK_BYTES = 1 << 18
# Compressed bytes are taken in small bites: 4 KiB of zstd or bzip2 can unpack to 100 MB.
_BITE_BYTES = 1 << 12


class Readable(Protocol):
    """A file opened for reading bytes."""

    def read(self, size: int, /) -> bytes:
        """Returns up to `size` bytes, and none only at the end."""


def decompressed(file: Readable, name: str) -> Iterator[bytes]:
    """Yields the content of a file in blocks of any size; several frames are read as one.

    Raises:
      InputError: the compressed data is damaged or incomplete.
    """
    new = files.COMPRESSIONS.get(files.compression(name))
    if new is None:
        yield from iter(partial(file.read, BLOCK_BYTES), b"")
        return
    decompressor = None
    for bite in iter(partial(file.read, _BITE_BYTES), b""):
        while bite:
            if decompressor is None or decompressor.eof:
                decompressor = new()
            yield _decompress(decompressor, bite, name)
            bite = decompressor.unused_data
    if decompressor is not None and not decompressor.eof:
        raise _damaged(name, "its end is missing")


def _decompress(decompressor: files.Decompressor, data: bytes, name: str) -> bytes:
    try:
        return decompressor.decompress(data)
    except Exception as error:  # each module has an exception of its own for damaged data
        raise _damaged(name, str(error)) from error


def _damaged(name: str, reason: str) -> InputError:
    ending = files.compression(name)
    return InputError(
        f"{name!r} cannot be decompressed as {ending} ({reason}); fetch or compress it again"
    )


def merged(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yields the same bytes in blocks of at least `size` bytes; only the last is smaller."""
    held: list[bytes] = []
    length = 0
    for block in blocks:
        held.append(block)
        length += len(block)
        if length >= size:
            yield b"".join(held)
            held, length = [], 0
    if length:
        yield b"".join(held)
