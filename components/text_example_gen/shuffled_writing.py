"""Writes the documents of each split in an order that depends on them alone, in Beam."""

import hashlib
import os
import uuid
from bisect import bisect
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import NamedTuple

import apache_beam as beam
import tensorflow as tf

from components.tfx_api import fileio, write_split

# Of the files, which may be compressed to a quarter: a bucket is sorted in memory.
_BYTES_A_BUCKET = 16 << 20


def shuffle_key(number: int, document: bytes) -> bytes:
    """Returns what decides the place of a document in the shuffled corpus.

    Args:
      number: of the document in its file. Without it, copies of a document would stand together,
        and training would meet a burst of them. The edges of a graph have many copies.
      document: its text.

    Returns:
      8 bytes, the same on every machine.
    """
    digest = hashlib.blake2b(b"%d " % number, digest_size=8)
    digest.update(document)
    return digest.digest()


def buckets_for(num_bytes: int) -> int:
    """Returns into how many buckets to shuffle a corpus whose files have so many bytes."""
    return 1 + num_bytes // _BYTES_A_BUCKET


class SplitFolder(NamedTuple):
    """Where a part of the documents goes, and how large it is."""

    folder: str
    hash_buckets: int


def split_of(record: bytes, splits: Mapping[str, SplitFolder]) -> str:
    """Returns the name of the split for a record, by its hash, as TFX's own ExampleGen does."""
    ends = list(accumulate(split.hash_buckets for split in splits.values()))
    bucket = int(hashlib.sha256(record).hexdigest(), 16) % ends[-1]
    return list(splits)[bisect(ends, bucket)]


class WriteShuffled(beam.PTransform):
    """From keyed Examples to the files of each split, in the order of the keys, bucket by bucket.

    A corpus comes book by book or package by package, and gradient descent wants it mixed. Beam's
    Reshuffle does not do that: it promises no order, and a local runner keeps the given one. Beam's
    sinks do not either: their files, and the order in them, follow the runner's bundles. Here each
    bucket becomes a file of each split, the same one with every runner.

    The result is, for each bucket, the number of documents of each split.
    """

    def __init__(
        self, splits: Mapping[str, SplitFolder], unfinished: str, num_buckets: int
    ) -> None:
        """Says what is written where.

        Args:
          splits: by name.
          unfinished: folder for files that are being written.
          num_buckets: the most files of a split.
        """
        super().__init__()
        self._splits = splits
        self._unfinished = unfinished
        self._num_buckets = num_buckets

    def expand(self, keyed: beam.PCollection) -> beam.PCollection:
        """Spreads the Examples over the buckets, sorts each in memory and writes it."""
        return (
            keyed
            | "Bucket" >> beam.Map(lambda element: (self._bucket(element[0]), element))
            | "Gather" >> beam.GroupByKey()
            | "Write" >> beam.MapTuple(self._write)
        )

    def _bucket(self, key: bytes) -> int:
        return int.from_bytes(key, "big") % self._num_buckets

    def _write(self, bucket: int, keyed: Iterable[tuple[bytes, bytes]]) -> dict[str, int]:
        records: dict[str, list[bytes]] = {name: [] for name in self._splits}
        for _, record in sorted(keyed):
            records[split_of(record, self._splits)].append(record)
        file = f"{bucket:05d}-of-{self._num_buckets:05d}.gz"
        for name, split in self._splits.items():
            path = os.path.join(split.folder, f"{write_split.DEFAULT_TF_RECORD_FILE_NAME}-{file}")
            if records[name]:
                self._write_file(records[name], path)
        return {f"documents_{name}": len(some) for name, some in records.items()}

    def _write_file(self, records: Iterable[bytes], path: str) -> None:
        # A killed worker leaves a file half written, and another worker starts over.
        unfinished = os.path.join(self._unfinished, uuid.uuid4().hex)
        with tf.io.TFRecordWriter(unfinished, "GZIP") as writer:
            for record in records:
                writer.write(record)
        fileio.rename(unfinished, path, overwrite=True)
