"""Reads text files into tf.train.Examples, one a document, in Beam."""

import hashlib
import json
import os
import uuid
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import accumulate
from typing import Any, BinaryIO, NamedTuple

import apache_beam as beam
import tensorflow as tf
from absl import logging
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from google.protobuf import struct_pb2

from components.text_example_gen import files, reading
from components.tfx_api import (
    artifact_utils,
    base_example_gen_executor,
    example_gen_pb2,
    fileio,
    io_utils,
    proto_utils,
    types,
    write_split,
)
from components.tfx_api import standard_component_specs as specs
from trainer_module import features
from trainer_module.errors import InputError

# In the root of the Examples artifact: what was read, as JSON.
READING_FILE = "reading.json"
# There too, while it runs.
_UNFINISHED = "unfinished"
_COUNTS = "counts"
# Of the files, which may be compressed to a quarter: a bucket is sorted in memory.
_BYTES_A_BUCKET = 16 << 20


def example(document: bytes) -> bytes:
    """Returns the serialised tf.train.Example of one document."""
    text = tf.train.Feature(bytes_list=tf.train.BytesList(value=[document]))
    record = tf.train.Example(features=tf.train.Features(feature={features.TEXT: text}))
    return bytes(record.SerializeToString(deterministic=True))


def open_file(path: str) -> BinaryIO:
    """Opens a file of any file system that Beam knows, as it is stored.

    Raises:
      InputError: it cannot be opened.
    """
    try:
        file: BinaryIO = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except OSError as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path!r} cannot be read ({reason}); check that it exists and may be read"
        ) from error
    return file


def read_file(path: str, options: reading.Options) -> Iterator[Any]:
    """Yields the keyed Examples of a file and, last and tagged, what was counted in it.

    A bundle that fails is tried again and only its last outputs are kept, so nothing is counted
    twice, as Beam's own metrics would.
    """
    counts = reading.Counts()
    with open_file(path) as file:
        documents = reading.read_documents(file, path, options, counts)
        for number, document in enumerate(documents):
            yield shuffle_key(number, document), example(document)
    yield beam.pvalue.TaggedOutput(_COUNTS, asdict(counts))


def shuffle_key(number: int, document: bytes) -> bytes:
    """Where a document comes in the shuffled corpus.

    Args:
      number: of the document in its file; without it the copies of a document, as the edges of a
        graph have them, would come one after the other and training would see a burst of them.
      document: its text.

    Returns:
      8 bytes, the same on every machine.
    """
    digest = hashlib.blake2b(b"%d " % number, digest_size=8)
    digest.update(document)
    return digest.digest()


class ReadCorpus(beam.PTransform):
    """From a pipeline to the keyed Examples of `paths`.

    `counts` is what was counted in each file.
    """

    counts: beam.PCollection

    def __init__(self, paths: Sequence[str], options: reading.Options) -> None:
        super().__init__()
        self._paths = paths
        self._options = options

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Spreads the files over the workers; one file is read by one of them."""
        read = beam.FlatMap(read_file, self._options).with_output_types(tuple[bytes, bytes])
        outputs = (
            pipeline
            | "Paths" >> beam.Create(self._paths)
            | "Spread" >> beam.Reshuffle()
            | "ReadFile" >> read.with_outputs(_COUNTS, main="examples")
        )
        self.counts = outputs[_COUNTS]
        return outputs["examples"]


class Split(NamedTuple):
    """Where a part of the documents goes, and how large it is."""

    folder: str
    hash_buckets: int


def split_of(record: bytes, splits: Mapping[str, Split]) -> str:
    """Returns the name of the split for a record, by its hash, as TFX's own ExampleGen does."""
    ends = list(accumulate(split.hash_buckets for split in splits.values()))
    bucket = int(hashlib.sha256(record).hexdigest(), 16) % ends[-1]
    return list(splits)[bisect(ends, bucket)]


class WriteShuffled(beam.PTransform):
    """From keyed Examples to the files of each split, in the order of the keys, bucket by bucket.

    A corpus comes book by book or package by package, and gradient descent wants it mixed. Beam's
    Reshuffle promises no order, and on a local runner it keeps the one that it is given; and the
    files that Beam's sinks write, and the order in them, are those of the runner's bundles. A
    bucket is a file of each split, the same one whatever the runner.

    The result is the number of documents by split, of each bucket.
    """

    def __init__(self, splits: Mapping[str, Split], unfinished: str, num_buckets: int) -> None:
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
        # A worker that is killed leaves it half written, and another one begins anew.
        unfinished = os.path.join(self._unfinished, uuid.uuid4().hex)
        with tf.io.TFRecordWriter(unfinished, "GZIP") as writer:
            for record in records:
                writer.write(record)
        fileio.rename(unfinished, path, overwrite=True)


def add_counts(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Returns the sum of counts, name by name."""
    total: Counter[str] = Counter()
    for some in counts:
        total.update(some)
    return dict(total)


def _write_json(content: Mapping[str, int], path: str) -> None:
    io_utils.write_string_file(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def matching_files(root: str, patterns: str) -> list[str]:
    """Returns the files that newline-separated patterns below `root` match, each once, sorted.

    Raises:
      InputError: a pattern matches nothing, or a file whose ending is not known.
    """
    paths: set[str] = set()
    for pattern in (os.path.join(root, relative) for relative in patterns.split("\n")):
        match = fileio.glob if files.is_remote(pattern) else files.local_matches
        if not (matches := match(pattern)):
            raise InputError(
                f"no file matches {pattern!r} here; check that it exists and may be read"
            )
        paths.update(matches)
    if unknown := sorted(path for path in paths if not files.known_ending(path)):
        raise InputError(
            f"{files.name_few(unknown)} cannot be read: the known endings are"
            f" {', '.join(files.ENDINGS)}; rename the files or name others"
        )
    return sorted(paths)


def read_options(exec_properties: Mapping[str, Any]) -> reading.Options:
    """Returns the options that TextExampleGen put into `custom_config`."""
    config = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(exec_properties[specs.CUSTOM_CONFIG_KEY], config)
    values = struct_pb2.Struct()
    config.custom_config.Unpack(values)
    # A Struct knows floats only.
    return reading.Options(values["json_field"], int(values["max_document_bytes"]))


def _hash_buckets(exec_properties: Mapping[str, Any]) -> dict[str, int]:
    """Returns how large each split is, in the order in which TFX deals out the hashes."""
    config = example_gen_pb2.Output()
    proto_utils.json_to_proto(exec_properties[specs.OUTPUT_CONFIG_KEY], config)
    return {split.name: split.hash_buckets for split in config.split_config.splits}


def check_counts(
    counts: Mapping[str, int], paths: Sequence[str], hash_buckets: Mapping[str, int]
) -> None:
    """Checks that there is something to work with.

    Args:
      counts: the content of `reading.json`.
      paths: the files that were read.
      hash_buckets: of each split, which gets as large a part of the documents.

    Raises:
      InputError: no document at all, or none in one of the splits.
    """
    documents = counts["documents"]
    if not documents:
        raise InputError(
            f"the corpus holds no document: {counts['empty_files']} of its {len(paths)} files are"
            f" empty and {counts['empty_lines']} lines are blank ({files.name_few(paths)});"
            " give files with text"
        )
    for name, buckets in hash_buckets.items():
        if not counts[f"documents_{name}"]:
            share = buckets / sum(hash_buckets.values())
            raise InputError(
                f"none of the corpus's {documents} documents fell into the split {name!r}, which"
                f" gets {share:.1%} of them; give more lines or change corpus.eval_fraction"
            )


class Executor(base_example_gen_executor.BaseExampleGenExecutor):
    """TFX's file-based import of documents, with an account of them.

    Beside the splits it writes `reading.json`: the fields of reading.Counts, and the documents of
    each split as documents_train and documents_eval.
    """

    _artifact: types.Artifact
    _paths: list[str]

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Reads, writes and checks.

        Raises:
          InputError: see matching_files and check_counts; from reading.read_documents it comes
            in the wrapping of Beam's runner.
        """
        self._artifact = artifact_utils.get_single_instance(output_dict[specs.EXAMPLES_KEY])
        super().Do(input_dict, output_dict, exec_properties)
        fileio.rmtree(self._unfinished_folder())
        counts = json.loads(io_utils.read_string_file(self._reading_path()))
        logging.info("What was read: %s", counts)
        check_counts(counts, self._paths, _hash_buckets(exec_properties))

    def GenerateExamplesByBeam(  # noqa: N802
        self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]
    ) -> dict[str, beam.PCollection]:
        """Writes the splits and the counts.

        Returns:
          No split: the base class has none left to write.
        """
        splits = {
            name: Split(artifact_utils.get_split_uri([self._artifact], name), hash_buckets)
            for name, hash_buckets in _hash_buckets(exec_properties).items()
        }
        for folder in (self._unfinished_folder(), *(split.folder for split in splits.values())):
            fileio.makedirs(folder)
        config = example_gen_pb2.Input()
        proto_utils.json_to_proto(exec_properties[specs.INPUT_CONFIG_KEY], config)
        read = self._read_corpus(exec_properties, config.splits[0].pattern)
        num_bytes = sum(fileio.stat(path).length for path in self._paths)
        write = WriteShuffled(splits, self._unfinished_folder(), 1 + num_bytes // _BYTES_A_BUCKET)
        written = pipeline | "Read" >> read | "Write" >> write
        _ = (
            (read.counts, written)
            | "AllCounts" >> beam.Flatten()
            | "AddCounts" >> beam.CombineGlobally(add_counts)
            | "WriteCounts" >> beam.Map(_write_json, self._reading_path())
        )
        return {}

    def GetInputSourceToExamplePTransform(self) -> Any:  # noqa: N802
        """Returns what makes the transform for the pattern of the input split."""
        return self._read_corpus

    def _read_corpus(self, exec_properties: dict[str, Any], patterns: str) -> ReadCorpus:
        root = exec_properties.get(specs.INPUT_BASE_KEY) or ""
        self._paths = matching_files(root, patterns)
        return ReadCorpus(self._paths, read_options(exec_properties))

    def _unfinished_folder(self) -> str:
        return os.path.join(self._artifact.uri, _UNFINISHED)

    def _reading_path(self) -> str:
        return os.path.join(self._artifact.uri, READING_FILE)
