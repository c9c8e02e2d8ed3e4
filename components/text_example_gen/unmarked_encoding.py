"""Tells UTF-16 and UTF-32 that no byte order mark names from UTF-8.

English in UTF-16 is half zeros, which is easy. But in Japanese the faults are few, and Hindi is
even valid UTF-8: its high bytes are tabs. Good UTF-8 is never taken for either, with zeros in it
or without: it has no faults, and no tab at every other place.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable

# The share of faults from which bytes may be something else than UTF-8.
_MIN_INVALID = 0.05
_ENCODINGS = ("UTF-32LE", "UTF-32BE", "UTF-16LE", "UTF-16BE")

_BLANKS = " \t\n\r"
_LATIN = [chr(code) for code in range(256)]
# Controls, and code points without a character. Text read in the wrong encoding is full of them.
_STRANGE = ("Cc", "Cn", "Co", "Cs")
_MAX_STRANGE = 0.01
# Where no blank tells: a single word of ASCII, or Japanese.
_MIN_LATIN = 0.9
_KANA = [chr(code) for code in range(0x3040, 0x3100)]
_MIN_KANA = 0.25
# The scripts whose high byte is a blank, from Devanagari to Sinhala.
_INDIC = [chr(code) for code in range(0x0900, 0x0E00)]
_MIN_INDIC = 0.4  # of all characters; the rest is blanks, digits, Latin words
_MIN_BLANKS = 0.25  # of that rest
_MIN_PAIRED = 0.9  # of the zeros are high bytes


def unmarked_encoding(block: bytes, invalid: float, *, is_text: bool) -> str | None:
    r"""Returns "UTF-16LE", "UTF-16BE", "UTF-32LE" or "UTF-32BE", or None for anything else.

    Args:
      block: the first bytes of a file.
      invalid: which part of them is not UTF-8.
      is_text: whether they pass for UTF-8 with some faults and control characters.

    >>> unmarked_encoding(b"a\0b\0", 0.0, is_text=False)
    'UTF-16LE'
    >>> unmarked_encoding(b"alpha beta\0gamma", 0.0, is_text=True) is None
    True
    """
    faulty = not is_text or invalid >= _MIN_INVALID
    if not faulty and b"\0" not in block:
        return None
    known = [
        (_count(characters, _LATIN), encoding)
        for encoding in _ENCODINGS
        if (characters := _characters(block, encoding))
        and (_has_evidence(characters) if faulty else _is_indic(characters, block.count(b"\0")))
    ]
    return max(known)[1] if known else None


def _characters(block: bytes, encoding: str) -> Counter[str]:
    """Returns how often `block` holds each character; none if they make no sense."""
    size = int(encoding[4:6]) // 8
    text = block[: len(block) // size * size].decode(encoding, errors="replace")
    characters = Counter(text)
    strange = _count(characters, filter(_is_strange, characters))
    return characters if strange <= _MAX_STRANGE * len(text) else Counter()


def _is_strange(character: str) -> bool:
    if character in _BLANKS:
        return False
    return character == "\ufffd" or unicodedata.category(character) in _STRANGE


def _has_evidence(characters: Counter[str]) -> bool:
    total = characters.total()
    return (
        _count(characters, _BLANKS) > 0
        or _count(characters, _LATIN) >= _MIN_LATIN * total
        or _count(characters, _KANA) >= _MIN_KANA * total
    )


def _is_indic(characters: Counter[str], zeros: int) -> bool:
    rest = characters.total() - (indic := _count(characters, _INDIC))
    return (
        indic >= _MIN_INDIC * characters.total()
        and _count(characters, _BLANKS) >= _MIN_BLANKS * rest
        and _count(characters, _LATIN) >= _MIN_PAIRED * zeros
    )


def _count(characters: Counter[str], some: Iterable[str]) -> int:
    return sum(characters[each] for each in some)
