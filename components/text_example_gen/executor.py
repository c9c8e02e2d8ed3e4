"""Reads files into tf.train.Examples, one a document, in Beam."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NoReturn

import apache_beam as beam
from absl import logging
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from google.protobuf import struct_pb2

from components.text_example_gen import files, reading
from components.text_example_gen.account import Options, ReadingCounts
from components.text_example_gen.rows.records import Record, TrainEdge
from components.text_example_gen.shuffled_writing import (
    SpillDocuments,
    SplitFolder,
    WriteShuffled,
    buckets_for,
)
from components.tfx_api import (
    artifact_utils,
    base_example_gen_executor,
    example_gen_pb2,
    fileio,
    io_utils,
    proto_utils,
    types,
)
from components.tfx_api import standard_component_specs as specs
from trainer_module.errors import InputError
from trainer_module.text.split import TEXT

# In the root of the Examples artifact: what was read, as JSON.
READING_FILE = "reading.json"
# What TFX calls the fingerprint of what was read, among the properties of a run and of Examples.
FINGERPRINT = "input_fingerprint"
# In custom_config, Options.as_json.
OPTIONS = "options"
# In the root of the Examples artifact too, while it runs.
_UNFINISHED = "unfinished"
_COUNTS, _EDGES = "counts", "edges"
_LONGEST = 300  # characters of another library's message


def open_file(path: str) -> BinaryIO:
    """Opens a file of any file system that Beam knows, as it is stored.

    Raises:
      InputError: it cannot be opened.
    """
    try:
        file: BinaryIO = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except Exception as error:  # each file system has errors of its own
        raise InputError(
            f"{path!r} cannot be read ({_reason(error)}); check that it exists and may be read"
        ) from error
    return file


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:_LONGEST]


class ReadFiles(SpillDocuments):
    """From paths to the documents of the files, and what was counted in each file.

    Beam's own metrics would count twice where a bundle fails and is tried again. Of outputs Beam
    keeps the last try's alone.
    """

    def __init__(self, options: Options, unfinished: str, num_buckets: int) -> None:
        """Says how to read; for the rest see WriteShuffled."""
        super().__init__(unfinished, num_buckets)
        self._options = options

    def process(self, path: str) -> Iterator[Any]:
        """Yields runs of documents. Last, with a tag, it yields the counts of the file."""
        counts = ReadingCounts()
        with open_file(path) as file:
            if self._options.kind == TEXT:
                yield from self.spill(reading.read_documents(file, path, self._options, counts))
            else:
                yield from self._records(reading.read_records(file, path, self._options, counts))
        yield beam.pvalue.TaggedOutput(_COUNTS, counts.by_name())

    def _records(self, records: Iterable[Record | TrainEdge]) -> Iterator[Any]:
        for record in records:
            if isinstance(record, TrainEdge):
                yield beam.pvalue.TaggedOutput(_EDGES, record.edge)
            else:
                yield from self.spill_record(*record)


def add_counts(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Returns the sum of counts, name by name."""
    total: Counter[str] = Counter()
    for some in counts:
        total.update(some)
    return dict(total)


def _write_json(content: Mapping[str, int], path: str) -> None:
    io_utils.write_string_file(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def _remote_matches(pattern: str) -> list[str]:
    """The files that a remote glob matches, by the rules of files.local_matches."""
    try:
        found = fileio.glob(pattern)
    except Exception as error:  # each file system has errors of its own
        raise InputError(
            f"{pattern!r} cannot be looked for ({_reason(error)}); check that it may be listed"
        ) from error
    hidden_too = os.path.basename(pattern).startswith(".")
    return [
        path
        for path in found
        if hidden_too or not os.path.basename(path).startswith(".")
        # A folder matches too. To ask is a request, so what is called as a file is taken for one.
        if files.known_ending(path) or not fileio.isdir(path)
    ]


def matching_files(root: str, patterns: str) -> list[str]:
    """Returns the files that newline-separated patterns below `root` match, each once, sorted.

    Raises:
      InputError: a pattern matches nothing, or a file whose ending is not known.
    """
    paths: set[str] = set()
    for pattern in (os.path.join(root, relative) for relative in patterns.split("\n")):
        match = _remote_matches if files.is_remote(pattern) else files.local_matches
        if not (matches := match(pattern)):
            raise InputError(
                f"no file matches {pattern!r} here; check that it exists and may be read"
            )
        paths.update(matches)
    if unknown := sorted(path for path in paths if not files.known_ending(path)):
        raise InputError(
            f"{files.name_few(unknown)} cannot be read: the known endings are"
            f" {files.DESCRIPTION}; rename the files or name others"
        )
    return sorted(paths)


def read_options(exec_properties: Mapping[str, Any]) -> Options:
    """Returns the options that TextExampleGen put into `custom_config`."""
    config = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(exec_properties[specs.CUSTOM_CONFIG_KEY], config)
    values = struct_pb2.Struct()
    config.custom_config.Unpack(values)
    return Options.from_json(values[OPTIONS])


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
                f" gets {share:.1%} of the {counts['distinct']} that differ by more than case,"
                " blanks and punctuation; give more of those or change corpus.eval_fraction"
            )


class Executor(base_example_gen_executor.BaseExampleGenExecutor):
    """TFX's file-based import of documents, with an account of them.

    Beside the splits it writes `reading.json`: the fields of account.ReadingCounts, and the counts
    of WriteShuffled.
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
        if fingerprint := exec_properties.get(FINGERPRINT):
            self._artifact.set_string_custom_property(FINGERPRINT, fingerprint)
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
            name: SplitFolder(artifact_utils.get_split_uri([self._artifact], name), hash_buckets)
            for name, hash_buckets in _hash_buckets(exec_properties).items()
        }
        for folder in (self._unfinished_folder(), *(split.folder for split in splits.values())):
            fileio.makedirs(folder)
        config = example_gen_pb2.Input()
        proto_utils.json_to_proto(exec_properties[specs.INPUT_CONFIG_KEY], config)
        root = exec_properties.get(specs.INPUT_BASE_KEY) or ""
        self._paths = matching_files(root, config.splits[0].pattern)
        num_buckets = buckets_for(sum(fileio.stat(path).length for path in self._paths))
        unfinished = self._unfinished_folder()
        read = beam.ParDo(ReadFiles(read_options(exec_properties), unfinished, num_buckets))
        # Spread over the workers: one file is read by one of them.
        found = (
            pipeline
            | "Paths" >> beam.Create(self._paths)
            | "Spread" >> beam.Reshuffle()
            | "Read" >> read.with_outputs(_COUNTS, main="runs")
        )
        written = found.runs | "Write" >> WriteShuffled(splits, unfinished, num_buckets)
        _ = (
            (found[_COUNTS], written)
            | "AllCounts" >> beam.Flatten()
            | "AddCounts" >> beam.CombineGlobally(add_counts)
            | "WriteCounts" >> beam.Map(_write_json, self._reading_path())
        )
        return {}

    def GetInputSourceToExamplePTransform(self) -> NoReturn:  # noqa: N802
        """Is abstract in TFX's class; only its GenerateExamplesByBeam, replaced above, calls it.

        Raises:
          NotImplementedError: always.
        """
        raise NotImplementedError("TextExampleGen writes its splits in GenerateExamplesByBeam")

    def _unfinished_folder(self) -> str:
        return os.path.join(self._artifact.uri, _UNFINISHED)

    def _reading_path(self) -> str:
        return os.path.join(self._artifact.uri, READING_FILE)
