"""Writes the documents of each split in an order that depends on them alone, in Beam."""

import hashlib
import os
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import apache_beam as beam
import tensorflow as tf
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from components.text_example_gen.writing.runs import Run, RunFile, merged
from components.tfx_api import fileio, write_split
from trainer_module import features
from trainer_module.text.near_copies import near_copy_hashes

# Of the files, which may be compressed to a quarter.
_BYTES_A_BUCKET = 16 << 20
# zlib's fastest. Its own choice, 6, takes five times as long, and leaves 44 % of a text, not 51 %.
_GZIP = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
# Hashed at once: a core's nearest caches hold them.
_BYTES_OF_BATCH = 1 << 15
_COUNTS = "counts"


def shuffle_key(nth: int, document: bytes) -> bytes:
    """Returns what decides the place of a document in the shuffled corpus.

    Args:
      nth: which of its copies it is. Without it, copies of a document would stand together, and
        training would meet a burst of them. The edges of a graph have many copies.
      document: its text.

    Returns:
      8 bytes, the same on every machine.
    """
    return hashlib.blake2b(b"%d %b" % (nth, document), digest_size=8).digest()


def buckets_for(num_bytes: int) -> int:
    """Returns into how many buckets to shuffle a corpus whose files have so many bytes."""
    return 1 + num_bytes // _BYTES_A_BUCKET


class SplitFolder(NamedTuple):
    """Where a part of the documents goes, and how large it is."""

    folder: str
    hash_buckets: int


def dealt_out(splits: Mapping[str, SplitFolder]) -> list[str]:
    """Returns the names of splits by remainder: that of a key is its document's split.

    >>> dealt_out({"train": SplitFolder("t", 3), "eval": SplitFolder("e", 1)})
    ['train', 'train', 'train', 'eval']
    """
    return [name for name, split in splits.items() for _ in range(split.hash_buckets)]


class Spilling(beam.DoFn):
    """What gathers the records of a bundle of elements into runs, with their buckets.

    A bundle that fails is tried again with a file of its own. Beam keeps the last try's runs alone.
    """

    def __init__(self, unfinished: str) -> None:
        """Says in which folder the files of runs are to lie."""
        self._folder = unfinished

    def start_bundle(self) -> None:
        """Begins a file."""
        self._file = RunFile(self._folder)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Yields what is still held, and ends the file."""
        for run in self._file.runs():
            yield GlobalWindows.windowed_value(run)
        self._file.close()


class SpillDocuments(Spilling):
    """From documents to runs for WriteShuffled: copies have the same bucket."""

    def __init__(self, unfinished: str, num_buckets: int) -> None:
        """See WriteShuffled."""
        super().__init__(unfinished)
        self._num_buckets = num_buckets

    def spill(self, documents: Iterable[bytes]) -> Iterator[tuple[int, Run]]:
        """Yields runs of documents of text, (near_copy_hash, document) each."""
        for some in _in_batches(documents):
            for near_copies, document in zip(near_copy_hashes(some), some, strict=True):
                # Not by the digits that decide the split. In place, as a text has many.
                bucket = (near_copies >> 32) % self._num_buckets
                yield from self._file.add(bucket, (near_copies, document))

    def spill_record(self, key: int, document: bytes) -> Iterable[tuple[int, Run]]:
        """Returns the runs that are full once a document is added.

        Args:
          key: its remainder decides the split, see dealt_out; copies have the same.
          document: UTF-8.
        """
        return self._file.add((key >> 32) % self._num_buckets, (key, document))


def _in_batches(documents: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch, num_bytes = [], 0
    for document in documents:
        batch.append(document)
        num_bytes += len(document)
        if num_bytes >= _BYTES_OF_BATCH:
            yield batch
            batch, num_bytes = [], 0
    yield batch


class WriteShuffled(beam.PTransform):
    """From runs of documents, see SpillDocuments, to the files of each split, shuffled.

    A corpus comes book by book or package by package, and gradient descent wants it mixed. Beam's
    Reshuffle does not do that: it promises no order, and a local runner keeps the given one. Beam's
    sinks do not either: their files, and the order in them, follow the runner's bundles. Here each
    bucket becomes a file of each split, the same one with every runner.

    The documents are gathered twice. First near-copies come together and are numbered, whatever
    files they came from. The numbers make the keys by which the documents are then shuffled.

    The result are counts: of each split its documents (`documents_train`) and those among them that
    have a near-copy (`copies_train`); and the documents without their near-copies, `distinct`.
    """

    def __init__(
        self, splits: Mapping[str, SplitFolder], unfinished: str, num_buckets: int
    ) -> None:
        """Says what is written where.

        Args:
          splits: by name.
          unfinished: folder for files that are being written, and for runs. All workers see it.
          num_buckets: the most files of a split.
        """
        super().__init__()
        self._splits = splits
        self._unfinished = unfinished
        self._num_buckets = num_buckets

    def expand(self, runs: beam.PCollection) -> beam.PCollection:
        """Numbers the copies, spreads them over the files, writes each in the order of its keys."""
        number = beam.ParDo(Number(self._splits, self._unfinished, self._num_buckets))
        numbered = (
            runs
            | "GatherCopies" >> beam.GroupByKey()
            | "Number" >> number.with_outputs(_COUNTS, main="runs")
        )
        _ = numbered.runs | "Gather" >> beam.GroupByKey() | "Write" >> beam.MapTuple(self._write)
        return numbered[_COUNTS]

    def _write(self, path: str, runs: Iterable[Run]) -> None:
        # A killed worker leaves a file half written, and another worker starts over.
        aside = os.path.join(self._unfinished, uuid.uuid4().hex)
        with tf.io.TFRecordWriter(aside, _GZIP) as writer:
            for _, record in merged(runs):
                writer.write(record)
        fileio.rename(aside, path, overwrite=True)


class Number(Spilling):
    """From the runs of a bucket to runs of Examples, by the files that they go to."""

    def __init__(
        self, splits: Mapping[str, SplitFolder], unfinished: str, num_buckets: int
    ) -> None:
        """See WriteShuffled."""
        super().__init__(unfinished)
        self._splits = splits
        self._dealt_out = dealt_out(splits)
        self._files = {
            name: [
                os.path.join(
                    split.folder,
                    f"{write_split.DEFAULT_TF_RECORD_FILE_NAME}-{bucket:05d}-of-{num_buckets:05d}.gz",
                )
                for bucket in range(num_buckets)
            ]
            for name, split in splits.items()
        }

    def process(self, bucket: tuple[int, Iterable[Run]]) -> Iterator[Any]:
        """Yields runs; last, with a tag, the counts."""
        seen: Counter[tuple[str, int]] = Counter()
        for near_copies, nth, document in numbered(merged(bucket[1])):
            split = self._dealt_out[near_copies % len(self._dealt_out)]
            files = self._files[split]
            key = int.from_bytes(shuffle_key(nth, document), "big")
            yield from self._file.add(files[key % len(files)], (key, example(document, nth)))
            seen[split, min(nth, 2)] += 1
        yield beam.pvalue.TaggedOutput(_COUNTS, self._counts(seen))

    def _counts(self, seen: Mapping[tuple[str, int], int]) -> dict[str, int]:
        counts = {"distinct": 0}
        for name in self._splits:
            first, second, later = (seen[name, nth] for nth in range(3))
            counts["distinct"] += first
            counts[f"documents_{name}"] = first + second + later
            counts[f"copies_{name}"] = 2 * second + later  # a second one makes two
        return counts


def numbered(records: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, int, bytes]]:
    """Yields (near_copies, nth, document): which of its near-copies a document is.

    Args:
      records: (near_copies, document), in their order.
    """
    last, nth = None, 0
    for near_copies, document in records:
        nth = nth + 1 if near_copies == last else 0
        last = near_copies
        yield near_copies, nth, document


def example(document: bytes, nth: int) -> bytes:
    """Returns the serialised tf.train.Example of a document, see features.py."""
    return _before_text(len(document), nth) + document


@lru_cache(maxsize=1 << 14)
def _before_text(num_bytes: int, nth: int) -> bytes:
    """What an Example begins with: all but its text, which is last as features go by their names.

    To make it takes longer than all else that is done with a document, and many have the same.
    """
    feature = {
        features.TEXT: tf.train.Feature(bytes_list=tf.train.BytesList(value=[bytes(num_bytes)])),
        features.OCCURRENCE: tf.train.Feature(int64_list=tf.train.Int64List(value=[nth])),
    }
    record = tf.train.Example(features=tf.train.Features(feature=feature))
    serialized: bytes = record.SerializeToString(deterministic=True)
    return serialized[: len(serialized) - num_bytes]
