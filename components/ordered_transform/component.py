"""TFX's Transform, with an executor that writes documents in the order in which they are read.

TFX's own calls Beam for each document, traces what it is given five times where two do, and leaves
the order of what it writes to the runner.
"""

import functools
import os
from collections.abc import Mapping
from typing import Any

import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

from components import cores
from components.ordered_transform.reading import PLACE, ReadInOrder, adapter_config
from components.ordered_transform.writing import WriteParts, put_in_order
from components.tfx_api import (
    BaseBeamExecutor,
    BeamExecutorSpec,
    artifact_utils,
    fileio,
    io_utils,
    json_utils,
    transform_component,
    types,
    udf_utils,
)
from components.tfx_api import standard_component_specs as specs

# In the output's folders, while it runs.
_TEMPORARY, _UNFINISHED = ".temp_path", "unfinished"

_MOST_PARTS = 4


class Executor(BaseBeamExecutor):
    """Analyzes all splits together, then transforms each of them.

    Also what is held out gives tokens their vectors; pairs to train on it gives none.
    """

    def Do(  # noqa: N802, TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the transform graph and the transformed examples."""
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = artifact_utils.get_single_instance(input_dict[specs.EXAMPLES_KEY])
        schema_folder = artifact_utils.get_single_uri(input_dict[specs.SCHEMA_KEY])
        graph = artifact_utils.get_single_uri(output_dict[specs.TRANSFORM_GRAPH_KEY])
        transformed = artifact_utils.get_single_instance(
            output_dict[specs.TRANSFORMED_EXAMPLES_KEY]
        )
        transformed.split_names = examples.split_names
        outputs = {
            path: artifact_utils.get_split_uri([transformed], split)
            for split in artifact_utils.decode_split_names(examples.split_names)
            for path in _files(artifact_utils.get_split_uri([examples], split))
        }
        unfinished = os.path.join(transformed.uri, _UNFINISHED)
        self._run(list(outputs), schema_folder, graph, unfinished, _function(exec_properties))
        put_in_order(unfinished, list(outputs.values()))

    def _run(
        self, paths: list[str], schema_folder: str, graph: str, unfinished: str, function: Any
    ) -> None:
        schema = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema_folder))
        config, temporary = adapter_config(schema), os.path.join(graph, _TEMPORARY)
        parts = parts_for(len(paths), cores.usable())
        # The pipeline first: its runner may fork workers, before TensorFlow has threads.
        pipeline = self._make_beam_pipeline()
        with (
            pipeline,
            tft_beam.Context(
                temp_dir=temporary, passthrough_keys=set(PLACE), use_deep_copy_optimization=True
            ),
        ):
            analyzed = pipeline | "ReadToAnalyze" >> ReadInOrder(paths, parts, schema)
            transform_fn = (analyzed, config) | tft_beam.AnalyzeDataset(function)
            metadata = os.path.join(graph, tft.TFTransformOutput.RAW_METADATA_DIR)
            _ = tft.DatasetMetadata(schema) | tft_beam.WriteMetadata(metadata, pipeline)
            _ = transform_fn | tft_beam.WriteTransformFn(graph)
            # Read once more: a runner would hold, or write, all that was read the first time.
            read = pipeline | "ReadToTransform" >> ReadInOrder(paths, parts, schema)
            transformed, described = (
                (read, config),
                transform_fn,
            ) | tft_beam.TransformDataset(output_record_batches=True)
            _ = transformed | WriteParts(described.schema, unfinished)
        fileio.rmtree(temporary)


def parts_for(num_files: int, num_cores: int) -> int:
    """Into how many parts to divide each file, so that each core has some.

    Half of the files are large, those of the train split. Of a corpus that has many, each is read
    whole.

    >>> parts_for(6, 2), parts_for(100, 2), parts_for(6, 16), parts_for(6, 1)
    (2, 1, 4, 1)
    """
    wanted = -(-4 * num_cores // max(num_files, 1))
    return min(wanted, _MOST_PARTS) if num_cores > 1 else 1


def _files(folder: str) -> list[str]:
    return sorted(fileio.glob(io_utils.all_files_pattern(folder)))


def _function(exec_properties: Mapping[str, Any]) -> Any:
    function = udf_utils.get_fn(exec_properties, specs.PREPROCESSING_FN_KEY)
    custom_config = json_utils.loads(exec_properties[specs.CUSTOM_CONFIG_KEY])
    return functools.partial(function, custom_config=custom_config)


class Transform(transform_component.Transform):
    """TFX's, with that executor."""

    EXECUTOR_SPEC = BeamExecutorSpec(Executor)
