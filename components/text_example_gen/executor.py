"""Reads files into tf.train.Examples, one a document, in Beam."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

import apache_beam as beam
from absl import logging
from google.protobuf import struct_pb2

from components.text_example_gen import files
from components.text_example_gen.account import Options
from components.text_example_gen.matching import matching_files
from components.text_example_gen.rows import looks
from components.text_example_gen.writing.read_corpus import ReadCorpus
from components.text_example_gen.writing.shuffled import SplitFolder, WriteShuffled, buckets_for
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
from trainer_module.training.progress import WARNING

# In the root of the Examples artifact: what was read, as JSON.
READING_FILE = "reading.json"
# What TFX calls the fingerprint of what was read, among the properties of a run and of Examples.
FINGERPRINT = "input_fingerprint"
# In custom_config, Options.as_json.
OPTIONS = "options"
# In the root of the Examples artifact too, while it runs.
_UNFINISHED = "unfinished"
# A guess, from which the number of files follows.
_EDGES_OF_NODE = 10


def add_counts(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Returns the sum of counts, name by name."""
    total: Counter[str] = Counter()
    for some in counts:
        total.update(some)
    return dict(total)


def _write_json(content: Mapping[str, int], path: str) -> None:
    io_utils.write_string_file(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def read_options(exec_properties: Mapping[str, Any]) -> Options:
    """Returns the options that TextExampleGen put into `custom_config`."""
    config = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(exec_properties[specs.CUSTOM_CONFIG_KEY], config)
    values = struct_pb2.Struct()
    config.custom_config.Unpack(values)
    return Options.from_json(values[OPTIONS])


def _growth(options: Options) -> int:
    """How much larger documents are than what is read: walks over nodes with some edges each."""
    return max(1, options.num_walks * options.walk_length // (2 * _EDGES_OF_NODE))


def _hash_buckets(exec_properties: Mapping[str, Any]) -> dict[str, int]:
    """Returns how large each split is, in the order in which TFX deals out the hashes."""
    config = example_gen_pb2.Output()
    proto_utils.json_to_proto(exec_properties[specs.OUTPUT_CONFIG_KEY], config)
    return {split.name: split.hash_buckets for split in config.split_config.splits}


def check_counts(
    counts: Mapping[str, int], paths: Sequence[str], hash_buckets: Mapping[str, int], kind: str
) -> None:
    """Checks that there is something to work with.

    Args:
      counts: the content of `reading.json`.
      paths: the files that were read.
      hash_buckets: of each split, which gets as large a part of the documents.
      kind: of the corpus.

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
            differ = "that differ" + " by more than case, blanks and punctuation" * (kind == TEXT)
            raise InputError(
                f"none of the corpus's {documents} documents fell into the split {name!r}, which"
                f" gets {share:.1%} of the {counts['distinct']} {differ}; give more of those or"
                " change corpus.eval_fraction"
            )


class Executor(base_example_gen_executor.BaseExampleGenExecutor):
    """TFX's file-based import of documents, with an account of them.

    Beside the splits it writes `reading.json`: the fields of account.ReadingCounts, the counts of
    WriteShuffled and, of a graph, `nodes`, `isolated_nodes` and `walks`.
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
        kind = read_options(exec_properties).kind
        for sentence in looks.sentences(counts, kind):
            print(f"{WARNING}{sentence}", flush=True)
        check_counts(counts, self._paths, _hash_buckets(exec_properties), kind)

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
        options = read_options(exec_properties)
        num_buckets = buckets_for(self._num_bytes() * _growth(options))
        unfinished = self._unfinished_folder()
        runs, counts = (
            pipeline
            | "Paths" >> beam.Create(self._paths)
            | "Spread" >> beam.Reshuffle()  # over the workers
            | ReadCorpus(options, unfinished, num_buckets)
        )
        written = runs | "Write" >> WriteShuffled(splits, unfinished, num_buckets)
        _ = (
            (counts, written)
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

    def _num_bytes(self) -> int:
        return sum(fileio.stat(path).length for path in self._paths)

    def _unfinished_folder(self) -> str:
        return os.path.join(self._artifact.uri, _UNFINISHED)

    def _reading_path(self) -> str:
        return os.path.join(self._artifact.uri, READING_FILE)
