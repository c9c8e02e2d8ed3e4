"""An object store in a rehearsal: nodes hand on by it, and pods get copies of their inputs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from kfp.pipeline_spec.pipeline_spec_pb2 import ExecutorInput

from trainer_module.errors import InputError


class ObjectStore(NamedTuple):
    """What the artifacts are in, if not in folders of this machine."""

    output: str  # a URI; artifacts, checkpoints and pushed models are below it
    variables: Mapping[str, str]  # of the environment, by which a node reaches it
    # Copies what is below a URI to a path, as the launcher of Kubeflow Pipelines does; an OSError
    # where it cannot.
    download: Callable[[str, Path], None]

    def copy_inputs(self, told: ExecutorInput, pod: Path) -> None:
        """Copies all inputs of a node, whether or not it looks at the copies.

        Args:
          told: what the node is told.
          pod: an empty folder for the copies.

        Raises:
          InputError: an input cannot be copied, and the node would not start.
        """
        for key, given in told.inputs.artifacts.items():
            for artifact in given.artifacts:
                try:
                    self.download(artifact.uri, pod / key)
                except OSError as error:
                    raise InputError(
                        f"its input {key!r} cannot be copied from {artifact.uri}: {error}"
                    ) from error
