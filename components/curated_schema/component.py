"""CuratedSchema: a schema that was written by hand, as an artifact."""

import os

from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import io_utils

# Where TFX's components look for it.
_FILE = "schema.pbtxt"


@component
def CuratedSchema(  # noqa: N802
    schema: OutputArtifact[standard_artifacts.Schema], content: Parameter[str]
) -> None:
    """Writes the schema.

    TFX's ImportSchemaGen takes the path of a file instead. The machine that submits a pipeline and
    those that run it share no such file.

    Args:
      schema: the artifact.
      content: a tensorflow_metadata Schema in protobuf's text format.
    """
    io_utils.write_string_file(os.path.join(schema.uri, _FILE), content)
