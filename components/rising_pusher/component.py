"""TFX's Pusher, with versions that rise also when the clock does not."""

import os
import time
from datetime import datetime
from typing import Any

from components.embedding_evaluator.last_pushed_model import last_version
from components.rising_pusher.versions import next_number, number_of_run
from components.tfx_api import (
    ExecutorClassSpec,
    io_utils,
    proto_utils,
    pusher_component,
    pusher_executor,
    pusher_pb2,
    standard_component_specs,
    types,
)

# TensorFlow Serving takes a version for complete when this file is there.
_WRITTEN_LAST = "saved_model.pb"


def next_version(folder: str, run_id: str | None) -> str:
    """The name of the run, if it is higher than all versions there: the highest is served.

    Otherwise, and on a cluster, whose runs have other names, see versions.next_number.
    """
    found, number = last_version(folder), number_of_run(run_id)
    last = int(os.path.basename(found)) if found else 0
    if number is not None and number > last:
        return str(number)
    return str(next_number(last, datetime.fromtimestamp(time.time())))


class Executor(pusher_executor.Executor):
    """Puts a blessed model below the destination's folder, as the version that is served."""

    def Do(  # noqa: N802, TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See TFX's Pusher.

        Args:
          input_dict, output_dict: artifacts by key.
          exec_properties: push_destination, a PushDestination in protobuf's JSON.
        """
        [pushed] = output_dict[standard_component_specs.PUSHED_MODEL_KEY]
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        model, destination = self.GetModelPath(input_dict), pusher_pb2.PushDestination()
        given = exec_properties[standard_component_specs.PUSH_DESTINATION_KEY]
        proto_utils.json_to_proto(given, destination)
        folder = destination.filesystem.base_directory
        version = next_version(folder, self._context and self._context.pipeline_run_id)
        _copy(model, os.path.join(folder, version))
        self.keep(model, pushed, folder, version)

    def keep(self, model: str, pushed: types.Artifact, folder: str, version: str) -> None:
        """Copies a model into the artifact and notes there that it is a version of a folder."""
        io_utils.copy_dir(model, pushed.uri)
        self._MarkPushed(pushed, os.path.join(folder, version), version)


def _copy(model: str, version: str) -> None:
    io_utils.copy_dir(model, version, deny_regex_patterns=[_WRITTEN_LAST.replace(".", r"\.")])
    io_utils.copy_file(os.path.join(model, _WRITTEN_LAST), os.path.join(version, _WRITTEN_LAST))


class Pusher(pusher_component.Pusher):
    """TFX's, but for the version."""

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)
