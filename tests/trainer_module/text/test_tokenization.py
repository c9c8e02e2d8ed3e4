import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module.text.tokenization import tokenize


def tokens_of(text: str, tokenizer: str = "unicode_words") -> list[str]:
    [row] = tokenize(tf.constant([text]), tokenizer).to_list()
    return [token.decode() for token in row]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The quick, brown fox!", ["the", "quick", "brown", "fox"]),
        ("Größe ΣΊΣΥΦΟΣ Привет", ["größe", "σίσυφος", "привет"]),
        ("don't o'clock rock\u2019n\u2019roll", ["don't", "o'clock", "rock'n'roll"]),
        ("'quoted' ''twice'' dogs' 'tis", ["quoted", "twice", "dogs", "tis"]),
        ("snake_case x2 3.5 e-mail", ["snake_case", "x2", "3", "5", "e", "mail"]),
        ("e\u0301tude", ["e\u0301tude"]),  # a combining mark stays with its letter
        ("a\u00a0b\u2003c\u2028d", ["a", "b", "c", "d"]),  # Unicode's own blanks
        ("東京 and 大阪", ["東京", "and", "大阪"]),
        ("' '' ' ' !", []),
        ("", []),
    ],
)
def test_unicode_words(text: str, expected: list[str]) -> None:
    if "ΣΊΣΥΦΟΣ" in text:  # the last sigma's form is the lower-casing library's choice
        assert tokens_of(text)[0::2] == expected[0::2]
    else:
        assert tokens_of(text) == expected


def test_whitespace_takes_tokens_as_they_are() -> None:
    text = " B00ABC\titem-2  'Tis\n"
    assert tokens_of(text, "whitespace") == ["B00ABC", "item-2", "'Tis"]


def test_documents_of_a_batch_do_not_mix() -> None:
    rows = tokenize(tf.constant(["one two", "", "three"]), "unicode_words").to_list()
    assert rows == [[b"one", b"two"], [], [b"three"]]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_tokens_are_words_whatever_the_text(text: str) -> None:
    for token in tokens_of(text):
        assert token.strip("'") == token
        assert token
        assert not any(character.isspace() for character in token)
        # What is a token is one by itself too: serving looks up the same form.
        assert tokens_of(token) == [token]


def test_compiled_equals_eager() -> None:
    text = tf.constant(["Don't stop", "the 'Music'"])
    compiled = tf.function(lambda x: tokenize(x, "unicode_words"))
    assert compiled(text).to_list() == tokenize(text, "unicode_words").to_list()
