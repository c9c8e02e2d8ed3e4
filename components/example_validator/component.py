"""ExampleValidator that stops the run."""

from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.tfx_api import (
    ExecutorClassSpec,
    artifact_utils,
    execution_result_pb2,
    io_utils,
    standard_component_specs,
    types,
)
from components.tfx_api import example_validator_component as tfx_component
from components.tfx_api import example_validator_executor as tfx_executor
from trainer_module.errors import InputError


class Executor(tfx_executor.Executor):
    """Validates as TFX does, then refuses examples with anomalies."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> execution_result_pb2.ExecutorOutput:
        """Writes the anomalies; raises InputError if there are any."""
        result = super().Do(input_dict, output_dict, exec_properties)
        artifact = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.ANOMALIES_KEY]
        )
        for split in artifact_utils.decode_split_names(artifact.split_names):
            path = artifact_utils.get_split_uri([artifact], split)
            require_no_anomalies(_read(path), split)
        return result


def _read(folder: str) -> anomalies_pb2.Anomalies:
    anomalies = anomalies_pb2.Anomalies()
    anomalies.ParseFromString(
        io_utils.read_bytes_file(f"{folder}/{tfx_executor.DEFAULT_FILE_NAME}")
    )
    return anomalies


def require_no_anomalies(anomalies: anomalies_pb2.Anomalies, split: str) -> None:
    """Raises InputError that names the anomalies of a split, if there are any."""
    found = [
        f"{name or 'the data set'}: {info.description or info.short_description}"
        for name, info in sorted(anomalies.anomaly_info.items())
    ]
    if anomalies.HasField("dataset_anomaly_info"):
        info = anomalies.dataset_anomaly_info
        found.append(f"the data set: {info.description or info.short_description}")
    if found:
        raise InputError(
            f"the {split} split does not fit the schema: {'; '.join(found)} - mend the corpus or "
            "the schema"
        )


class StoppingExampleValidator(tfx_component.ExampleValidator):
    """TFX's ExampleValidator, but an anomaly ends the run instead of being noted only."""

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)
