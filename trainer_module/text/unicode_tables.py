"""Unicode's tables as arrays, from Python's own, for the ops of unicode.py."""

import functools
import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trainer_module.hyperparameters import Normalization, Tokenizer
from trainer_module.text import words

Int32s = npt.NDArray[np.int32]

ALL = 0x110000
BLOCK = 256
NONE = -1
NOT_ONE = -ALL  # leads below zero from any code point
_UNASSIGNED = ("Cn", "Co", "Cs")
# The first part of a pair stands above the bits of the second.
PAIR_SHIFT = 21


class Property(NamedTuple):
    """A number for each code point: the blocks that differ, and which block is whose."""

    block_of: Int32s
    values: Int32s


class Mapping(NamedTuple):
    """What each code point becomes, decomposed: a single one, or some, or nothing."""

    step: Property  # to the one that it becomes, composed again; NOT_ONE if that is none or some
    span: Property  # start and length in the pool, as start * 32 + length; NONE: itself
    pool: Int32s


class Compositions(NamedTuple):
    """Pairs of code points that compose, sorted, and what they become."""

    pairs: npt.NDArray[np.int64]
    composed: Int32s


def prepare(tokenizer: Tokenizer, normalization: Normalization) -> None:
    """Makes the tables that a tokenization goes by, for all processes forked from this one.

    They take most of a second. What has no use for them, ASCII text, is known too late.
    """
    if (tokenizer, normalization) == ("whitespace", "none"):
        return
    mapping(normalization, fold=tokenizer == "unicode_words")
    for table in (compositions, marks, sigma_contexts, word_classes):
        table()


@functools.cache
def mapping(normalization: Normalization, *, fold: bool) -> Mapping:
    """What text is brought to before its marks are ordered and composed.

    Args:
      normalization: by which code points are decomposed.
      fold: whether to drop what is no part of words, to lower-case and to write one kind of
        apostrophe. A capital sigma is left: its lower case depends on where it stands.
    """
    step, span = np.zeros(ALL, np.int32), np.full(ALL, NONE, np.int32)
    pool = [0]
    for point in assigned():
        found = _decomposed(chr(point), normalization, fold=fold)
        if found == chr(point):
            continue
        composed = words.normalized(found, "none" if normalization == "none" else "nfc")
        step[point] = ord(composed) - point if len(composed) == 1 else NOT_ONE
        span[point] = len(pool) * 32 + len(found)
        pool += map(ord, found)
    return Mapping(_in_blocks(step), _in_blocks(span), np.array(pool, np.int32))


def _decomposed(character: str, normalization: Normalization, *, fold: bool) -> str:
    def decompose(text: str) -> str:
        if normalization == "none":
            return text
        return unicodedata.normalize("NFKD" if normalization == "nfkc" else "NFD", text)

    if not fold:
        return decompose(character)
    parts = decompose(character)
    return "".join("Σ" if c == "Σ" else decompose(words.folded(c, "none")) for c in parts)


@functools.cache
def assigned() -> Sequence[int]:
    """The code points that Unicode has given a meaning."""
    return [c for c in range(ALL) if unicodedata.category(chr(c)) not in _UNASSIGNED]


@functools.cache
def marks() -> Property:
    """What ordering and composing go by, as combining class + 256 * last class + 65536 * second.

    The combining class is 0 for a starter. The last class is that of the last part of what is
    composed, and equals it for all else. `second` is 1 for what may compose with what is before it.
    """
    seconds = set((compositions().pairs & ((1 << PAIR_SHIFT) - 1)).tolist())

    def facts(character: str) -> int:
        last = unicodedata.combining(unicodedata.normalize("NFD", character)[-1])
        return unicodedata.combining(character) + (last << 8) + ((ord(character) in seconds) << 16)

    return _property(facts, default=0)


@functools.cache
def word_classes() -> Property:
    """The classes of words.py, each as a bit."""
    return _property(lambda character: bits(words.class_of(character)), default=0)


def bits(classes: str) -> int:
    """Some classes of words.py, each as a bit; OTHER has none."""
    return sum(1 << words.CLASSES.index(each) for each in classes if each != words.OTHER)


@functools.cache
def sigma_contexts() -> Property:
    """Around a sigma: 2 for what is skipped, 1 for a cased letter, else 0. Python's lower says."""

    def context(character: str) -> int:
        def is_final(before: str) -> bool:
            return f"{before}Σ".lower()[-1] == "ς"

        return 1 if is_final(character) else 2 * is_final(f"a{character}")

    return _property(context, default=0)


@functools.cache
def compositions() -> Compositions:
    """Those of Unicode's canonical composition, Hangul's among them."""
    found = {}
    for point in assigned():
        parts = unicodedata.normalize("NFD", chr(point))
        if len(parts) > 1 and unicodedata.normalize("NFC", parts) == chr(point):
            first = unicodedata.normalize("NFC", parts[:-1])
            found[ord(first) << PAIR_SHIFT | ord(parts[-1])] = point
    pairs = sorted(found)
    return Compositions(
        np.array(pairs, np.int64), np.array([found[pair] for pair in pairs], np.int32)
    )


def _property(value: Callable[[str], int], *, default: int) -> Property:
    values = np.full(ALL, default, np.int32)
    for point in assigned():
        values[point] = value(chr(point))
    return _in_blocks(values)


def _in_blocks(values: Int32s) -> Property:
    """Blocks that are equal are kept once: most of Unicode is empty or Chinese."""
    rows: dict[bytes, int] = {}
    blocks = [row.tobytes() for row in values.reshape(-1, BLOCK)]
    block_of = [rows.setdefault(block, len(rows)) for block in blocks]
    return Property(np.array(block_of, np.int32), np.frombuffer(b"".join(rows), np.int32))
