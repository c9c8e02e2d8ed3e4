"""The component through TFX's own executor of function components."""

from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import standard_artifacts

from components.curated_schema.component import CuratedSchema
from pipeline.data_nodes import SCHEMA_FILE


def test_writes_the_schema_where_tfx_looks_for_it(tmp_path: Path) -> None:
    schema = standard_artifacts.Schema()
    schema.uri = str(tmp_path / "schema")
    content = SCHEMA_FILE.read_text()
    executor = CuratedSchema(content=content).executor_spec.executor_class()
    executor.Do({}, {"schema": [schema]}, {"content": content})
    written = (tmp_path / "schema" / "schema.pbtxt").read_text()
    found = text_format.Parse(written, schema_pb2.Schema()).feature
    assert [feature.name for feature in found] == ["text", "occurrence"]
