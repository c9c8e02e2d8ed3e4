"""Finds the model to compare a new one with, where no node can ask the metadata store."""

import os

from google.protobuf import json_format

from components.tfx_api import (
    InputArtifact,
    OutputArtifact,
    Parameter,
    component,
    fileio,
    io_utils,
    path_utils,
    pusher_pb2,
    standard_artifacts,
    types,
)
from trainer_module.evaluation import saved_model


def last_version(folder: str) -> str | None:
    """The newest model that the Pusher has put below a folder, if there is one."""
    names = fileio.listdir(folder) if fileio.isdir(folder) else []
    versions = [name.rstrip("/") for name in names]  # object stores end a folder's name by a slash
    numbers = [int(version) for version in versions if version.isdecimal()]
    return os.path.join(folder, str(max(numbers))) if numbers else None


def comparable_model(model: types.Artifact | None) -> str | None:
    """The SavedModel of a last blessed model, if tonight's can be held against it.

    Args:
      model: None where there is none; where no node can leave out an input, without a model in it.
        One of an older version of ours does not say how it was trained: then nothing is compared.
    """
    if model is None:
        return None
    folder = str(path_utils.serving_model_path(model.uri))
    return folder if fileio.exists(folder) and saved_model.settings_of(folder) else None


def copy_last_pushed(push_destination: str, model: types.Artifact) -> None:
    """Copies the model that was pushed last, if there is one, to where an artifact lies.

    Args:
      push_destination: the Pusher's, a PushDestination in protobuf's JSON.
      model: the artifact.
    """
    destination = json_format.Parse(push_destination, pusher_pb2.PushDestination())
    found = last_version(destination.filesystem.base_directory)
    fileio.makedirs(model.uri)
    if found:
        io_utils.copy_dir(found, path_utils.serving_model_dir(model.uri))


@component
def LastPushedModel(  # noqa: N802
    candidate: InputArtifact[standard_artifacts.Model],
    push_destination: Parameter[str],
    model: OutputArtifact[standard_artifacts.Model],
) -> None:
    """Copies the model that was pushed last, which was blessed; nothing where there is none.

    Args:
      candidate: the new model. It is not read; as an input it keeps TFX from answering out of its
        cache when the model is another one.
      push_destination: the Pusher's, a PushDestination in protobuf's JSON.
      model: the copy: what is pushed later does not change what this run compares with.
    """
    del candidate
    copy_last_pushed(push_destination, model)
