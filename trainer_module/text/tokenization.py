"""Text to tokens, in TensorFlow ops: the same in Transform, in evaluation and in serving."""

import tensorflow as tf

from trainer_module.text import unicode, unicode_tables, words
from trainer_module.text.unicode import Characters
from trainer_module.text.words import Tokenization

_ASCII = r"[\x00-\x7f]*"
_NOT_IN_ASCII_WORDS = r"[^a-z0-9_']+"
_OUTER_APOSTROPHES = r"(?:^| )'+|'+(?: '*|$)"
_BLANK, _GERSHAYIM = ord(" "), ord(words.GERSHAYIM)


def normalize(text: tf.Tensor, tokenization: Tokenization) -> tf.Tensor:
    """Brings text to the form in which its tokens stand between blanks.

    Args:
      text: `[batch]` UTF-8 strings. Bytes that are not UTF-8 become U+FFFD or stay as they are.
      tokenization: words.py says what it makes of text.

    Returns:
      `[batch]` strings.
    """
    tokenizer, normalization = tokenization
    if tokenizer == "whitespace" and normalization == "none":
        return text
    is_ascii = tf.strings.regex_full_match(text, _ASCII)
    ascii_rows, other_rows = tf.where(is_ascii)[:, 0], tf.where(~is_ascii)[:, 0]
    plain, other = tf.gather(text, ascii_rows), tf.gather(text, other_rows)
    characters = unicode.normalized(
        unicode.decode(other), normalization, fold=tokenizer == "unicode_words"
    )
    if tokenizer == "unicode_words":
        plain, characters = _ascii_words(plain), _words(characters)
    return tf.dynamic_stitch(
        [tf.cast(ascii_rows, tf.int32), tf.cast(other_rows, tf.int32)],
        [plain, unicode.encode(characters, tf.size(other))],
    )


def tokenize(text: tf.Tensor, tokenization: Tokenization) -> tf.RaggedTensor:
    """Splits documents into tokens.

    Args:
      text: `[batch]` UTF-8 strings.
      tokenization: with the tokenizer `unicode_words` words as words.py defines them, in lower
        case; with `whitespace` what stands between ASCII blanks, as it is but for its
        normalization form.

    Returns:
      `[batch, (tokens)]` strings, none of them empty.

    >>> documents = tf.constant(["The quick, brown fox!", "Don't 'quote' e-mail", ""])
    >>> tokenize(documents, Tokenization("unicode_words")).to_list()
    [[b'the', b'quick', b'brown', b'fox'], [b"don't", b'quote', b'e', b'mail'], []]
    >>> tokenize(documents, Tokenization("whitespace")).to_list()
    [[b'The', b'quick,', b'brown', b'fox!'], [b"Don't", b"'quote'", b'e-mail'], []]
    """
    return tf.strings.split(normalize(text, tokenization))


def _ascii_words(text: tf.Tensor) -> tf.Tensor:
    """As _words does, faster."""
    lowered = tf.strings.lower(text)  # of ASCII alone, whatever the locale
    found = tf.strings.regex_replace(lowered, _NOT_IN_ASCII_WORDS, " ")
    return tf.strings.regex_replace(found, _OUTER_APOSTROPHES, " ")


def _words(characters: Characters) -> Characters:
    """Replaces what is not in words by blanks, and drops loose marks and joiners.

    The steps are those of words.tokens.
    """
    characters = characters.where(~_is_loose_mark(_classes(characters)))
    characters = characters.where(~_is_loose_joiner(characters))
    classes = _classes(characters)
    points = tf.where(_is_in_words(classes), characters.points, _BLANK)
    quotes = _is(classes, words.QUOTE) & (points != _BLANK)
    return characters._replace(points=tf.where(quotes, _GERSHAYIM, points))


def _classes(characters: Characters) -> tf.Tensor:
    return unicode.lookup(unicode_tables.word_classes(), characters.points)


def _is(classes: tf.Tensor, some: str) -> tf.Tensor:
    """Which are one of some classes."""
    found = tf.equal(classes, ord(some[0]))
    for other in some[1:]:
        found |= tf.equal(classes, ord(other))
    return found


def _after(values: tf.Tensor, last: int) -> tf.Tensor:
    """Of each element the one after it."""
    return tf.concat([values[1:], tf.constant([last], values.dtype)], 0)


def _last_where(wanted: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """Of each character the class of the last wanted one, itself or before it."""
    found = tf.concat([[ord(words.OTHER)], tf.boolean_mask(classes, wanted)], 0)
    return tf.gather(found, tf.cumsum(tf.cast(wanted, tf.int32)))


def _is_loose_mark(classes: tf.Tensor) -> tf.Tensor:
    attached = _is(classes, words.MARKS + words.JOINER)
    return attached & ~_is(_last_where(~attached, classes), words.BASES)


def _is_loose_joiner(characters: Characters) -> tf.Tensor:
    classes, other = _classes(characters), ord(words.OTHER)
    goes_on = _is(_after(classes, other), words.BASES + words.MARKS)
    spells = _is(unicode.before(classes, other), words.VIRAMA) & tf.equal(
        characters.points, ord(words.ZERO_WIDTH_JOINER)
    )
    return _is(classes, words.JOINER) & ~goes_on & ~spells


def _is_in_words(classes: tf.Tensor) -> tf.Tensor:
    attached = _is(classes, words.MARKS + words.JOINER)
    base_before = unicode.before(_last_where(~attached, classes), ord(words.OTHER))
    following = _after(classes, ord(words.OTHER))
    letters = words.LETTER + words.HEBREW
    dots = _is(classes, words.MIDDLE_DOT) & _is(base_before, letters) & _is(following, letters)
    hebrew = _is(base_before, words.HEBREW) & _is(following, words.HEBREW)
    quotes = _is(classes, words.QUOTE) & hebrew
    return attached | _is(classes, words.BASES) | dots | quotes | _is_inner_apostrophe(classes)


def _is_inner_apostrophe(classes: tf.Tensor) -> tf.Tensor:
    """Apostrophes, or runs of them, that have a word on both sides."""
    apostrophes = _is(classes, words.APOSTROPHE)
    others = tf.boolean_mask(classes, ~apostrophes)
    row = tf.cumsum(tf.cast(~apostrophes, tf.int32))
    around = tf.concat([[ord(words.OTHER)], others, [ord(words.OTHER)]], 0)
    in_word = words.BASES + words.MARKS + words.JOINER
    return (
        apostrophes
        & _is(tf.gather(around, row), in_word)
        & _is(tf.gather(around, row + 1), words.BASES)
    )
