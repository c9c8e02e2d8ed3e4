import hashlib
import random
from collections import Counter
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.text_example_gen.writing.runs import Run, merged
from components.text_example_gen.writing.shuffled import (
    Number,
    SpillDocuments,
    SplitFolder,
    buckets_for,
    dealt_out,
    example,
    numbered,
    shuffle_key,
)
from trainer_module.text.near_copies import near_copy_hash


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
    assert dealt_out(splits) == ["train", "train", "train", "eval", "eval"]


def spilled(spill: SpillDocuments, documents: list[bytes]) -> list[tuple[int, Run]]:
    spill.start_bundle()
    found = list(spill.spill(documents))
    found += [windowed.value for windowed in spill.finish_bundle()]
    return found


def test_near_copies_share_a_bucket_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    documents = [b"a b", b"c", b"a b", b"A  b.", b"a b"]
    found = spilled(SpillDocuments(str(tmp_path), 1000), documents)
    by_bucket = {bucket: list(merged([run])) for bucket, run in found}
    assert len(by_bucket) == len(found) == 2
    assert by_bucket == {
        (near_copy_hash(some[0]) >> 32) % 1000: [(near_copy_hash(one), one) for one in some]
        for some in ([b"A  b.", b"a b", b"a b", b"a b"], [b"c"])
    }


def test_documents_are_hashed_in_batches_and_none_is_lost(tmp_path: Path) -> None:
    chance = random.Random(3)
    documents = [chance.randbytes(chance.randint(1, 99)).hex().encode() for _ in range(3000)]
    [(bucket, run)] = spilled(SpillDocuments(str(tmp_path), 1), documents)
    assert bucket == 0
    assert list(merged([run])) == sorted((near_copy_hash(one), one) for one in documents)
    assert spilled(SpillDocuments(str(tmp_path), 1), []) == []


def test_near_copies_are_numbered() -> None:
    records = [(3, b"x"), (7, b"B"), (7, b"b"), (7, b"b"), (9, b"y"), (9, b"y")]
    assert list(numbered(records)) == [
        (3, 0, b"x"),
        (7, 0, b"B"),
        (7, 1, b"b"),
        (7, 2, b"b"),
        (9, 0, b"y"),
        (9, 1, b"y"),
    ]


def test_each_copy_goes_to_the_file_of_its_key_and_is_counted(tmp_path: Path) -> None:
    documents = [*[b"one"] * 3, b"One!", b"two", *[b"three"] * 2, b"four"]
    splits = {"train": SplitFolder("/t", 1), "eval": SplitFolder("/e", 1)}
    found = spilled(SpillDocuments(str(tmp_path), 1), documents)
    number = Number(splits, str(tmp_path), 2)
    number.start_bundle()
    [counts] = number.process((0, [run for _, run in found]))
    runs = dict(windowed.value for windowed in number.finish_bundle())
    expected: dict[str, list[tuple[int, bytes]]] = {}
    tally = Counter(distinct=4, documents_train=0, documents_eval=0, copies_train=0, copies_eval=0)
    # Near-copies by their bytes: the capital first.
    for some in ([b"One!", b"one", b"one", b"one"], [b"two"], [b"three"] * 2, [b"four"]):
        name = ("train", "eval")[near_copy_hash(some[0]) % 2]
        tally[f"documents_{name}"] += len(some)
        tally[f"copies_{name}"] += len(some) if len(some) > 1 else 0
        for nth, document in enumerate(some):
            key = int.from_bytes(shuffle_key(nth, document), "big")
            path = f"/{name[0]}/data_tfrecord-{key % 2:05d}-of-00002.gz"
            expected.setdefault(path, []).append((key, example(document, nth)))
    assert {path: list(merged([run])) for path, run in runs.items()} == {
        path: sorted(some) for path, some in expected.items()
    }
    assert counts.value == tally


def test_the_key_is_a_hash_of_the_number_and_the_text() -> None:
    assert shuffle_key(12, b"a b") == hashlib.blake2b(b"12 a b", digest_size=8).digest()


def slow_example(document: bytes, nth: int) -> bytes:
    """The reference: by protobuf, feature by feature."""
    record = tf.train.Example()
    record.features.feature["occurrence"].int64_list.value.append(nth)
    record.features.feature["text"].bytes_list.value.append(document)
    return bytes(record.SerializeToString(deterministic=True))


@given(st.binary(), st.integers(0, 2**63 - 1))
def test_an_example_is_that_of_protobuf(document: bytes, nth: int) -> None:
    assert example(document, nth) == slow_example(document, nth)


@pytest.mark.parametrize("size", [0, 1, 107, 108, 127, 128, 16_363, 16_384, 1 << 20])
def test_an_example_is_that_of_protobuf_where_lengths_get_longer(size: int) -> None:
    for nth in (0, 127, 128, 1 << 40):
        document = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        assert example(document, nth) == slow_example(document, nth)
