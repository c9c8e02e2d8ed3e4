from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer_module.transformed import (
    PAIRS_SPEC,
    SPEC,
    TOKENS_A_DOCUMENT,
    Document,
    hash_of,
    ragged,
    split_of,
    write,
    write_pairs,
)
from trainer_module.input_pipeline import window_chunks
from trainer_module.input_pipeline.documents import DocumentsInMemory, TransformedFiles
from trainer_module.input_pipeline.splits import Split
from trainer_module.workers.cluster import Worker


def in_memory(documents: Sequence[Document]) -> DocumentsInMemory:
    return DocumentsInMemory(
        {
            "token_ids": ragged([[token for token, _ in document] for document in documents]),
            "window_sizes": ragged([[window for _, window in document] for document in documents]),
            "num_tokens": tf.fill([len(documents)], tf.constant(TOKENS_A_DOCUMENT, tf.int64)),
            "document_hash": tf.constant([hash_of(document) for document in documents], tf.int64),
        }
    )


def both_ways(path: Path, documents: Sequence[Document]) -> tuple[Split, Split]:
    """The same documents, from a file and from memory; later epochs keep half of the tokens."""
    from_file = split_of([write(path, documents)], keep=0.5)
    return from_file, from_file._replace(documents=in_memory(documents))


def epochs_of(split: Split) -> list[list[list[int]]]:
    """The chunks of three epochs, made inside a dataset as the loop does."""
    found = tf.data.Dataset.range(3).flat_map(
        lambda epoch: window_chunks.chunks(split, num_targets=16, epoch=epoch)
    )
    return [[part.numpy().tolist() for part in chunk] for chunk in found]


def counted(split: Split) -> list[object]:
    counts = window_chunks.count(split, epochs=3)
    return [*counts[:4], counts.context_counts.tolist()]


def test_batches_in_memory_by_hand() -> None:
    documents = in_memory([[(5, 1)], [], [(6, 2), (7, 0)], [(8, 3)]])
    [first] = documents.batches(2, 0)
    [second] = documents.batches(2, 1)
    assert first["token_ids"].to_list() == [[5], [6, 7]]
    assert first["window_sizes"].to_list() == [[1], [2, 0]]
    assert first["num_tokens"].numpy().tolist() == [9, 9]
    assert second["token_ids"].to_list() == [[], [8]]
    assert second["window_sizes"].to_list() == [[], [3]]


def random_documents() -> list[Document]:
    """More than one batch holds, some without tokens or targets."""
    random = np.random.default_rng(1)
    return [
        [(int(token), int(window)) for token, window in random.integers(0, 4, [length, 2])]
        for length in random.integers(0, 6, 700)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("worker", [Worker(0, 1), Worker(0, 2), Worker(1, 2)])
def test_documents_from_memory_are_trained_on_as_those_from_files(
    tmp_path: Path, worker: Worker
) -> None:
    from_file, from_memory = (
        split._replace(worker=worker) for split in both_ways(tmp_path / "a.gz", random_documents())
    )
    assert counted(from_file) == counted(from_memory)
    expected = epochs_of(from_file)
    assert len(expected) > 3 * 20
    assert epochs_of(from_memory) == expected


@pytest.mark.parametrize("documents", [[], [[]], [[(1, 3)], [(0, 1), (1, 0)]]])
def test_few_documents_or_none_from_memory(tmp_path: Path, documents: list[Document]) -> None:
    from_file, from_memory = both_ways(tmp_path / "a.gz", documents)
    assert counted(from_file) == counted(from_memory)
    assert epochs_of(from_memory) == epochs_of(from_file)


def test_both_kinds_have_the_same_structure(tmp_path: Path) -> None:
    from_file, from_memory = both_ways(tmp_path / "a.gz", [[(1, 1), (2, 1)]])
    specs = [
        {name: (tuple(spec.shape), spec.dtype) for name, spec in dataset.element_spec.items()}
        for dataset in (from_file.documents.batches(1, 0), from_memory.documents.batches(1, 0))
    ]
    assert specs[0] == specs[1]
    assert set(specs[0]) == {"token_ids", "window_sizes", "num_tokens", "document_hash"}


class TestDigest:
    ROWS: ClassVar[list[Document]] = [[(5, 1), (6, 2)], [(7, 1)], []]

    def test_tells_documents_and_their_order_apart(self, tmp_path: Path) -> None:
        path = tmp_path / "one.gz"
        written = [self.ROWS, self.ROWS[::-1], self.ROWS[:2], [[(6, 1), (5, 2)], *self.ROWS[1:]]]
        digests = [TransformedFiles([write(path, rows)], SPEC).digest() for rows in written]
        assert len({*digests}) == 4
        assert TransformedFiles([write(tmp_path / "two.gz", self.ROWS)], SPEC).digest() in digests

    def test_tells_pairs_apart_though_as_many_stand_in_each_document(self, tmp_path: Path) -> None:
        path = tmp_path / "one.gz"
        written = [[[(1, 2), (2, 1)], []], [[(2, 1), (1, 2)], []], [[(1, 2)], [(2, 1)]]]
        digests = [
            TransformedFiles([write_pairs(path, rows)], PAIRS_SPEC).digest() for rows in written
        ]
        assert len({*digests}) == 3

    @pytest.mark.parametrize("spec", [SPEC, PAIRS_SPEC], ids=["windows", "pairs"])
    def test_sees_no_order_of_features(self, tmp_path: Path, spec: dict[str, Any]) -> None:
        """In a process of its own protobuf writes them in another order."""
        values = {"num_tokens": [9], "document_hash": [-3]}
        values |= {f"{name}$ragged_values": [4, 5] for name in spec if name not in values}
        one, other = (
            b"".join(
                tf.train.Features(
                    feature={name: tf.train.Feature(int64_list=tf.train.Int64List(value=value))}
                ).SerializeToString()
                for name, value in entries
            )
            for entries in (values.items(), reversed(values.items()))
        )
        assert one != other
        digests = set()
        for features in (one, other):
            path = str(tmp_path / "one.gz")
            with tf.io.TFRecordWriter(path, "GZIP") as writer:
                writer.write(b"\n" + _varint(len(features)) + features)  # an Example
            digests.add(TransformedFiles([path], spec).digest())
        assert len(digests) == 1


def _varint(number: int) -> bytes:
    return bytes([number & 127 | 128, number >> 7])
