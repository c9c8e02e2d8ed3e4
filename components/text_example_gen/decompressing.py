"""From the bytes of a file as they are stored to blocks of its content.

Generators in constant memory, however much a few bytes unpack to. Nothing here knows of Beam.
"""

import bz2
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from components.text_example_gen import files
from trainer_module.errors import InputError

if TYPE_CHECKING:
    import zstandard

BLOCK_BYTES = 1 << 18
_READ_BYTES = 1 << 14
# zstandard has no limit for what one call unpacks. Its blocks take 4 bytes or more and unpack to
# 128 KiB or less: 256 bytes to 8 MiB.
_ZSTD_BITE_BYTES = 1 << 8
# zstd --long=31, the longest. It takes memory only as far as the content fills it.
_ZSTD_WINDOW_BYTES = 1 << 31


class Readable(Protocol):
    """A file opened for reading bytes."""

    def read(self, size: int, /) -> bytes:
        """Returns up to `size` bytes, and none only at the end."""


class _Format(NamedTuple):
    """How a kind of frames is unpacked.

    open: called for each file, returns what makes a decompressor of one frame.
    unpack: yields what bytes of a frame unpack to, in blocks that are bounded.
    bite_bytes: how many bytes to unpack at a time.
    """

    open: Callable[[], Callable[[], Any]]
    unpack: Callable[[Any, bytes], Iterator[bytes]]
    bite_bytes: int


def _gzip() -> Callable[[], "zlib._Decompress"]:
    return lambda: zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)  # 16: with a gzip header


def _unpack_gzip(frame: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while data and not frame.eof:
        yield frame.decompress(data, BLOCK_BYTES)
        data = frame.unconsumed_tail


def _bzip2() -> Callable[[], bz2.BZ2Decompressor]:
    return bz2.BZ2Decompressor


def _unpack_bzip2(frame: bz2.BZ2Decompressor, data: bytes) -> Iterator[bytes]:
    yield frame.decompress(data, BLOCK_BYTES)
    while not (frame.eof or frame.needs_input):
        yield frame.decompress(b"", BLOCK_BYTES)


def _zstd() -> Callable[[], "zstandard.ZstdDecompressionObj"]:
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj


def _unpack_zstd(frame: "zstandard.ZstdDecompressionObj", data: bytes) -> Iterator[bytes]:
    yield frame.decompress(data)


_FORMATS = {
    ".gz": _Format(_gzip, _unpack_gzip, _READ_BYTES),
    ".bz2": _Format(_bzip2, _unpack_bzip2, _READ_BYTES),
    ".zst": _Format(_zstd, _unpack_zstd, _ZSTD_BITE_BYTES),
}


def decompressed(file: Readable, name: str) -> Iterator[bytes]:
    """Yields the content of a file in blocks of any size up to a few MiB.

    Several frames are read as one. Zeros after a frame are passed over, as gzip does: a tape pads
    its blocks with them.

    Raises:
      InputError: the compressed data is damaged or incomplete.
    """
    ending = files.compression(name)
    if not ending:
        yield from iter(partial(file.read, BLOCK_BYTES), b"")
        return
    open_file, unpack, bite_bytes = _FORMATS[ending]
    new = open_file()
    frame = None
    for bite in _bites(file, bite_bytes):
        while bite := bite.lstrip(b"\0") if frame is not None and frame.eof else bite:
            if frame is None or frame.eof:
                frame = new()
            yield from _checked(unpack(frame, bite), name)
            bite = frame.unused_data
    if frame is not None and not frame.eof:
        raise _damaged(name, "its end is missing")


def _bites(file: Readable, size: int) -> Iterator[bytes]:
    for block in iter(partial(file.read, _READ_BYTES), b""):
        for start in range(0, len(block), size):
            yield block[start : start + size]


def _checked(blocks: Iterator[bytes], name: str) -> Iterator[bytes]:
    try:
        yield from blocks
    except MemoryError:
        raise
    except Exception as error:  # each module has an exception of its own for damaged data
        raise _damaged(name, str(error)) from error


def _damaged(name: str, reason: str) -> InputError:
    ending = files.compression(name)
    # zstd's word where there is no room for the window of a frame.
    out_of_memory = "not enough memory" in reason
    advice = "give the process more memory" if out_of_memory else "fetch or compress it again"
    return InputError(f"{name!r} cannot be decompressed as {ending} ({reason}); {advice}")


def in_blocks(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yields the same bytes in blocks of `size` bytes; only the last may be smaller."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)
