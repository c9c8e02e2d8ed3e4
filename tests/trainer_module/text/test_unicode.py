# ruff: noqa: RUF001  (letters of other alphabets are meant)
"""Held to Python's str.lower and unicodedata.normalize."""

import unicodedata
from collections.abc import Callable, Sequence

import pytest
import tensorflow as tf

from tests.trainer_module.text.random_texts import CHARACTERS, texts
from trainer_module.hyperparameters import Normalization, Tokenizer
from trainer_module.text import tokenization, unicode, unicode_tables, words

FORMS: list[Normalization] = ["nfc", "nfkc", "none"]


def in_form(
    documents: Sequence[str | bytes], form: Normalization, *, fold: bool = False
) -> list[str]:
    @tf.function
    def normalized(text: tf.Tensor) -> tf.Tensor:
        found = unicode.normalized(unicode.decode(text), form, fold=fold)
        return unicode.encode(found, tf.size(text))

    return [text.decode()[:-1] for text in normalized(tf.constant(documents)).numpy()]


def by_python(form: Normalization) -> Callable[[str], str]:
    return lambda text: text if form == "none" else unicodedata.normalize(form.upper(), text)


def lower_by_python(form: Normalization) -> Callable[[str], str]:
    in_form = by_python(form)

    def lower(text: str) -> str:
        seen = "".join(character for character in in_form(text) if not words.is_dropped(character))
        return in_form(seen.lower().replace("\u2019", "'").replace("\u02bc", "'"))

    return lower


def differing(documents: Sequence[str], found: Sequence[str], right: Callable[[str], str]) -> list:
    assert len(found) == len(documents)
    return [
        (ascii(document), ascii(one))
        for document, one in zip(documents, found, strict=True)
        if one != right(document)
    ]


@pytest.mark.parametrize("form", FORMS)
class TestEqualsPython:
    def test_of_every_character(self, form: Normalization):
        assert differing(CHARACTERS, in_form(CHARACTERS, form), by_python(form)) == []

    def test_of_every_character_in_lower_case(self, form: Normalization):
        found = in_form(CHARACTERS, form, fold=True)
        assert differing(CHARACTERS, found, lower_by_python(form)) == []

    def test_of_texts(self, form: Normalization):
        documents = texts(1000, seed=1)
        assert differing(documents, in_form(documents, form), by_python(form)) == []

    def test_of_texts_in_lower_case(self, form: Normalization):
        documents = texts(1000, seed=2)
        found = in_form(documents, form, fold=True)
        assert differing(documents, found, lower_by_python(form)) == []


@pytest.mark.parametrize(
    ("text", "nfc"),
    [
        ("e\u0301", "é"),
        ("\u1112\u1161\u11ab", "한"),
        ("\u0915\u093c", "\u0915\u093c"),  # Devanagari's qa is excluded from composition
        ("\u0958", "\u0915\u093c"),
        ("a\u0301\u0323", "\u1ea1\u0301"),  # the dot below comes first, and composes
        ("\u01a1\u0323\u0301", "\u1ee3\u0301"),
        ("o\u030f\u031b", "\u01a1\u030f"),
        ("\u020d\u031b", "\u01a1\u030f"),  # composed already, and out of order
        ("e\x00\u0301", "e\x00\u0301"),
        ("\u0301e", "\u0301e"),
    ],
)
def test_composition(text: str, nfc: str):
    assert in_form([text], "nfc") == [nfc]


@pytest.mark.parametrize(
    ("text", "lower"),
    [
        ("TITLE I IS", "title i is"),
        ("\u0130I", "i\u0307i"),
        ("ΟΔΟΣ ΣΟΦΟΣ", "οδος σοφος"),
        ("Σ ΑΣ\u0301! Σ\u0391", "σ ας\u0301! σα"),
        ("Α\u00b7Σ Σ\u00b7Α", "α\u00b7ς σ\u00b7α"),  # what is skipped between letters
        ("STRAẞE", "straße"),
        ("A\x00B", "a\x00b"),
    ],
)
def test_lower_case(text: str, lower: str):
    assert in_form([text], "none", fold=True) == [lower]


def test_documents_do_not_touch():
    documents = ["e", "\u0301", "\u1112\u1161", "\u11ab", "ΑΣ", "Α", "", "\u0323\u0301"]
    expected = ["e", "\u0301", "하", "\u11ab", "ας", "α", "", "\u0323\u0301"]
    assert in_form(documents, "nfc", fold=True) == expected


def test_thousands_of_marks_on_one_letter():
    marks = "\u0301\u0323" * 4000
    expected = "\u1ea1" + "\u0323" * 3999 + "\u0301" * 4000
    assert in_form([f"a{marks}"], "nfc") == [expected]
    assert unicodedata.normalize("NFC", f"a{marks}") == expected


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "text", [b"\xff\xfe", b"caf\xe9", b"a\xed\xa0\x80b", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"]
)
def test_what_is_not_utf8_is_replaced(text: bytes, form: Normalization):
    [found] = in_form([text], form)
    assert "\ufffd" in found
    assert found.replace("\ufffd", "") == text.decode(errors="ignore")


def test_no_documents():
    assert in_form(tf.zeros([0], tf.string), "nfc", fold=True) == []


@pytest.mark.parametrize(
    ("tokenizer", "normalization", "made"),
    [("unicode_words", "nfkc", 1), ("whitespace", "nfc", 1), ("whitespace", "none", 0)],
)
def test_what_is_prepared_is_what_tokenizing_asks_for(
    tokenizer: Tokenizer, normalization: Normalization, made: int
):
    tables = (
        *(unicode_tables.mapping, unicode_tables.compositions, unicode_tables.marks),
        *(unicode_tables.sigma_contexts, unicode_tables.word_classes),
    )
    for table in tables:
        table.cache_clear()
    unicode_tables.prepare(tokenizer, normalization)
    assert [table.cache_info().currsize for table in tables] == [made] * len(tables)
    text = tf.constant(["Ωμέγας e\u0301"])
    tokenization.tokenize(text, words.Tokenization(tokenizer, normalization))
    assert [table.cache_info().misses for table in tables[:1]] == [made]
