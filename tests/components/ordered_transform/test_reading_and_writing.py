"""Documents keep their order from files to files, whatever divides the work."""

import random
from collections.abc import Sequence
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.ordered_transform import reading, writing
from pipeline.beam_arguments import ON_THIS_MACHINE
from pipeline.data_nodes import SCHEMA_FILE

SCHEMA = text_format.Parse(SCHEMA_FILE.read_text(), schema_pb2.Schema())


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 4 documents, which are read 2 at a time."""
    monkeypatch.setattr(reading, "_DOCUMENTS_AT_ONCE", 2)
    monkeypatch.setattr(reading, "_READS_A_BLOCK", 2)
    monkeypatch.setattr(reading, "DOCUMENTS_A_BLOCK", 4)
    monkeypatch.setattr(writing, "DOCUMENTS_A_BLOCK", 4)


def example(text: str) -> bytes:
    feature = {
        "text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()])),
        "occurrence": tf.train.Feature(int64_list=tf.train.Int64List(value=[0])),
    }
    record: bytes = tf.train.Example(
        features=tf.train.Features(feature=feature)
    ).SerializeToString()
    return record


def written(path: Path, texts: Sequence[str]) -> str:
    compression = "GZIP" if path.suffix == ".gz" else ""
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for text in texts:
            writer.write(example(text))
    return str(path)


def texts_of(batch: pa.RecordBatch) -> list[str]:
    return [text.decode() for [text] in batch.column("text").to_pylist()]


def read(path: str, part: int, parts: int) -> list[pa.RecordBatch]:
    return list(reading.read_part((7, path, part, parts), SCHEMA.SerializeToString()))


@pytest.mark.parametrize("name", ["some.gz", "some"])
def test_a_part_is_every_so_many_blocks_in_batches_that_know_their_place(
    tmp_path: Path, name: str
) -> None:
    path = written(tmp_path / name, [f"{n}" for n in range(11)])
    [first, last] = read(path, 0, 2)
    assert texts_of(first) == ["0", "1", "2", "3"]
    assert first.column(reading.NUMBER).to_pylist() == [[0], [1], [2], [3]]
    assert first.column(reading.FILE).to_pylist() == [[7]] * 4
    assert texts_of(last) == ["8", "9", "10"]
    assert last.column(reading.NUMBER).to_pylist() == [[8], [9], [10]]
    [between] = read(path, 1, 2)
    assert texts_of(between) == ["4", "5", "6", "7"]
    assert read(path, 3, 4) == []


def test_a_batch_ends_where_it_holds_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_BYTES_A_BATCH", 1)
    path = written(tmp_path / "some.gz", [f"{n}" for n in range(7)])
    found = read(path, 0, 1)
    assert [texts_of(batch) for batch in found] == [["0", "1"], ["2", "3"], ["4", "5"], ["6"]]
    assert [batch.column(reading.NUMBER)[0].as_py() for batch in found] == [[0], [2], [4], [6]]


@pytest.mark.parametrize("size", [0, 1, 4, 8, 9])
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_parts_are_the_whole(tmp_path: Path, size: int, parts: int) -> None:
    path = written(tmp_path / "some.gz", [f"{n}" for n in range(size)])
    batches = [batch for part in range(parts) for batch in read(path, part, parts)]
    numbers = [n for batch in batches for [n] in batch.column(reading.NUMBER).to_pylist()]
    texts = [text for batch in batches for text in texts_of(batch)]
    assert texts == [f"{n}" for n in numbers]
    assert sorted(numbers) == list(range(size))


def found_in(folder: str) -> list[list[str]]:
    """The texts of each file, in the order of the names."""
    found = []
    for path in sorted(Path(folder).iterdir()):
        records = tf.data.TFRecordDataset(str(path), "GZIP")
        examples = (tf.train.Example.FromString(record.numpy()) for record in records)
        found.append(
            [each.features.feature["text"].bytes_list.value[0].decode() for each in examples]
        )
    return found


@pytest.mark.parametrize("parts", [1, 3])
def test_documents_are_written_in_the_order_in_which_they_were_read(
    tmp_path: Path, parts: int
) -> None:
    train, other, held_out = ([f"{name}{n}" for n in range(9)] for name in "abc")
    paths = [written(tmp_path / f"{n}.gz", texts) for n, texts in enumerate((train, other))]
    paths.append(written(tmp_path / "2.gz", held_out[:3]))
    batches = [
        (batch, {})
        for file, path in enumerate(paths)
        for part in range(parts)
        for batch in reading.read_part((file, path, part, parts), SCHEMA.SerializeToString())
    ]
    random.Random(parts).shuffle(batches)
    unfinished, outputs = str(tmp_path / "unfinished"), [str(tmp_path / "train")] * 2
    outputs.append(str(tmp_path / "eval"))
    with beam.Pipeline(argv=list(ON_THIS_MACHINE)) as pipeline:
        _ = pipeline | beam.Create(batches) | writing.WriteParts(SCHEMA, unfinished)
    Path(unfinished, "of-a-bundle-that-failed").write_bytes(b"half a file")
    writing.put_in_order(unfinished, outputs)
    assert found_in(outputs[0]) == [
        train[:4], train[4:8], train[8:], other[:4], other[4:8], other[8:]
    ]  # fmt: skip
    assert found_in(outputs[2]) == [held_out[:3]]
    assert not Path(unfinished).exists()
    names = [path.name for path in sorted(Path(outputs[0]).iterdir())]
    assert names[0] == "transformed_examples-00000-of-00006.gz"


def test_pieces_of_a_block_keep_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner that hands batches of a block to several workers, or in another order."""
    monkeypatch.setattr(reading, "_BYTES_A_BATCH", 1)
    path = written(tmp_path / "some.gz", [f"{n}" for n in range(8)])
    batches = [(batch, {}) for batch in read(path, 0, 1)]
    batches = [
        (batch.set_column(batch.schema.get_field_index(reading.FILE), reading.FILE, zeros), {})
        for batch, _ in batches
        for zeros in [pa.array([[0]] * batch.num_rows, pa.large_list(pa.int64()))]
    ]
    unfinished, output = str(tmp_path / "unfinished"), str(tmp_path / "train")
    with beam.Pipeline(argv=list(ON_THIS_MACHINE)) as pipeline:
        _ = pipeline | beam.Create(batches[::-1]) | writing.WriteParts(SCHEMA, unfinished)
    writing.put_in_order(unfinished, [output])
    assert [text for texts in found_in(output) for text in texts] == [f"{n}" for n in range(8)]
