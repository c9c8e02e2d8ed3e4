import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.text_example_gen import decoding
from tests.components.text_example_gen.reading_bytes import documents, read, sentence

# From the Universal Declaration of Human Rights, article 1, and two lines of our own.
ENGLISH = "All human beings are born free\nand equal in dignity and rights.\n"
HINDI = "सभी मनुष्यों को गौरव और अधिकारों के मामले में\nजन्मजात स्वतन्त्रता और समानता प्राप्त है।\n"
JAPANESE = (
    "すべての人間は、生まれながらにして自由であり、\nかつ、尊厳と権利とについて平等である。\n"
)
CHINESE = "人人生而自由，在尊严和权利上一律平等。\n"  # noqa: RUF001
RUSSIAN = "Все люди рождаются свободными\nи равными в своем достоинстве и правах.\n"  # noqa: RUF001
TAMIL = "மனிதப் பிறிவியினர் சகலரும் சுதந்திரமாகவே\nபிறக்கின்றனர்.\n"
TELUGU = "ప్రతిపత్తిస్వత్వముల విషయమున మానవులెల్లరును\nజన్మతః స్వతంత్రులు.\n"
MALAYALAM = "മനുഷ്യരെല്ലാവരും തുല്യാവകാശങ്ങളോടും\nസ്വാതന്ത്ര്യത്തോടുംകൂടി ജനിച്ചിട്ടുള്ളവരാണ്.\n"
GURMUKHI = "ਸਾਰਾ ਮਨੁੱਖੀ ਪਰਿਵਾਰ ਆਪਣੀ ਮਹਿਮਾ\nਸ਼ਾਨ ਅਤੇ ਹੱਕਾਂ ਦੇ ਪੱਖੋਂ ਜਨਮ ਤੋਂ ਹੀ ਆਜ਼ਾਦ ਹੈ।\n"
ARABIC = "يولد جميع الناس أحراراً متساوين\nفي الكرامة والحقوق.\n"
THAI = "มนุษย์ทั้งหลายเกิดมามีอิสระ\nและเสมอภาคกันในเกียรติศักดิ์และสิทธิ\n"
KOREAN = "모든 인간은 태어날 때부터\n자유로우며 그 존엄과 권리에 있어 동등하다.\n"
EMOJI = "so 😀 much 🎉 joy 👍🏽\n💯 ok\n"
MIXED = "यह model word2vec vectors बनाता है और evaluation भी करता है।\n"
TEXTS = [ENGLISH, HINDI, JAPANESE, CHINESE, RUSSIAN, TAMIL, TELUGU, MALAYALAM, GURMUKHI, ARABIC]
TEXTS += [THAI, KOREAN, EMOJI, MIXED]
ENCODINGS = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]

# With a mark.


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_mark_tells_the_encoding(encoding: str, text: str) -> None:
    data = ("\ufeff" + text).encode(encoding)
    found, counts = read(data)
    assert found == text.encode().splitlines()
    mark = 2 if "16" in encoding else 4
    assert (counts.bytes, counts.replaced_characters) == (len(data) - mark, 0)


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_mark_alone_is_an_empty_file(encoding: str, name: str) -> None:
    found, counts = read("\ufeff".encode(encoding), name)
    assert (found, counts.files, counts.empty_files, counts.bytes) == ([], 1, 1, 0)


def test_json_lines_in_utf16() -> None:
    text = '\ufeff{"text": "été 😀"}\r\n\r\n{"text": "\\u00e9"}\r\n'
    assert documents(text.encode("utf-16-le"), "a.jsonl") == ["été 😀".encode(), "é".encode()]


def test_the_line_number_in_utf16() -> None:
    text = '\ufeff{"text": "\u0a0a\u0d0d"}\n\n[]\n'  # characters made of the bytes of line ends
    assert "line 3, is JSON but not an object" in sentence(text.encode("utf-16-be"), "a.jsonl")


def test_malformed_utf16_is_replaced_and_counted() -> None:
    # Half a pair in the middle, U+FFFD itself, half a pair and half a unit at the end.
    data = (
        b"\xff\xfe" + b"a\0" + b"\x3d\xd8" + b"b\0 \0" + b"\xfd\xff" + b" \0c\0d\0\x00\xdc" + b"e"
    )
    found, counts = read(data)
    assert [found[0].decode()] == ["a\ufffdb \ufffd cd\ufffd\ufffd"]
    assert counts.replaced_characters == 3


def test_malformed_utf32_is_replaced_and_counted() -> None:
    # Beyond the last code point, half a pair, half a unit.
    faults = b"\0\x11\0\0" + b"\0\0\xd8\0" + b"\0\0"
    found, counts = read(b"\0\0\xfe\xff" + "abcdefgh".encode("utf-32-be") + faults)
    assert [found[0].decode()] == ["abcdefgh\ufffd\ufffd\ufffd"]
    assert counts.replaced_characters == 3


@given(st.text(), st.sampled_from(ENCODINGS), st.lists(st.integers(1, 9), min_size=1))
def test_decoding_does_not_depend_on_the_blocks(text: str, encoding: str, sizes: list[int]) -> None:
    data = text.encode(encoding)
    blocks = []
    while data:
        size = sizes[len(blocks) % len(sizes)]
        blocks.append(data[:size])
        data = data[size:]
    assert b"".join(decoding._recoded(blocks, encoding)) == text.encode()


def test_what_is_no_text_is_refused_with_a_mark_too() -> None:
    zeros = b"\xff\xfe" + b"\0" * 1000
    assert sentence(zeros) == (
        "'a.txt' is not UTF-8 text: 100% of its first 249 bytes are control characters or invalid;"
        " leave it out, or convert it (iconv -t UTF-8)"
    )


def test_a_zero_first_in_utf16_is_not_read_as_utf32() -> None:
    # FF FE 00 00 is the mark of UTF-32 as well. Refused is better than read as something else.
    data = "\ufeff\0alpha beta gamma\n".encode("utf-16-le")
    assert "is not UTF-8 text" in sentence(data)


# Without a mark.


@pytest.mark.parametrize("copies", [1, 5000])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_encoding_is_named_where_no_mark_tells_it(
    encoding: str, text: str, copies: int
) -> None:
    named = encoding.upper().replace("-LE", "LE").replace("-BE", "BE")
    assert sentence(text.encode(encoding) * copies) == (
        f"'a.txt' looks like {named} without a byte order mark; convert it to UTF-8"
        f" (iconv -f {named} -t UTF-8)"
    )


@pytest.mark.parametrize("text", ["word", "ひらがな", "すべての人間は、生まれながらにして自由"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_the_encoding_of_a_line_without_an_end(encoding: str, text: str) -> None:
    assert "looks like UTF-16" in sentence(text.encode(encoding))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("added", [b"x", b"\n"])
def test_an_odd_number_of_bytes(text: str, added: bytes) -> None:
    assert "looks like UTF-16LE" in sentence(text.encode("utf-16-le") + added)


# What is UTF-8, and is to be read.


@pytest.mark.parametrize("text", TEXTS)
def test_utf8_is_never_taken_for_something_else(text: str) -> None:
    decoding.check_is_text(text.encode(), "a.txt")
    decoding.check_is_text(text.replace(" ", "\0").encode(), "a.txt")
    decoding.check_is_text(text.replace("\n", " \0").encode(), "a.txt")


@pytest.mark.parametrize(
    "content",
    [
        b"alpha beta\0gamma delta\n",
        b"abc\0def\0ghi\0",  # each zero at the place where UTF-16 has its own
        b"ab \0cd \0ef\n\0",
        b"1\t2\t3\t4\n5\t6\t7\t8\n",  # every other byte a tab or a newline
        b"a\tb\tc\0d\te\tf\0",
        "du café\0ou du thé\n".encode("latin-1"),
        "0é0è1a2b3c4d5f6g7h8i\n".encode("latin-1"),
        b"ah \0cnddg\ndc\n\n",
        b"\t\n" * 30 + b"a\0\n",
    ],
)
def test_strange_text_is_read(content: bytes) -> None:
    decoding.check_is_text(content, "a.txt")


characters = st.characters(blacklist_categories=["Cs", "Cc"])
words = st.text(characters, min_size=4, max_size=12)


@given(st.lists(words, min_size=1), st.sampled_from([" ", "\t", "\n", "\r\n", "\0", " \0"]))
def test_no_utf8_is_refused(some: list[str], between: str) -> None:
    content = between.join(some).encode()
    decoding.check_is_text(content, "a.txt")
    assert read(content + b"\n", limit=1 << 20)[1].replaced_characters == 0


@given(st.sampled_from(TEXTS), st.lists(st.integers(0, 1000), max_size=5))
def test_zeros_anywhere_in_utf8_are_read(text: str, places: list[int]) -> None:
    data = text
    for place in places:
        data = data[: place % len(data)] + "\0" + data[place % len(data) :]
    assert b"\n".join(documents(data.encode())).replace(b"\0", b"") == text.strip().encode()


def test_a_zero_passes_through() -> None:
    assert documents(b"alpha beta\0gamma delta\n") == [b"alpha beta\0gamma delta"]
    assert documents(b'{"text": "a\\u0000b"}\n', "a.jsonl") == [b"a\0b"]
