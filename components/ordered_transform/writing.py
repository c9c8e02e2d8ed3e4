"""Record batches that know their place -> files of tf.train.Examples in their order, in Beam.

Beam's own sink gives its files the order of the runner's bundles, and training takes documents in
the order of the files. Here each block is a file, which has its place by that of its first
document, however the runner spreads the work. Should a runner divide a block, its pieces are files.
"""

import json
import os
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from components.ordered_transform.reading import DOCUMENTS_A_BLOCK, FILE, NUMBER
from components.tfx_api import fileio, io_utils

_PARTS = "parts.json"
_NAME = "transformed_examples"  # as TFX's Transform calls them
# The least: ids are written at a third of the time that zlib's own choice takes, into a tenth more.
_OPTIONS = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)

_Part = tuple[int, int, str]  # file and number of its first document, and where it is


class WriteParts(beam.PTransform):
    """From what TransformDataset gives to files without order in a folder; see put_in_order."""

    def __init__(self, schema: schema_pb2.Schema, folder: str) -> None:
        """Says what is written where.

        Args:
          schema: of the transformed features.
          folder: for the files, and for what put_in_order has to know of them.
        """
        super().__init__()
        self._schema = schema.SerializeToString()
        self._folder = folder

    def expand(self, transformed: beam.PCollection) -> beam.PCollection:
        """Writes files, then which of them count: a bundle that fails leaves some behind."""
        return (
            transformed
            | "WritePart" >> beam.ParDo(_WritePart(self._schema, self._folder))
            | "ToOne" >> beam.combiners.ToList()
            | "WriteList" >> beam.Map(_write_list, os.path.join(self._folder, _PARTS))
        )


def _write_list(parts: Sequence[_Part], path: str) -> None:
    io_utils.write_string_file(path, json.dumps(parts))


class _WritePart(beam.DoFn):
    """Writes the batches of a block that follow one another into one file."""

    _encoder: RecordBatchToExamplesEncoder
    _part: _Part | None
    _writer: tf.io.TFRecordWriter
    _next: tuple[int, int]

    def __init__(self, schema: bytes, folder: str) -> None:
        self._schema = schema
        self._folder = folder

    def setup(self) -> None:
        self._encoder = RecordBatchToExamplesEncoder(schema_pb2.Schema.FromString(self._schema))

    def start_bundle(self) -> None:
        self._part, self._next = None, (-1, -1)

    def process(
        self, transformed: tuple[pa.RecordBatch, Mapping[str, pa.Array]]
    ) -> Iterator[_Part]:
        batch, _ = transformed
        file, number = (_first(batch, name) for name in (FILE, NUMBER))
        if (file, number) != self._next or number % DOCUMENTS_A_BLOCK == 0:
            yield from self._ended()
            self._begin(file, number)
        for record in self._encoder.encode(batch.drop_columns([FILE, NUMBER])):
            self._writer.write(record)
        self._next = file, number + batch.num_rows

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for part in self._ended():
            yield GlobalWindows.windowed_value(part)

    def _begin(self, file: int, number: int) -> None:
        path = os.path.join(self._folder, uuid.uuid4().hex)
        fileio.makedirs(self._folder)
        self._part = file, number, path
        self._writer = tf.io.TFRecordWriter(path, _OPTIONS)

    def _ended(self) -> Iterator[_Part]:
        if self._part:
            self._writer.close()
            yield self._part
            self._part = None


def _first(batch: pa.RecordBatch, name: str) -> int:
    value: int = batch.column(batch.schema.get_field_index(name))[0].as_py()[0]
    return value


def put_in_order(folder: str, outputs: Sequence[str]) -> None:
    """Gives the files of WriteParts the names by which they stand in their order.

    Args:
      folder: of WriteParts; it is removed.
      outputs: of each file that was read, the folder for what was made of it.
    """
    listed = json.loads(io_utils.read_string_file(os.path.join(folder, _PARTS)))
    paths: dict[str, list[str]] = defaultdict(list)
    for file, _, path in sorted(map(tuple, listed)):
        paths[outputs[file]].append(path)
    for output, parts in paths.items():
        fileio.makedirs(output)
        for number, path in enumerate(parts):
            name = f"{_NAME}-{number:05d}-of-{len(parts):05d}.gz"
            fileio.rename(path, os.path.join(output, name), overwrite=True)
    fileio.rmtree(folder)
