"""CuratedSchema: a schema that was written by hand, as an artifact."""

import os

from components.tfx_api import OutputArtifact, Parameter, component, io_utils, standard_artifacts

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
