import hashlib

from components.text_example_gen.shuffled_writing import (
    SplitFolder,
    buckets_for,
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
    expected = ["train", "train", "train", "eval", "eval"]
    for record in (b"%d" % number for number in range(50)):
        bucket = int(hashlib.sha256(record).hexdigest(), 16) % 5
        assert split_of(record, splits) == expected[bucket]
