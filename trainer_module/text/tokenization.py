"""Text to tokens, in TensorFlow ops: the same in Transform, in evaluation and in serving."""

import tensorflow as tf

from trainer_module.hyperparameters import Tokenizer

# Letters, combining marks, digits and the underscore make words (the classes that Unicode's
# annex 29 never breaks between); an apostrophe does inside one ("don't"), other signs do not.
_NOT_IN_WORDS = r"[^\p{L}\p{M}\p{N}_']+"
_APOSTROPHES = "[\u2019\u02bc]"  # the typographic one and the letter
_OUTER_APOSTROPHES = r"(?:^| )'+|'+(?: '*|$)"


def normalize(text: tf.Tensor, tokenizer: Tokenizer) -> tf.Tensor:
    """Brings text to the form in which its tokens stand between blanks.

    Args:
      text: `[...]` UTF-8 strings.
      tokenizer: `unicode_words` or `whitespace`.

    Returns:
      `[...]` strings.
    """
    if tokenizer == "whitespace":
        return text
    lowered = tf.strings.lower(text, encoding="utf-8")
    words = tf.strings.regex_replace(lowered, _APOSTROPHES, "'")
    words = tf.strings.regex_replace(words, _NOT_IN_WORDS, " ")
    return tf.strings.regex_replace(words, _OUTER_APOSTROPHES, " ")


def tokenize(text: tf.Tensor, tokenizer: Tokenizer) -> tf.RaggedTensor:
    """Splits documents into tokens.

    Args:
      text: `[batch]` UTF-8 strings.
      tokenizer: `unicode_words`: runs of letters, marks, digits and underscores, lower-cased, with
        apostrophes inside a word; `whitespace`: what stands between ASCII blanks, as it is.

    Returns:
      `[batch, (tokens)]` strings, none of them empty.

    >>> documents = tf.constant(["The quick, brown fox!", "Don't 'quote' e-mail", ""])
    >>> tokenize(documents, "unicode_words").to_list()
    [[b'the', b'quick', b'brown', b'fox'], [b"don't", b'quote', b'e', b'mail'], []]
    >>> tokenize(documents, "whitespace").to_list()
    [[b'The', b'quick,', b'brown', b'fox!'], [b"Don't", b"'quote'", b'e-mail'], []]
    """
    return tf.strings.split(normalize(text, tokenizer))
