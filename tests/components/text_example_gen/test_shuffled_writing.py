import pytest

from components.text_example_gen.shuffled_writing import (
    Copies,
    SplitFolder,
    buckets_for,
    copies_by_bucket,
    in_blocks,
    numbered,
    shuffle_key,
    split_of,
)


def test_copies_of_a_document_come_apart() -> None:
    keys = {shuffle_key(number, b"the same") for number in range(100)}
    assert len(keys) == 100
    assert {len(key) for key in keys} == {8}
    assert shuffle_key(3, b"the same") in keys
    assert shuffle_key(3, b"another") not in keys


def test_a_bucket_for_each_16_mebibytes_begun() -> None:
    sizes = [0, 16_777_215, 16_777_216, 50_331_648]
    assert [buckets_for(size) for size in sizes] == [1, 1, 2, 4]


def test_splits_are_dealt_out_in_their_order() -> None:
    splits = {"train": SplitFolder("/t", 3), "eval": SplitFolder("/e", 2)}
    names = ["train", "train", "train", "eval", "eval"]
    assert [split_of(near_copies, splits) for near_copies in range(10)] == names * 2


def test_blocks_hold_elements_until_their_bytes_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.text_example_gen.shuffled_writing._BYTES_IN_BLOCKS", 4)
    elements = [(0, "aa"), (1, "b"), (0, "cc"), (2, "dddddd"), (1, "e")]
    assert list(in_blocks(elements, len)) == [
        (0, ["aa", "cc"]),
        (1, ["b"]),
        (2, ["dddddd"]),
        (1, ["e"]),
    ]
    assert list(in_blocks([], len)) == []


def test_copies_are_counted_and_near_copies_share_a_bucket() -> None:
    documents = [b"a b", b"c", b"a b", b"A  b.", b"a b"]
    blocks = list(copies_by_bucket(documents, 1000))
    [with_copies] = [block for _, block in blocks if len(block) == 2]
    assert [(copies.document, copies.number) for copies in with_copies] == [
        (b"a b", 3),
        (b"A  b.", 1),
    ]
    assert sorted(len(block) for _, block in blocks) == [1, 2]


def test_near_copies_are_numbered_in_the_order_of_their_bytes() -> None:
    found = list(numbered([Copies(7, b"b", 2), Copies(7, b"B", 1)], "eval"))
    assert [(one.document, one.nth, one.split) for one in found] == [
        (b"B", 0, "eval"),
        (b"b", 1, "eval"),
        (b"b", 2, "eval"),
    ]
    assert [one.key for one in found] == [
        shuffle_key(0, b"B"),
        shuffle_key(1, b"b"),
        shuffle_key(2, b"b"),
    ]
