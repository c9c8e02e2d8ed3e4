"""The vocabulary file."""

import doctest
from pathlib import Path

from trainer_module import vocabulary


def test_the_vocabulary_is_read_with_its_counts(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary"
    path.write_bytes(b"6 the\n2 caf\xc3\xa9\n1 -1\n")
    found = vocabulary.read(str(path))
    assert found.tokens == [b"the", "café".encode(), b"-1"]
    assert found.counts.tolist() == [6, 2, 1]
    assert found.frequencies.tolist() == [6 / 9, 2 / 9, 1 / 9]


def test_how_many_tokens_there_are_is_read_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary_totals"
    path.write_bytes(b'{"distinct": 12, "occurrences": 99}')
    assert vocabulary.read_distinct_tokens(str(path)) == 12
    assert vocabulary.read_occurrences(str(path)) == 99


def test_common_tokens_come_by_the_smaller_of_their_shares() -> None:
    one = vocabulary.parse(b"50 the\n30 sea\n15 new\n5 ship\n")
    other = vocabulary.parse(b"60 ship\n20 the\n10 sea\n10 gone\n")
    # The smaller shares: the .2, sea .1, ship .05.
    ids, other_ids = vocabulary.common(one, other)
    assert ids.tolist() == [0, 1, 3]
    assert other_ids.tolist() == [1, 2, 0]
    back, other_back = vocabulary.common(other, one)
    assert (back.tolist(), other_back.tolist()) == (other_ids.tolist(), ids.tolist())


def test_two_vocabularies_may_have_no_token_in_common() -> None:
    one, other = vocabulary.parse(b"5 the\n"), vocabulary.parse(b"6 cat\n")
    assert [ids.tolist() for ids in vocabulary.common(one, other)] == [[], []]


def test_the_examples_run() -> None:
    found = doctest.testmod(vocabulary)
    assert found.attempted > 0
    assert found.failed == 0
