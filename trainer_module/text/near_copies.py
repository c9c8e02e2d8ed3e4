"""Which documents are copies of each other, but for case, blanks and punctuation.

Copies must not stand on both sides of the split, and each must have draws of its own.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

import numpy as np


class _WordCharacters(dict[int, int]):
    """For str.translate: letters, marks, digits and the underscore stay; others become a blank."""

    def __missing__(self, code_point: int) -> int:
        is_of_word = unicodedata.category(chr(code_point))[0] in "LMN" or code_point == ord("_")
        self[code_point] = code_point if is_of_word else ord(" ")
        return self[code_point]


_WORD_CHARACTERS = _WordCharacters()
# The dashes, quotes and dots of printed English, U+2010 to U+2027 but for U+2017, which has a mark
# in NFKC. Most of a book is ASCII without them.
_PRINTED = re.compile(rb"\xe2\x80[\x90-\x96\x98-\xa7]")
_PRINTED_ALONE = re.compile(rb"(?:%b)*" % _PRINTED.pattern)
# The same for ASCII, with lower case: five times as fast.
_ASCII = bytes(ord(chr(_WORD_CHARACTERS[byte]).lower()) for byte in range(128)).ljust(256, b" ")
# For many documents at once. No UTF-8 holds the byte between them.
_BETWEEN = b"\xff"
_ASCII_BETWEEN = _ASCII[:-1] + _BETWEEN
_OF_ASCII = bytes(range(128))
_CONTINUATIONS = bytes(range(0x80, 0xC0))


def normal_form(document: bytes) -> bytes:
    """Returns what near-copies have in common: their words, case-folded.

    It depends on no setting, so that the split does not move when a tokenizer is chosen.

    Args:
      document: UTF-8.

    Returns:
      Words between single blanks, in Unicode's form NFKC; of a document without a word, what stands
      between blanks.

    >>> normal_form(b"The  CAT, sat!")
    b'the cat sat'
    >>> normal_form("\\uff23\\uff41f\\u00c9".encode()) == normal_form("cafe\\u0301".encode())
    True
    >>> normal_form(b"+ -  +")
    b'+ - +'
    """
    plain = _PRINTED.sub(b" ", document)
    if plain.isascii():
        return b" ".join(plain.translate(_ASCII).split() or document.split())
    text = unicodedata.normalize("NFKC", document.decode()).casefold()
    text = unicodedata.normalize("NFKC", text)  # folding can take a form apart
    return " ".join(text.translate(_WORD_CHARACTERS).split() or text.split()).encode()


def near_copy_hash(document: bytes) -> int:
    """Returns 64 bits that near-copies share, the same on every machine.

    Args:
      document: UTF-8.
    """
    return hash_of(normal_form(document))


def hash_of(form: bytes) -> int:
    """Returns 64 bits of some bytes, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(form, digest_size=8).digest(), "big")


def near_copy_hashes(documents: Sequence[bytes]) -> list[int]:
    """Returns the near_copy_hash of each document: the same, in half of the time.

    Args:
      documents: UTF-8, together some kilobytes, so that caches of a core hold them.
    """
    if not documents:
        return []
    joined = _BETWEEN.join(documents)
    beyond_ascii = joined.translate(None, _OF_ASCII).split(_BETWEEN)
    return [
        hash_of(form if form and _PRINTED_ALONE.fullmatch(beyond) else normal_form(document))
        for document, beyond, form in zip(
            documents, beyond_ascii, _forms_of_ascii(joined), strict=True
        )
    ]


def _forms_of_ascii(joined: bytes) -> list[bytes]:
    """The normal form of each document that holds ASCII and printed signs alone; b"" for no word.

    Args:
      joined: documents with _BETWEEN between them.
    """
    # A sign of printed English becomes one blank: of its three bytes the first one.
    characters = np.frombuffer(joined.translate(_ASCII_BETWEEN, _CONTINUATIONS), np.uint8)
    is_blank = characters == ord(" ")
    kept = ~is_blank
    kept[1:] |= ~is_blank[:-1]  # and of several blanks the first
    return [form.strip() for form in characters[kept].tobytes().split(_BETWEEN)]
