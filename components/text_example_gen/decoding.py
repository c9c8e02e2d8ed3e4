"""From blocks of a file's content to blocks of UTF-8.

A byte order mark tells UTF-16 and UTF-32. Without one the first block is checked: it is UTF-8 with
few faults, or it is refused.
"""

import codecs
from collections.abc import Iterable, Iterator

from components.text_example_gen.unmarked_encoding import unmarked_encoding
from trainer_module.errors import InputError

_BLANKS = b" \t\n\r\x0b\x0c"
# French in Latin-1 has 4 % of bytes that are no UTF-8 and is worth reading; the same text in
# UTF-16, a program or an image have half and more.
_MAX_NO_TEXT = 0.3
_CONTROLS = bytes(byte for byte in (*range(32), 127) if byte not in _BLANKS)

# UTF-32 first: the mark of its little-endian form begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}

# No UTF-8 holds the byte FF. Each malformed unit becomes one, so what replaces and counts faults
# of UTF-8 does the same for those of UTF-16 and UTF-32. "surrogateescape" spells it U+DCFF.
_MALFORMED = "text_example_gen.malformed"
codecs.register_error(_MALFORMED, lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]


def split_mark(block: bytes) -> tuple[str, bytes]:
    r"""Returns the encoding that the first bytes of a file tell, and the bytes without the mark.

    >>> split_mark("é".encode("utf-16"))
    ('utf-16-le', b'\xe9\x00')
    """
    for mark, encoding in _MARKS.items():
        if block.startswith(mark):
            return encoding, block.removeprefix(mark)
    return "utf-8", block


def utf8_blocks(blocks: Iterable[bytes], encoding: str, name: str) -> Iterator[bytes]:
    """Yields the content as UTF-8, in blocks that are not empty.

    Args:
      blocks: the content without a byte order mark.
      encoding: what split_mark said. What claims to be UTF-8 is yielded as it is, faults included.
      name: the file's, for errors.

    Raises:
      InputError: the first block is not text.
    """
    recoded = blocks if encoding == "utf-8" else _recoded(blocks, encoding)
    for number, block in enumerate(filter(None, recoded)):
        if number == 0:
            check_is_text(block, name)
        yield block


def _recoded(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors=_MALFORMED)
    for block in blocks:
        yield decoder.decode(block).encode(errors="surrogateescape")
    yield decoder.decode(b"", final=True).encode(errors="surrogateescape")


def check_is_text(block: bytes, name: str) -> None:
    """Checks the first bytes of a file.

    Raises:
      InputError: they are UTF-16 or UTF-32, or more than 30 % of them are control characters or
        not UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
    valid = len(decoder.decode(block).encode())
    cut_by_end = len(decoder.getstate()[0])  # the first bytes of a character that goes on
    invalid = len(block) - valid - cut_by_end
    controls = len(block) - len(block.translate(None, _CONTROLS))
    no_text = (invalid + controls) / len(block)
    is_text = no_text <= _MAX_NO_TEXT
    if encoding := unmarked_encoding(block, invalid / len(block), is_text=is_text):
        raise InputError(
            f"{name!r} looks like {encoding} without a byte order mark; convert it to UTF-8"
            f" (iconv -f {encoding} -t UTF-8)"
        )
    if not is_text:
        raise InputError(
            f"{name!r} is not UTF-8 text: {no_text:.0%} of its first {len(block)} bytes are control"
            " characters or invalid; leave it out, or convert it (iconv -t UTF-8)"
        )
