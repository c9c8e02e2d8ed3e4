"""Text to tokens, in TensorFlow ops: the same in Transform, in evaluation and in serving."""

import functools
from collections.abc import Callable

import tensorflow as tf

from trainer_module.text import unicode, unicode_tables, words
from trainer_module.text.unicode import Characters
from trainer_module.text.words import Tokenization

# Small letters that neither a normalization form nor lower case changes: those of Latin-1, and the
# French oe. Where a mark follows one, the text is not plain, as no mark is among what is.
_SMALL_LETTERS = r"\x{df}-\x{f6}\x{f8}-\x{ff}\x{153}"
# ASCII, those, and what printed English has beside them: quotes, dashes, the ellipsis, currencies.
_PLAIN_WORDS = (
    rf"[\x00-\x7f\x{{a0}}-\x{{a9}}{_SMALL_LETTERS}\x{{2010}}-\x{{2026}}\x{{2e3a}}\x{{2e3b}}]*"
)
_ASCII = r"[\x00-\x7f]*"
_APOSTROPHE = "\u2019"
_IN_PLAIN_WORDS = rf"a-z0-9_{_SMALL_LETTERS}"
# All but words and the blanks between them. Apostrophes stand outside of words at their beginning,
# with what is before them, and at their end, with what is behind them and the next word's own. Most
# of what this does not match are blanks: to replace each of those takes three times as long.
_NOT_IN_PLAIN_WORDS = (
    rf"(?:^|[^{_IN_PLAIN_WORDS}']+)'+|'+(?:[^{_IN_PLAIN_WORDS}']+'*|$)|[^{_IN_PLAIN_WORDS}' ]+"
)
_BLANK, _GERSHAYIM = ord(" "), ord(words.GERSHAYIM)
_OTHER = unicode_tables.bits(words.OTHER)


def normalize(text: tf.Tensor, tokenization: Tokenization) -> tf.Tensor:
    """Brings text to the form in which its tokens stand between blanks.

    Args:
      text: `[batch]` UTF-8 strings. Bytes that are not UTF-8 become U+FFFD or stay as they are.
      tokenization: words.py says what it makes of text.

    Returns:
      `[batch]` strings.
    """
    if tokenization == ("whitespace", "none"):
        return text
    of_words = tokenization.tokenizer == "unicode_words"
    is_plain = tf.strings.regex_full_match(text, _PLAIN_WORDS if of_words else _ASCII)
    plain_rows, other_rows = (
        tf.cast(tf.where(rows)[:, 0], tf.int32) for rows in (is_plain, ~is_plain)
    )
    plain, other = tf.gather(text, plain_rows), tf.gather(text, other_rows)
    plain = _plain_words(plain) if of_words else plain
    found = tf.cond(tf.size(other) > 0, lambda: _other(tokenization)(other), lambda: other)
    return tf.dynamic_stitch([plain_rows, other_rows], [plain, found])


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
    blanks = " " if tokenization.tokenizer == "unicode_words" else words.BLANKS
    # As tf.strings.split does, in half of the time.
    split = tf.raw_ops.StringSplit(input=normalize(text, tokenization), delimiter=blanks)
    return tf.RaggedTensor.from_value_rowids(
        split.values, split.indices[:, 0], nrows=split.shape[0], validate=False
    )


def _plain_words(text: tf.Tensor) -> tf.Tensor:
    """As _words does, faster."""
    found = tf.strings.lower(text)  # of ASCII alone, whatever the locale
    found = tf.strings.regex_replace(found, _APOSTROPHE, "'")
    return tf.strings.regex_replace(found, _NOT_IN_PLAIN_WORDS, " ")


@functools.cache
def _other(tokenization: Tokenization) -> Callable[[tf.Tensor], tf.Tensor]:
    """normalize, of any text, by code points.

    A function of its own, which is traced once in a process: Transform traces its preprocessing
    five times, and the ops of this are most of it. A concrete one, as TensorFlow traces any other
    anew while it saves a model.
    """
    tokenizer, normalization = tokenization
    of_words = tokenizer == "unicode_words"

    def by_code_points(text: tf.Tensor) -> tf.Tensor:
        characters = unicode.normalized(unicode.decode(text), normalization, fold=of_words)
        return unicode.encode(_words(characters) if of_words else characters, tf.size(text))

    signature = [tf.TensorSpec([None], tf.string)]
    function = tf.function(by_code_points, input_signature=signature, autograph=False)
    traced: Callable[[tf.Tensor], tf.Tensor] = function.get_concrete_function()
    return traced


def _words(characters: Characters) -> Characters:
    """Replaces what is not in words by blanks, and drops loose marks and joiners.

    The steps are those of words.tokens.
    """
    characters = characters.where(~_is_loose_mark(_classes(characters)))
    characters = characters.where(~_is_loose_joiner(characters))
    classes = _classes(characters)
    in_words = _is_in_words(classes)
    points = tf.where(in_words & _is(classes, words.QUOTE), _GERSHAYIM, characters.points)
    return characters._replace(points=tf.where(in_words, points, _BLANK))


def _classes(characters: Characters) -> tf.Tensor:
    return unicode.lookup(unicode_tables.word_classes(), characters.points)


def _is(classes: tf.Tensor, some: str) -> tf.Tensor:
    """Which are one of some classes."""
    return tf.bitwise.bitwise_and(classes, unicode_tables.bits(some)) > 0


def _after(classes: tf.Tensor) -> tf.Tensor:
    """Of each character the class of the one after it."""
    return tf.concat([classes[1:], [_OTHER]], 0)


def _last_where(wanted: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """Of each character the class of the last wanted one, itself or before it."""
    found = tf.concat([[_OTHER], *unicode.all_where(wanted, classes)], 0)
    return tf.gather(found, tf.cumsum(tf.cast(wanted, tf.int32)))


def _is_loose_mark(classes: tf.Tensor) -> tf.Tensor:
    attached = _is(classes, words.MARKS + words.JOINER)
    return attached & ~_is(_last_where(~attached, classes), words.BASES)


def _is_loose_joiner(characters: Characters) -> tf.Tensor:
    classes = _classes(characters)
    goes_on = _is(_after(classes), words.BASES + words.MARKS)
    spells = _is(unicode.before(classes, _OTHER), words.VIRAMA) & tf.equal(
        characters.points, ord(words.ZERO_WIDTH_JOINER)
    )
    return _is(classes, words.JOINER) & ~goes_on & ~spells


def _is_in_words(classes: tf.Tensor) -> tf.Tensor:
    attached = words.MARKS + words.JOINER
    base_before = unicode.before(_last_where(~_is(classes, attached), classes), _OTHER)
    following, letters = _after(classes), words.LETTER + words.HEBREW
    dots = _is(classes, words.MIDDLE_DOT) & _is(base_before, letters) & _is(following, letters)
    hebrew = _is(base_before, words.HEBREW) & _is(following, words.HEBREW)
    quotes = _is(classes, words.QUOTE) & hebrew
    return _is(classes, words.BASES + attached) | dots | quotes | _is_inner_apostrophe(classes)


def _is_inner_apostrophe(classes: tf.Tensor) -> tf.Tensor:
    """Apostrophes, or runs of them, that have a word on both sides."""
    apostrophes = _is(classes, words.APOSTROPHE)
    [others] = unicode.all_where(~apostrophes, classes)
    row = tf.cumsum(tf.cast(~apostrophes, tf.int32))
    around = tf.concat([[_OTHER], others, [_OTHER]], 0)
    before = _is(tf.gather(around, row), words.BASES + words.MARKS + words.JOINER)
    return apostrophes & before & _is(tf.gather(around, row + 1), words.BASES)
