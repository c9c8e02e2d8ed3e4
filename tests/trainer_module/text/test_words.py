# ruff: noqa: RUF001  (letters of other alphabets are meant)
import pytest

from tests.trainer_module.text.random_texts import texts
from trainer_module.hyperparameters import PreprocessingHyperparameters
from trainer_module.text.words import Tokenization, tokens

# By hand: what a reader takes for the words of a text.
WORDS = [
    ("", []),
    ("The quick, brown fox!", ["the", "quick", "brown", "fox"]),
    ("Größe ΣΊΣΥΦΟΣ Привет", ["größe", "σίσυφος", "привет"]),
    ("don't o'clock rock\u2019n\u2019roll", ["don't", "o'clock", "rock'n'roll"]),
    ("'quoted' ''twice'' dogs' 'tis", ["quoted", "twice", "dogs", "tis"]),
    ("\u2019quoted\u2019 dogs\u2019 \u2019tis é", ["quoted", "dogs", "tis", "é"]),
    ("snake_case x2 3.5 e-mail", ["snake_case", "x2", "3", "5", "e", "mail"]),
    ("a\u203fb", ["a\u203fb"]),  # a connector like the underscore
    ("a\u00a0b\u2003c\u2028d", ["a", "b", "c", "d"]),  # Unicode's own blanks
    ("東京 and 大阪", ["東京", "and", "大阪"]),
    ("' '' ' ' !", []),
    ("TITLE I IS", ["title", "i", "is"]),
    ("alpha beta\x00gamma\x00 delta", ["alpha", "beta", "gamma", "delta"]),
    ("été\x00gamma delta", ["été", "gamma", "delta"]),
    # Composed and decomposed are one.
    ("e\u0301tude étude", ["étude", "étude"]),
    ("\u1112\u1161\u11ab 한", ["한", "한"]),
    ("H\u0331 \u1e96", ["\u1e96", "\u1e96"]),  # composes in lower case only
    # What nobody sees is no token.
    ("love ❤\ufe0f you", ["love", "you"]),
    ("❤\ufe0e \ufe0f \U000e0101", []),
    ("a \u0301 b !\u0301c", ["a", "b", "c"]),
    ("1\ufe0f\u20e3 2\u20e3 #\ufe0f\u20e3", ["1", "2"]),
    ("👩\u200d💻 👍🏽", []),
    ("\U0001f3f4\U000e0067\U000e0062\U000e007f", []),
    ("\u200d \u200c \u2060 \ufeff \u00ad \u115f \u3164", []),
    # Nor does it cut words, or make other words of them.
    ("co\u00adoperate in\u2060side in\ufeffside", ["cooperate", "inside", "inside"]),
    ("\ufeffFirst", ["first"]),
    ("\u200eabc\u200f \u202bدر\u202c \u2066x\u2069y", ["abc", "در", "xy"]),
    ("葛\U000e0100城 葛城", ["葛城", "葛城"]),
    ("e\u00ad\u0301", ["é"]),  # composes when what was between is dropped
    ("a\u200bb", ["a", "b"]),  # where a line may break
    # Joiners are part of spelling, within words.
    ("می\u200cخواهم", ["می\u200cخواهم"]),
    ("\u200cمی\u200c \u200dx\u200d", ["می", "x"]),
    ("ශ්\u200dරී", ["ශ්\u200dරී"]),
    ("ক্\u200cষ র\u200d্য", ["ক্\u200cষ", "র\u200d্য"]),
    ("അവന്\u200d വന്നു", ["അവന്\u200d", "വന്നു"]),  # a chillu, as it was spelt before Unicode 5.1
    # Signs within words.
    ("col·lecció COL·LECCIÓ", ["col·lecció", "col·lecció"]),
    ("·a· 3·5 a·3", ["a", "3", "5", "a", "3"]),
    ('צה"ל צה״ל', ["צה״ל", "צה״ל"]),
    ('"שלום" a"b א"b', ["שלום", "a", "b", "א", "b"]),
    ("צ׳ק רח׳ ג'ירפה", ["צ׳ק", "רח׳", "ג'ירפה"]),
    ("rock'\u0301n", ["rock'n"]),
]


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_unicode_words(text: str, expected: list[str]) -> None:
    assert tokens(text, Tokenization()) == expected


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [
        ("nfc", ["ﬁne", "ａｂｃ", "é", "é", "²"]),
        ("nfkc", ["fine", "abc", "é", "é", "2"]),
        ("none", ["ﬁne", "ａｂｃ", "e\u0301", "é", "²"]),
    ],
)
def test_normalization(normalization, expected: list[str]) -> None:
    tokenization = Tokenization("unicode_words", normalization)
    assert tokens("ﬁne ＡＢＣ e\u0301 é ²", tokenization) == expected


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [
        ("nfc", ["B00ABC", "Don\u2019t", "É!", "a\x00b", "x\u00a0y", "❤\ufe0f"]),
        ("nfkc", ["B00ABC", "Don\u2019t", "É!", "a\x00b", "x", "y", "❤\ufe0f"]),
        ("none", ["B00ABC", "Don\u2019t", "E\u0301!", "a\x00b", "x\u00a0y", "❤\ufe0f"]),
    ],
)
def test_whitespace_takes_tokens_as_they_are(normalization, expected: list[str]) -> None:
    text = " B00ABC\tDon\u2019t  E\u0301!\na\x00b\vx\u00a0y\f❤\ufe0f\r"
    assert tokens(text, Tokenization("whitespace", normalization)) == expected


@pytest.mark.parametrize("normalization", ["nfc", "nfkc", "none"])
def test_a_token_is_one_by_itself_too(normalization) -> None:
    tokenization = Tokenization("unicode_words", normalization)
    for text in texts(2000, seed=3):
        for token in tokens(text, tokenization):
            assert tokens(token, tokenization) == [token]


def test_is_read_from_what_was_written() -> None:
    written = Tokenization("whitespace", "nfkc").to_json()
    assert Tokenization.from_json(written) == ("whitespace", "nfkc")
    assert written == '{\n  "tokenizer": "whitespace",\n  "normalization": "nfkc"\n}\n'


def test_is_that_of_the_configuration() -> None:
    configured = PreprocessingHyperparameters(tokenizer="whitespace", normalization="none")
    assert Tokenization.of(configured) == ("whitespace", "none")
    assert Tokenization.of(PreprocessingHyperparameters()) == ("unicode_words", "nfc")
