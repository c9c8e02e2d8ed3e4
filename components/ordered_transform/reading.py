"""Files of tf.train.Examples -> record batches that know their place, in Beam.

An element is a batch, not a document: Beam takes as long for the one as for the other.
"""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder
from tfx_bsl.tfxio.tensor_adapter import TensorAdapterConfig
from tfx_bsl.tfxio.tensor_representation_util import InferTensorRepresentationsFromMixedSchema

# Columns beside the features: of each document the number of its file, and its own in the file.
FILE, NUMBER = "its_file", "its_number"
PLACE = frozenset({FILE, NUMBER})
_PLACE_TYPE = pa.large_list(pa.int64())

# Serialised documents that are a batch: enough that a token is counted once for many occurrences,
# few enough that what the graph makes of them stays in the cores' caches.
_BYTES_A_BATCH = 512 << 10
_DOCUMENTS_AT_ONCE = 128  # so many are read before their bytes are looked at
_READS_A_BLOCK = 128
# No batch has documents of two blocks. What is made of a block is a file.
DOCUMENTS_A_BLOCK = _DOCUMENTS_AT_ONCE * _READS_A_BLOCK
_READ_BYTES = 1 << 20


class Part(NamedTuple):
    """The blocks of a file that one worker takes: every `parts`-th one."""

    file: int
    path: str  # TFRecords, gzipped if it ends so
    part: int  # the first of the blocks
    parts: int


class ReadInOrder(beam.PTransform):
    """From a pipeline to the batches of files: those of a block in their order, by one worker."""

    def __init__(self, paths: Sequence[str], parts: int, schema: schema_pb2.Schema) -> None:
        """Says what is read.

        Args:
          paths: the files.
          parts: into how many to divide each file. For each of them the whole file is unpacked,
            which takes a tenth of the time of what is done with it.
          schema: of the features.
        """
        super().__init__()
        self._parts = [
            (file, path, part, parts) for file, path in enumerate(paths) for part in range(parts)
        ]
        self._schema = schema.SerializeToString()

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Spreads the parts over the workers."""
        read = beam.FlatMap(read_part, self._schema).with_output_types(pa.RecordBatch)
        return (
            pipeline
            | "Parts" >> beam.Create(self._parts)
            | "Spread" >> beam.Reshuffle()
            | "ReadPart" >> read
        )


def adapter_config(schema: schema_pb2.Schema) -> TensorAdapterConfig:
    """What tensorflow_transform has to know of the batches of ReadInOrder."""
    arrow_schema = ExamplesToRecordBatchDecoder(schema.SerializeToString()).ArrowSchema()
    for name in (FILE, NUMBER):
        arrow_schema = arrow_schema.append(pa.field(name, _PLACE_TYPE))
    return TensorAdapterConfig(arrow_schema, InferTensorRepresentationsFromMixedSchema(schema))


def read_part(part: tuple[int, str, int, int], schema: bytes) -> Iterator[pa.RecordBatch]:
    """Yields the documents of a part in batches, in their order.

    Args:
      part: a Part; Beam makes a plain tuple of it.
      schema: of the features, serialised.
    """
    decoder, part = ExamplesToRecordBatchDecoder(schema), Part(*part)
    for number, records in _batches(part):
        batch = decoder.DecodeBatch(records)
        files = np.full(len(records), part.file)
        numbers = np.arange(number, number + len(records))
        yield pa.RecordBatch.from_arrays(
            [*batch.columns, _column(files), _column(numbers)],
            [*batch.schema.names, FILE, NUMBER],
        )


def _batches(part: Part) -> Iterator[tuple[int, list[bytes]]]:
    """Batches of records, each with the number of its first."""
    compression = "GZIP" if os.path.splitext(part.path)[1] == ".gz" else ""
    dataset = tf.data.TFRecordDataset(part.path, compression, _READ_BYTES)
    batch: list[bytes] = []
    end = held = 0
    for read, records in enumerate(dataset.batch(_DOCUMENTS_AT_ONCE)):
        block, read_of_block = divmod(read, _READS_A_BLOCK)
        if block % part.parts != part.part:
            continue
        some = records.numpy().tolist()
        batch += some
        held += sum(map(len, some))
        end = read * _DOCUMENTS_AT_ONCE + len(some)
        if held >= _BYTES_A_BATCH or read_of_block == _READS_A_BLOCK - 1:
            yield end - len(batch), batch
            batch, held = [], 0
    if batch:
        yield end - len(batch), batch


def _column(values: np.ndarray) -> pa.LargeListArray:
    return pa.LargeListArray.from_arrays(np.arange(len(values) + 1), pa.array(values, pa.int64()))
