"""TFX's Pusher, with versions that rise also when the clock does not."""

import os
import time
from typing import Any

from components.embedding_evaluator.last_pushed_model import last_version
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


def next_version(folder: str) -> int:
    """The seconds since 1970, or more than the highest version: that one is served.

    The clock may have gone back, and two models may be pushed in one second.
    """
    last = last_version(folder)
    now = int(time.time())
    return now if last is None else max(now, int(os.path.basename(last)) + 1)


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
        version = str(next_version(folder))
        _copy(model, os.path.join(folder, version))
        io_utils.copy_dir(model, pushed.uri)
        self._MarkPushed(pushed, os.path.join(folder, version), version)


def _copy(model: str, version: str) -> None:
    io_utils.copy_dir(model, version, deny_regex_patterns=[_WRITTEN_LAST.replace(".", r"\.")])
    io_utils.copy_file(os.path.join(model, _WRITTEN_LAST), os.path.join(version, _WRITTEN_LAST))


class Pusher(pusher_component.Pusher):
    """TFX's, but for the version."""

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)
