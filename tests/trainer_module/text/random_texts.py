# ruff: noqa: RUF001  (letters of other alphabets are meant)
"""Texts of characters that are hard on a tokeniser."""

import random
import unicodedata

CHARACTERS = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]
# Of words, one of each kind; and what composes, or changes in lower case.
_OF_WORDS = (
    "aZé'\u2019\u02bc\u05d0\u05b0\u05f3\"\u05f4\u00b7\u20273_!- \n\x00\u200b\u200c\u200d\u094d"
    "\u0301\u0323\u0316\u0344\u00ad\ufe0f\u20e3\U000e0101\u0d28\u0130IΣσ日ᄀ\u1161\u11a8가❤1ﬁ"
)
_CHANGING = [
    character
    for character in CHARACTERS
    if unicodedata.decomposition(character)
    or unicodedata.combining(character)
    or character != character.lower()
]
_MARKS = [character for character in CHARACTERS if unicodedata.combining(character)]


def texts(how_many: int, seed: int) -> list[str]:
    """Up to 25 characters each."""
    drawn = random.Random(seed)
    sources = [_OF_WORDS, _OF_WORDS, _CHANGING, _MARKS[:40], "aeiouAEIOU", CHARACTERS[:0x3000]]
    return [
        "".join(drawn.choice(drawn.choice(sources)) for _ in range(drawn.randrange(26)))
        for _ in range(how_many)
    ]
