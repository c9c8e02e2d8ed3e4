"""TextExampleGen: files -> Examples{text}, split into train and eval by their content."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from google.protobuf import struct_pb2

from components.text_example_gen import content, executor, files, matching
from components.text_example_gen.account import Options
from components.tfx_api import (
    BeamExecutorSpec,
    ExecutionParameter,
    RuntimeParameter,
    example_gen_pb2,
    range_config_pb2,
    standard_artifacts,
    types,
)
from components.tfx_api import example_gen_component as component
from components.tfx_api import example_gen_driver as driver
from components.tfx_api import example_gen_input_processor as input_processor
from components.tfx_api import standard_component_specs as specs
from trainer_module.text.split import BUCKETS, held_out_buckets

# In the component's folder `.system`, where TFX keeps what its drivers write.
_RECORD = "content_hashes.json"


class InputProcessor(input_processor.FileBasedInputProcessor):
    """TFX's own processor, with a fingerprint of the content of all files.

    TFX's is of their number, bytes and seconds: it does not see a file that was rewritten with the
    same size in the same second, or by a program that keeps times.
    """

    def __init__(
        self,
        root: str,
        splits: Sequence[example_gen_pb2.Input.Split],
        range_config: Any,
        record: Path | None,
    ) -> None:
        # TFX would look for the range's dates in the patterns, where they stand no more.
        super().__init__(root, splits)
        self._range = range_config
        self._record = record

    def resolve_span_and_version(self) -> tuple[int, int | None]:
        """Returns the span that the range names; without a range see TFX's."""
        if self._range is None:
            found: tuple[int, int | None] = super().resolve_span_and_version()
            return found
        return self._range.static_range.start_span_number, None

    def get_input_fingerprint(self, span: int, version: int | None) -> str:
        """Returns the fingerprint of the files that the executor will read.

        Raises:
          InputError: a pattern matches nothing, or a file cannot be read.
        """
        patterns = [
            self.get_pattern_for_span_version(split.pattern, span, version)
            for split in self._splits
        ]
        paths = matching.matching_files(self._input_base_uri, "\n".join(patterns))
        return content.fingerprint(paths, self._record)


class Driver(driver.FileBasedDriver):
    """Makes the fingerprint of the files of all patterns, so that a changed one is read again."""

    _record: Path | None = None

    def run(self, execution_info: Any) -> Any:
        """See TFX's; the hashes of files are remembered beside the component's artifacts.

        Raises:
          InputError: a pattern matches nothing, or a file cannot be read.
        """
        # It is FOLDER/.system/driver_execution/TIME/driver_output.pb.
        self._record = Path(execution_info.execution_output_uri).parents[2] / _RECORD
        return super().run(execution_info)

    def get_input_processor(
        self,
        splits: Iterable[example_gen_pb2.Input.Split],
        range_config: Any = None,
        input_base_uri: str | None = None,
    ) -> InputProcessor:
        """Returns the processor, given each pattern as if it were a split."""
        each = [
            example_gen_pb2.Input.Split(name=pattern, pattern=pattern)
            for split in splits
            for pattern in split.pattern.split("\n")
        ]
        return InputProcessor(input_base_uri or "", each, range_config, self._record)


class Spec(specs.FileBasedExampleGenSpec):
    """TFX's, and what is known of the files before the node runs."""

    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        **specs.FileBasedExampleGenSpec.PARAMETERS,
        executor.FINGERPRINT: ExecutionParameter(type=str, optional=True),
    }


class TextExampleGen(component.FileBasedExampleGen):
    """Reads documents from files of text, sessions, edges or pairs.

    The output `examples` has the splits train and eval, and `reading.json`, which says what was
    read (see executor.Executor). Content alone decides what is held out, see split.py.
    """

    SPEC_CLASS = Spec
    EXECUTOR_SPEC = BeamExecutorSpec(executor.Executor)
    DRIVER_CLASS = Driver

    def __init__(
        self,
        patterns: Sequence[str],
        options: Options,
        code_fingerprint: str,
        root: RuntimeParameter | None = None,
        span: int | None = None,
        fingerprint: types.Channel | None = None,
    ) -> None:
        """Declares the component.

        Args:
          patterns: absolute globs or URIs of the files, at least one, none with a newline.
          options: how to read them.
          code_fingerprint: changes with our code, so that TFX's cache sees the change.
          root: the folder below which the patterns are looked for, if that is said when the
            pipeline is submitted; by default it is the one that they share.
          span: of the artifact, days since 1970-01-01 as TFX counts them; None where no day is
            meant.
          fingerprint: the CorpusListing's, where no driver of ours makes one.
        """
        shared_root, relative = files.split_root(patterns)
        custom = {executor.OPTIONS: options.as_json(), "code_fingerprint": code_fingerprint}
        spec = Spec(
            input_base=root or shared_root,
            input_config=_input_config(relative),
            output_config=_output_config(options.eval_fraction),
            custom_config=_custom_config(custom),
            range_config=None if span is None else _only(span),
            # What FileBasedExampleGen would set; it makes a spec of its own class alone.
            output_data_format=example_gen_pb2.FORMAT_TF_EXAMPLE,
            output_file_format=example_gen_pb2.FORMAT_TFRECORDS_GZIP,
            examples=types.Channel(type=standard_artifacts.Examples),
            **{executor.FINGERPRINT: fingerprint and fingerprint.future()[0].value},
        )
        super(component.FileBasedExampleGen, self).__init__(spec=spec)


def _input_config(patterns: Sequence[str]) -> example_gen_pb2.Input:
    split = example_gen_pb2.Input.Split(name="corpus", pattern="\n".join(patterns))
    return example_gen_pb2.Input(splits=[split])


def _only(span: int) -> range_config_pb2.RangeConfig:
    whole = range_config_pb2.StaticRange(start_span_number=span, end_span_number=span)
    return range_config_pb2.RangeConfig(static_range=whole)


def _output_config(eval_fraction: float) -> example_gen_pb2.Output:
    evaluated = held_out_buckets(eval_fraction)
    buckets = {"train": BUCKETS - evaluated, "eval": evaluated}
    split = example_gen_pb2.SplitConfig.Split
    splits = [split(name=name, hash_buckets=number) for name, number in buckets.items()]
    return example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=splits))


def _custom_config(values: dict[str, Any]) -> example_gen_pb2.CustomConfig:
    struct = struct_pb2.Struct()
    struct.update(values)
    config = example_gen_pb2.CustomConfig()
    config.custom_config.Pack(struct)
    return config
