"""Writes the documents of each split in an order that depends on them alone, in Beam.

Documents travel in blocks: Beam takes as long for an element of a megabyte as for one of a word.
"""

import hashlib
import os
import uuid
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any, NamedTuple

import apache_beam as beam
import tensorflow as tf

from components.tfx_api import fileio, write_split
from trainer_module import features
from trainer_module.text.near_copies import near_copy_hash

# Of the files, which may be compressed to a quarter: a bucket is sorted in memory.
_BYTES_A_BUCKET = 16 << 20
# Of the documents in blocks that are being filled.
_BYTES_IN_BLOCKS = 4 << 20
_COUNTS = "counts"


class Copies(NamedTuple):
    """A document as it was read."""

    near_copies: int  # near_copies.near_copy_hash
    document: bytes
    number: int  # how often it was read


class Occurrence(NamedTuple):
    """A document as it is written, once for each of its copies. Sorts into the shuffled order."""

    key: bytes  # shuffle_key
    document: bytes
    nth: int  # which of its near-copies it is, from 0
    split: str


def shuffle_key(nth: int, document: bytes) -> bytes:
    """Returns what decides the place of a document in the shuffled corpus.

    Args:
      nth: which of its copies it is. Without it, copies of a document would stand together, and
        training would meet a burst of them. The edges of a graph have many copies.
      document: its text.

    Returns:
      8 bytes, the same on every machine.
    """
    digest = hashlib.blake2b(b"%d " % nth, digest_size=8)
    digest.update(document)
    return digest.digest()


def buckets_for(num_bytes: int) -> int:
    """Returns into how many buckets to shuffle a corpus whose files have so many bytes."""
    return 1 + num_bytes // _BYTES_A_BUCKET


class SplitFolder(NamedTuple):
    """Where a part of the documents goes, and how large it is."""

    folder: str
    hash_buckets: int


def split_of(near_copies: int, splits: Mapping[str, SplitFolder]) -> str:
    """Returns the name of the split for a document: the same one for all of its near-copies."""
    ends = list(accumulate(split.hash_buckets for split in splits.values()))
    return list(splits)[bisect(ends, near_copies % ends[-1])]


def in_blocks(
    elements: Iterable[tuple[int, Any]], size: Callable[[Any], int]
) -> Iterator[tuple[int, list[Any]]]:
    """Gathers what goes to the same bucket, a few megabytes at a time.

    Args:
      elements: each with its bucket.
      size: bytes of an element.

    Yields:
      A bucket with some of its elements, in their order.
    """
    blocks: dict[int, list[Any]] = defaultdict(list)
    held = 0
    for bucket, element in elements:
        blocks[bucket].append(element)
        held += size(element)
        if held >= _BYTES_IN_BLOCKS:
            yield from blocks.items()
            blocks, held = defaultdict(list), 0
    yield from blocks.items()


def copies_by_bucket(
    documents: Iterable[bytes], num_buckets: int
) -> Iterator[tuple[int, list[Copies]]]:
    """Yields documents in blocks for WriteShuffled: near-copies have the same bucket."""

    def keyed() -> Iterator[tuple[int, Copies]]:
        for document in documents:
            near_copies = near_copy_hash(document)
            # Not by the digits that decide the split.
            yield (near_copies >> 32) % num_buckets, Copies(near_copies, document, 1)

    for bucket, block in in_blocks(keyed(), lambda copies: len(copies.document)):
        yield bucket, _added_up(block)


def _added_up(block: Iterable[Copies]) -> list[Copies]:
    """One entry a document."""
    numbers: Counter[tuple[int, bytes]] = Counter()
    for near_copies, document, number in block:
        numbers[near_copies, document] += number
    return [Copies(*known, number) for known, number in numbers.items()]


class WriteShuffled(beam.PTransform):
    """From blocks of documents, copies_by_bucket, to the files of each split, shuffled.

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
          unfinished: folder for files that are being written.
          num_buckets: the most files of a split.
        """
        super().__init__()
        self._splits = splits
        self._unfinished = unfinished
        self._num_buckets = num_buckets

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        """Numbers the copies, spreads them over the buckets, sorts each in memory, writes it."""
        numbered = (
            blocks
            | "GatherCopies" >> beam.GroupByKey()
            | "Number" >> beam.FlatMapTuple(self._number).with_outputs(_COUNTS, main="blocks")
        )
        written = (
            numbered.blocks | "Gather" >> beam.GroupByKey() | "Write" >> beam.MapTuple(self._write)
        )
        return (numbered[_COUNTS], written) | "Counts" >> beam.Flatten()

    def _number(self, _: int, blocks: Iterable[list[Copies]]) -> Iterator[Any]:
        groups: dict[int, list[Copies]] = defaultdict(list)
        for copies in _added_up(Copies(*copies) for block in blocks for copies in block):
            groups[copies.near_copies].append(copies)
        occurrences = (
            (int.from_bytes(one.key, "big") % self._num_buckets, one)
            for group in groups.values()
            for one in numbered(group, split_of(group[0].near_copies, self._splits))
        )
        yield from in_blocks(occurrences, lambda one: len(one.document))
        yield beam.pvalue.TaggedOutput(_COUNTS, self._counts(groups))

    def _counts(self, groups: Mapping[int, Iterable[Copies]]) -> dict[str, int]:
        counts = {"distinct": len(groups)} | {f"copies_{name}": 0 for name in self._splits}
        for near_copies, group in groups.items():
            number = sum(copies.number for copies in group)
            if number > 1:
                counts[f"copies_{split_of(near_copies, self._splits)}"] += number
        return counts

    def _write(self, bucket: int, blocks: Iterable[list[Occurrence]]) -> dict[str, int]:
        records: dict[str, list[bytes]] = {name: [] for name in self._splits}
        for _, document, nth, split in sorted(one for block in blocks for one in block):
            records[split].append(example(document, nth))
        file = f"{bucket:05d}-of-{self._num_buckets:05d}.gz"
        for name, split_folder in self._splits.items():
            file_name = f"{write_split.DEFAULT_TF_RECORD_FILE_NAME}-{file}"
            if records[name]:
                self._write_file(records[name], os.path.join(split_folder.folder, file_name))
        return {f"documents_{name}": len(some) for name, some in records.items()}

    def _write_file(self, records: Iterable[bytes], path: str) -> None:
        # A killed worker leaves a file half written, and another worker starts over.
        unfinished = os.path.join(self._unfinished, uuid.uuid4().hex)
        with tf.io.TFRecordWriter(unfinished, "GZIP") as writer:
            for record in records:
                writer.write(record)
        fileio.rename(unfinished, path, overwrite=True)


def numbered(near_copies: Iterable[Copies], split: str) -> Iterator[Occurrence]:
    """Yields each copy of each of the documents, which are near-copies of each other.

    Args:
      near_copies: all that there are.
      split: of them.
    """
    each = (copies.document for copies in sorted(near_copies) for _ in range(copies.number))
    for nth, document in enumerate(each):
        yield Occurrence(shuffle_key(nth, document), document, nth, split)


def example(document: bytes, nth: int) -> bytes:
    """Returns the serialised tf.train.Example of a document, see features.py."""
    feature = {
        features.TEXT: tf.train.Feature(bytes_list=tf.train.BytesList(value=[document])),
        features.OCCURRENCE: tf.train.Feature(int64_list=tf.train.Int64List(value=[nth])),
    }
    record = tf.train.Example(features=tf.train.Features(feature=feature))
    return bytes(record.SerializeToString(deterministic=True))
