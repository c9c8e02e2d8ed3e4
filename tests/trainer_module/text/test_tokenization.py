import json
import os
import subprocess
import sys
from typing import get_args

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer_module.text.random_texts import texts
from tests.trainer_module.text.test_words import WORDS
from trainer_module.hyperparameters import Normalization, Tokenizer
from trainer_module.text import words
from trainer_module.text.tokenization import tokenize
from trainer_module.text.words import Tokenization

USUAL = Tokenization()
TOKENIZATIONS = [
    Tokenization(tokenizer, normalization)
    for tokenizer in get_args(Tokenizer)
    for normalization in get_args(Normalization)
]


def tokens_of(text: str | bytes, tokenization: Tokenization = USUAL) -> list[str]:
    [row] = tokenize(tf.constant([text]), tokenization).to_list()
    return [token.decode() for token in row]


def test_unicode_words() -> None:
    documents = tf.constant([text for text, _ in WORDS])
    rows = tokenize(documents, Tokenization()).to_list()
    found = [[token.decode() for token in row] for row in rows]
    assert found == [expected for _, expected in WORDS]


def test_whitespace_takes_tokens_as_they_are() -> None:
    text = " B00ABC\titem-2  'Tis\n"
    assert tokens_of(text, Tokenization("whitespace")) == ["B00ABC", "item-2", "'Tis"]


@pytest.mark.parametrize("tokenization", TOKENIZATIONS, ids="-".join)
def test_equals_plain_python(tokenization: Tokenization) -> None:
    compiled = tf.function(lambda text: tokenize(text, tokenization))
    documents = texts(2000, seed=4)
    rows = compiled(tf.constant(documents)).to_list()
    for text, row in zip(documents, rows, strict=True):
        found = [token.decode() for token in row]
        assert found == words.tokens(text, tokenization), ascii(text)


@settings(max_examples=200)
@given(st.text("aZ'_1 \n\x00-\x7f", max_size=20))
def test_ascii_gives_the_same_beside_another_word(text: str) -> None:
    assert [*tokens_of(text), "é"] == tokens_of(f"{text} é")


def test_documents_of_a_batch_do_not_mix() -> None:
    documents = tf.constant(["one two", "", "drei fünf", "three", "\u0301e", "'", "é"])
    rows = tokenize(documents, Tokenization()).to_list()
    found = [[token.decode() for token in row] for row in rows]
    assert found == [["one", "two"], [], ["drei", "fünf"], ["three"], ["e"], [], ["é"]]


@settings(max_examples=60)
@given(st.text(max_size=40))
def test_tokens_are_words_whatever_the_text(text: str) -> None:
    for token in tokens_of(text):
        assert token.strip("'") == token
        assert token
        assert not any(character.isspace() for character in token)
        # What is a token is one by itself too: serving looks up the same form.
        assert tokens_of(token) == [token]


@pytest.mark.parametrize("text", [b"caf\xe9 au lait", b"caf\xff au lait", b"caf\xe2\x82 au lait"])
def test_what_is_not_utf8_cuts(text: bytes) -> None:
    assert tokens_of(text) == ["caf", "au", "lait"]


def test_compiled_equals_eager() -> None:
    text = tf.constant(["Don't stop", "the 'Music'", "L\u2019été"])
    compiled = tf.function(lambda x: tokenize(x, Tokenization()))
    assert compiled(text).to_list() == tokenize(text, Tokenization()).to_list()


def test_no_documents() -> None:
    assert tokenize(tf.zeros([0], tf.string), Tokenization()).to_list() == []


@pytest.mark.parametrize("locale", ["tr_TR.UTF-8", "lt_LT.UTF-8", "C"])
def test_lower_case_does_not_go_by_the_locale(locale: str) -> None:
    script = """
import json, sys
import tensorflow as tf
from trainer_module.text.tokenization import tokenize
from trainer_module.text.words import Tokenization
rows = tokenize(tf.constant(["TITLE I IS", "TİTLE I ÉÌ"]), Tokenization()).to_list()
sys.stdout.buffer.write(json.dumps([[token.decode() for token in row] for row in rows]).encode())
"""
    ended = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", script],
        env=os.environ | {"LC_ALL": locale},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert json.loads(ended.stdout) == [["title", "i", "is"], ["ti\u0307tle", "i", "éì"]]
