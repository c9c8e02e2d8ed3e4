from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module import input_pipeline

Document = Sequence[tuple[int, int]]

SPEC: dict[str, Any] = {
    "target": tf.io.RaggedFeature(tf.int64, "target$ragged_values", row_splits_dtype=tf.int64),
    "context": tf.io.RaggedFeature(tf.int64, "context$ragged_values", row_splits_dtype=tf.int64),
    "num_tokens": tf.io.FixedLenFeature([], tf.int64),
}


def write(path: Path, documents: Sequence[Document]) -> str:
    """Transformed examples as Transform writes them; each document has 9 tokens."""

    def int64s(values: Sequence[int]) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for pairs in documents:
            feature = {
                "target$ragged_values": int64s([target for target, _ in pairs]),
                "context$ragged_values": int64s([context for _, context in pairs]),
                "num_tokens": int64s([9]),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    return str(path)


DOCUMENTS = [[(0, 1), (1, 0)], [], [(2, 1), (1, 2), (0, 2)]]


def test_counts_by_hand(tmp_path: Path) -> None:
    counts = input_pipeline.count([write(tmp_path / "a.gz", DOCUMENTS)], SPEC, 4)
    assert (counts.documents, counts.tokens, counts.pairs) == (3, 27, 5)
    assert counts.context_counts.tolist() == [1, 2, 2, 0]


def test_counts_of_several_files_add_up(tmp_path: Path) -> None:
    files = [write(tmp_path / name, DOCUMENTS) for name in ("a.gz", "b.gz")]
    counts = input_pipeline.count(files, SPEC, 3)
    assert (counts.documents, counts.pairs) == (6, 10)


def test_counts_of_an_empty_split(tmp_path: Path) -> None:
    counts = input_pipeline.count([write(tmp_path / "a.gz", [])], SPEC, 2)
    assert (counts.documents, counts.tokens, counts.pairs) == (0, 0, 0)


def test_batches_go_on_across_documents_and_the_last_is_shorter(tmp_path: Path) -> None:
    batches = input_pipeline.batches([write(tmp_path / "a.gz", DOCUMENTS)], SPEC, 2)
    found = [
        (targets.tolist(), contexts.tolist()) for targets, contexts in batches.as_numpy_iterator()
    ]
    assert found == [([0, 1], [1, 0]), ([2, 1], [1, 2]), ([0], [2])]


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    second = write(tmp_path / "b.gz", [[(2, 2)]])
    first = write(tmp_path / "a.gz", [[(1, 1)]])
    [(targets, _)] = input_pipeline.batches([second, first], SPEC, 10).as_numpy_iterator()
    assert targets.tolist() == [1, 2]


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=7), max_size=9),
    st.integers(1, 10),
)
def test_no_pair_is_lost_or_moved(
    tmp_path_factory: pytest.TempPathFactory, documents: list[Document], batch_size: int
) -> None:
    path = write(tmp_path_factory.mktemp("pairs") / "a.gz", documents)
    found: list[tuple[int, int]] = []
    sizes = []
    for targets, contexts in input_pipeline.batches([path], SPEC, batch_size).as_numpy_iterator():
        found += zip(targets.tolist(), contexts.tolist(), strict=True)
        sizes.append(len(targets))
    assert found == [pair for pairs in documents for pair in pairs]
    assert all(size == batch_size for size in sizes[:-1])
