import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_module.text import split

KINDS = ("text", "sessions", "edges", "pairs")
TOKEN = st.text(
    st.characters(exclude_characters=" \t\n\r\x0b\x0c", exclude_categories=["Cs"]), min_size=1
)


@given(TOKEN, TOKEN, st.floats(0.1, 9))
def test_what_is_on_one_side(one: str, other: str, weight: float) -> None:
    a, b = one.encode(), other.encode()
    for kind in KINDS[1:]:
        pair = split.split_key(a + b"\t" + b, kind)
        assert split.split_key(b"%b\t%b\t%a" % (a, b, weight), kind) == pair
    assert split.split_key(a + b" " + b, "edges") == split.split_key(b + b" " + a, "edges")
    assert split.train_key(a) % 1000 == 0


def test_keys_by_hand() -> None:
    def blake(text: bytes) -> int:
        return int(hashlib.blake2b(text, digest_size=8).hexdigest(), 16)

    assert split.split_key(b"The CAT, sat", "text") == blake(b"the cat sat")
    assert split.split_key(b"B\tA\t2", "pairs") == blake(b"B\tA")
    assert split.split_key(b"B A", "edges") == blake(b"A B")
    assert split.split_key(b"B\tA", "edges") == blake(b"B\tA")
    assert split.train_key(b"The CAT") == blake(b"The CAT") // 1000 * 1000


@pytest.mark.parametrize("kind", KINDS)
def test_a_smaller_fraction_holds_out_a_part(kind: str) -> None:
    pairs = [f"n{n}\tn{n * n}".encode() for n in range(3000)]
    held_out = {f: {p for p in pairs if split.is_held_out(p, f, kind)} for f in (0.05, 0.1, 0.5)}
    assert held_out[0.05] < held_out[0.1] < held_out[0.5]
    assert abs(len(held_out[0.1]) - 300) < 5 * 17  # sqrt(3000 * .1 * .9) = 16.4
