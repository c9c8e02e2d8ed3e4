"""Which files patterns stand for, and how one is opened, on any file system."""

import os
from typing import BinaryIO

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from components.text_example_gen import files
from components.tfx_api import fileio
from trainer_module.errors import InputError

_LONGEST = 300  # characters of another library's message


def open_file(path: str) -> BinaryIO:
    """Opens a file of any file system that Beam knows, as it is stored.

    Raises:
      InputError: it cannot be opened.
    """
    try:
        file: BinaryIO = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    except Exception as error:  # each file system has errors of its own
        raise InputError(
            f"{path!r} cannot be read ({_reason(error)}); check that it exists and may be read"
        ) from error
    return file


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:_LONGEST]


def _remote_matches(pattern: str) -> list[str]:
    """The files that a remote glob matches, by the rules of files.local_matches."""
    try:
        found = fileio.glob(pattern)
    except Exception as error:  # each file system has errors of its own
        raise InputError(
            f"{pattern!r} cannot be looked for ({_reason(error)}); check that it may be listed"
        ) from error
    hidden_too = os.path.basename(pattern).startswith(".")
    return [
        path
        for path in found
        if hidden_too or not os.path.basename(path).startswith(".")
        # A folder matches too. To ask is a request, so what is called as a file is taken for one.
        if files.known_ending(path) or not fileio.isdir(path)
    ]


def matching_files(root: str, patterns: str) -> list[str]:
    """Returns the files that newline-separated patterns below `root` match, each once, sorted.

    Raises:
      InputError: a pattern matches nothing, or a file whose ending is not known.
    """
    paths: set[str] = set()
    for pattern in (os.path.join(root, relative) for relative in patterns.split("\n")):
        match = _remote_matches if files.is_remote(pattern) else files.local_matches
        if not (matches := match(pattern)):
            raise InputError(
                f"no file matches {pattern!r} here; check that it exists and may be read"
            )
        paths.update(matches)
    if unknown := sorted(path for path in paths if not files.known_ending(path)):
        raise InputError(
            f"{files.name_few(unknown)} cannot be read: the known endings are"
            f" {files.DESCRIPTION}; rename the files or name others"
        )
    return sorted(paths)
