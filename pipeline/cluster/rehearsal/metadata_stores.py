"""What a cluster's metadata store makes of an artifact between the node that gave it and the next.

Kubeflow's is as the driver and the launcher of Kubeflow Pipelines 2.17 do it: their
`toMLMDArtifact` and `toRuntimeArtifact`.
"""

import itertools
from typing import Protocol

from google.protobuf import struct_pb2
from kfp.pipeline_spec.pipeline_spec_pb2 import RuntimeArtifact

from trainer_module.errors import InputError


class Store(Protocol):
    """A cluster's metadata store."""

    def handed_on(self, key: str, artifact: RuntimeArtifact) -> RuntimeArtifact:
        """The artifact as the next nodes see it.

        Args:
          key: of the output.
          artifact: as the node has given it.

        Raises:
          InputError: the cluster would not take it.
        """


class VertexStore:
    """Keeps an artifact as it is, under a name of its own."""

    _PREFIX = "projects/1/locations/here/metadataStores/default/artifacts"

    def __init__(self) -> None:
        self._ids = itertools.count(1)

    def handed_on(self, key: str, artifact: RuntimeArtifact) -> RuntimeArtifact:
        """See Store."""
        del key
        kept = RuntimeArtifact()
        kept.CopyFrom(artifact)
        kept.name = f"{self._PREFIX}/{next(self._ids)}"
        return kept


class KubeflowStore:
    """Forgets the type of an artifact, names it by a number, and adds to what is known of it."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)

    def handed_on(self, key: str, artifact: RuntimeArtifact) -> RuntimeArtifact:
        """See Store."""
        kept = RuntimeArtifact(name=str(next(self._ids)), uri=artifact.uri)
        kept.type.instance_schema = ""
        for name, value in artifact.metadata.fields.items():
            kept.metadata.fields[name].CopyFrom(_as_kept(key, name, value))
        for name, text in {"display_name": key, "store_session_info": "null"}.items():
            if name not in kept.metadata.fields:
                kept.metadata.fields[name].string_value = text
        return kept


def _as_kept(key: str, name: str, value: struct_pb2.Value) -> struct_pb2.Value:
    """A property as ml-metadata has it: it knows no booleans, and no lists but in a struct."""
    kind = value.WhichOneof("kind")
    if kind == "bool_value":
        return struct_pb2.Value(number_value=float(value.bool_value))
    if kind in ("list_value", "struct_value"):
        wrapped = struct_pb2.Value()
        wrapped.struct_value.fields[kind.removesuffix("_value")].CopyFrom(value)
        return wrapped
    if kind in ("string_value", "number_value"):
        return value
    raise InputError(
        f"the property {name!r} of its output {key!r} has no value, and Kubeflow Pipelines refuses "
        "that"
    )
