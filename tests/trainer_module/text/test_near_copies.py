import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module.text.near_copies import near_copy_hash, near_copy_hashes, normal_form


def test_what_words_have_in_common() -> None:
    for document in ("The cat sat.", "the  CAT\tsat", "- The (cat) sat", "the\u00a0cat, sat\u2026"):
        assert normal_form(document.encode()) == b"the cat sat", document
    assert normal_form("Stra\u00dfe".encode()) == normal_form(b"STRASSE")
    assert normal_form("\ufb01sh".encode()) == b"fish"  # a ligature
    # Vowel signs are marks, and make other words.
    assert normal_form("\u092e\u0947\u0930\u093e".encode()) != normal_form(
        "\u092e\u0947\u0930\u0940".encode()
    )


def test_documents_without_words_keep_their_characters() -> None:
    assert normal_form(b"+  -") == b"+ -"
    assert normal_form("\u2014  \u2026".encode()) == "\u2014 \u2026".encode()
    assert normal_form("\U0001f600  \U0001f601".encode()) == "\U0001f600 \U0001f601".encode()


@settings(max_examples=300)
@given(st.text(st.characters(codec="utf-8", max_codepoint=127)))
def test_ascii_is_as_any_other_text(text: str) -> None:
    # The same with a letter beyond ASCII in a word of its own.
    with_other = f"{text} \u0436".encode()
    if any(char.isalnum() or char == "_" for char in text):
        assert normal_form(with_other) == normal_form(text.encode()) + " \u0436".encode()


def test_signs_of_printed_english_are_as_other_signs() -> None:
    for sign in map(chr, range(0x2010, 0x2028)):
        form = normal_form(f"a{sign}b".encode())
        # The long way, which a letter beyond ASCII takes, leaves the same.
        assert normal_form(f"a{sign}b \u0436".encode()) == form + " \u0436".encode()
        assert (form == b"a b") == (sign != "\u2017"), sign


@settings(max_examples=300)
@given(st.text())
def test_forms_and_case_do_not_matter(text: str) -> None:
    text = text.encode(errors="ignore").decode()
    form = normal_form(text.encode())
    for other in (
        unicodedata.normalize("NFC", text),
        unicodedata.normalize("NFD", text),
        text.casefold(),
        f"  {text}\n",
    ):
        assert normal_form(other.encode()) == form
    assert normal_form(form) == form


def test_the_hash_is_the_same_on_every_machine() -> None:
    # hashlib.blake2b(b"a b", digest_size=8).hexdigest()
    assert near_copy_hash(b" A, b") == near_copy_hash(b"a b") == int("bb37dea5c027f928", 16)


# Among others signs of printed English, those that are none of them, and no word at all.
SOME = [
    "",
    " ",
    "A",
    "b_1",
    ", ",
    "\n",
    "\u2014",
    "\u2017",
    "\u201c",
    "\u00e9",
    "\u0301",
    "\u1f80",
    "\u20ac",
]


@settings(max_examples=300)
@given(st.lists(st.lists(st.one_of(st.sampled_from(SOME), st.text()), max_size=8).map("".join)))
def test_many_at_once_have_the_hashes_of_each(texts: list[str]) -> None:
    documents = [text.encode(errors="ignore") for text in texts]
    assert near_copy_hashes(documents) == [near_copy_hash(document) for document in documents]
