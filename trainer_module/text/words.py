r"""What a word is: classes of characters, and the tokeniser in plain Python.

The command line looks words up by it, as TensorFlow takes ten seconds to import. The graph of
tokenization.py uses the same classes, and the tests hold the two to the same tokens.

Words are those of Unicode's annex 29, where a reader would see the same:

- Letters, digits and connectors such as the underscore make words. A mark counts only after one of
  them, so neither an emoji's variation selector nor a mark that stands alone is a token.
- Characters that nobody sees are dropped, and do not cut: the soft hyphen, variation selectors,
  U+2060, U+FEFF, direction marks. U+200B, which says where a line may break, cuts.
- So are marks that enclose: the keycap 1 U+FE0F U+20E3 is the token `1`.
- The joiners U+200C and U+200D stay within a word, as Persian, Hindi and Sinhala spell by them, and
  are dropped elsewhere. U+200D also stays at the end after a virama, where it spells a letter of
  Malayalam.
- Apostrophes stay inside a word, and are all written `'`. A middle dot stays between letters, as in
  Catalan `l·l`. A double quote between Hebrew letters is gershayim, and is written so.
- Full stops, colons and hyphens cut, unlike in the annex.

>>> tokens("Don\u2019t e-mail 3.5 co\u00adoperate 1\ufe0f\u20e3 ❤\ufe0f", Tokenization())
["don't", 'e', 'mail', '3', '5', 'cooperate', '1']
"""

import json
import re
import unicodedata
from typing import NamedTuple, Self

from trainer_module.hyperparameters import (
    Normalization,
    PreprocessingHyperparameters,
    Tokenizer,
)

TOKENIZATION_FILE = "tokenization.json"

# Classes of characters, each a letter, so that the grammar of words is a regular expression.
CLASSES = "OLHDMVJAPQ"
OTHER, LETTER, HEBREW, DIGIT, MARK, VIRAMA, JOINER, APOSTROPHE, MIDDLE_DOT, QUOTE = list(CLASSES)
BASES, MARKS = LETTER + HEBREW + DIGIT, MARK + VIRAMA

ZERO_WIDTH_JOINER, GERSHAYIM = "\u200d", "\u05f4"
BLANKS = " \t\n\v\f\r"  # of ASCII
_OWN_CLASSES = {
    **dict.fromkeys("\u200c\u200d", JOINER),
    "'": APOSTROPHE,
    # Annex 29 has them as MidLetter; but for the colons, which cut here.
    **dict.fromkeys("\u00b7\u0387\u055f\u2027\u05f4", MIDDLE_DOT),
    '"': QUOTE,
    "\u05f3": MARK,  # geresh, which belongs to the letter before it
}
_APOSTROPHES = dict.fromkeys(map(ord, "\u2019\u02bc"), "'")  # the typographic one and the letter
# Unicode's Default_Ignorable_Code_Point as far as assigned, without U+200B and the joiners.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200e\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0001\U000e0020-\U000e007f\U000e0100-\U000e01ef]"
)
# A base with its marks; Hebrew ones are joined by gershayim, letters by middle dots.
_UNIT = "(?:H[MVJ]*(?:QH[MVJ]*)*|L[MVJ]*)"
_CHAIN = f"(?:{_UNIT}(?:P{_UNIT})*|D[MVJ]*)"
_WORD = re.compile(f"{_CHAIN}(?:A*{_CHAIN})*")


class Tokenization(NamedTuple):
    """How a model makes tokens of text."""

    tokenizer: Tokenizer = "unicode_words"
    normalization: Normalization = "nfc"

    @classmethod
    def of(cls, preprocessing: PreprocessingHyperparameters) -> Self:
        """The one that is configured."""
        return cls(preprocessing.tokenizer, preprocessing.normalization)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Reads what to_json wrote."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """The content of the file beside exported vectors."""
        return json.dumps(self._asdict(), indent=2) + "\n"


def class_of(character: str) -> str:
    """The class of a character, one of the letters above."""
    own = _OWN_CLASSES.get(character)
    if own:
        return own
    category = unicodedata.category(character)
    if category[0] == "M":
        return VIRAMA if unicodedata.combining(character) == 9 else MARK
    if category[0] == "L":
        return HEBREW if unicodedata.name(character, "").startswith("HEBREW LETTER") else LETTER
    return DIGIT if category[0] == "N" or category == "Pc" else OTHER


def is_dropped(character: str) -> bool:
    """Whether a character is no part of words and does not cut them either."""
    return bool(_IGNORABLE.match(character)) or unicodedata.category(character) == "Me"


def normalized(text: str, normalization: Normalization) -> str:
    """Text in one of Unicode's normalization forms."""
    if normalization == "none":
        return text
    return unicodedata.normalize("NFC" if normalization == "nfc" else "NFKC", text)


def folded(text: str, normalization: Normalization) -> str:
    """Text without what is dropped, in lower case, normalised, with one kind of apostrophe."""
    seen = "".join(c for c in normalized(text, normalization) if not is_dropped(c))
    return normalized(seen.lower().translate(_APOSTROPHES), normalization)


def tokens(text: str, tokenization: Tokenization) -> list[str]:
    """The tokens of a text, as the graph of tokenization.py makes them."""
    tokenizer, normalization = tokenization
    if tokenizer == "whitespace":
        found = re.split(f"[{BLANKS}]+", normalized(text, normalization))
        return [token for token in found if token]
    text = _without_loose_joiners(_without_loose_marks(folded(text, normalization)))
    classes = "".join(map(class_of, text))
    spans = (match.span() for match in _WORD.finditer(classes))
    return [text[start:end].replace('"', GERSHAYIM) for start, end in spans]


def _without_loose_marks(text: str) -> str:
    """Drops marks and joiners that come after neither a base nor its marks."""
    kept, of_word = [], False
    for character in text:
        found = class_of(character)
        if found not in MARKS + JOINER:
            of_word = found in BASES
        elif not of_word:
            continue
        kept.append(character)
    return "".join(kept)


def _without_loose_joiners(text: str) -> str:
    """Drops joiners that nothing of the word comes after."""
    classes = "".join(map(class_of, text)) + OTHER
    return "".join(
        character
        for row, character in enumerate(text)
        if classes[row] != JOINER
        or classes[row + 1] in BASES + MARKS
        or (character == ZERO_WIDTH_JOINER and classes[row - 1] == VIRAMA)
    )
