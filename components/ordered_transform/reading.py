"""Files of tf.train.Examples -> record batches that know their place, in Beam.

An element is a batch, not a document: Beam takes as long for the one as for the other.
"""

import os
from collections.abc import Iterable, Iterator, Sequence

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
_READ_BYTES = 1 << 20


class ReadInOrder(beam.PTransform):  # type: ignore[misc]
    """From a pipeline to the batches of files, one of which is read by one worker, from its start."""

    def __init__(self, paths: Sequence[str], schema: schema_pb2.Schema) -> None:
        super().__init__()
        self._paths = paths
        self._schema = schema.SerializeToString()

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Spreads the files over the workers."""
        read = beam.FlatMap(read_file, self._schema).with_output_types(pa.RecordBatch)
        return (
            pipeline
            | "Paths" >> beam.Create(list(enumerate(self._paths)))
            | "Spread" >> beam.Reshuffle()
            | "ReadFile" >> read
        )


def adapter_config(schema: schema_pb2.Schema) -> TensorAdapterConfig:
    """What tensorflow_transform has to know of the batches of ReadInOrder."""
    arrow_schema = ExamplesToRecordBatchDecoder(schema.SerializeToString()).ArrowSchema()
    for name in (FILE, NUMBER):
        arrow_schema = arrow_schema.append(pa.field(name, _PLACE_TYPE))
    return TensorAdapterConfig(arrow_schema, InferTensorRepresentationsFromMixedSchema(schema))


def read_file(numbered_path: tuple[int, str], schema: bytes) -> Iterator[pa.RecordBatch]:
    """Yields the documents of a file in batches, in their order.

    Args:
      numbered_path: the file's number, and where it is: TFRecords, gzipped if its name ends so.
      schema: of the features, serialised.
    """
    file, path = numbered_path
    decoder, number = ExamplesToRecordBatchDecoder(schema), 0
    for records in _in_batches(path):
        batch = decoder.DecodeBatch(records)
        files = np.full(len(records), file)
        numbers = np.arange(number, number + len(records))
        number += len(records)
        yield pa.RecordBatch.from_arrays(
            [*batch.columns, _column(files), _column(numbers)],
            [*batch.schema.names, FILE, NUMBER],
        )


def _in_batches(path: str) -> Iterator[list[bytes]]:
    compression = "GZIP" if os.path.splitext(path)[1] == ".gz" else ""
    dataset = tf.data.TFRecordDataset(path, compression, _READ_BYTES).batch(_DOCUMENTS_AT_ONCE)
    yield from joined(records.tolist() for records in dataset.as_numpy_iterator())


def joined(some: Iterable[list[bytes]]) -> Iterator[list[bytes]]:
    """Joins lists of records until they hold what is a batch."""
    batch: list[bytes] = []
    held = 0
    for records in some:
        batch += records
        held += sum(map(len, records))
        if held >= _BYTES_A_BATCH:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _column(values: np.ndarray) -> pa.LargeListArray:
    return pa.LargeListArray.from_arrays(np.arange(len(values) + 1), pa.array(values, pa.int64()))
