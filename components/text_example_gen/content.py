"""A fingerprint of files by their content, which is read again only where it may have changed."""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path
from typing import Any

from absl import logging
from apache_beam.io.filesystems import FileSystems

from components.text_example_gen import files
from components.tfx_api import fileio
from trainer_module.errors import InputError

# Two changes of a file that are nearer to each other may bear the same time: that of FAT is as
# coarse as this.
_COARSEST_TICK_NS = 2_000_000_000


def fingerprint(paths: Sequence[str], record: Path | None) -> str:
    """Returns what is another one if the content, the name or the number of files is.

    Args:
      paths: local files and URIs, in an order that does not change.
      record: JSON file that remembers the hashes of local files from call to call; None for no
        memory. A damaged one counts as none.

    Raises:
      InputError: a local file cannot be read.
    """
    local = _LocalHashes(record)
    digest = hashlib.sha256()
    for path in paths:
        content = _state_of_remote(path) if files.is_remote(path) else local.of(path)
        # A name has no zero byte, and no hash or state has one.
        digest.update(os.fsencode(path) + b"\0" + content.encode() + b"\0")
    local.save()
    logging.info("Read %d of %d files to hash their content", local.num_read, len(paths))
    return f"num_files:{len(paths)},content:{digest.hexdigest()}"


class _LocalHashes:
    """Hashes of local files: those of a record, where what the system says of a file is the same.

    The system changes a file's ctime with each change of its content or of its other times, and no
    program can set it. So a copy that keeps size and mtime is seen.
    """

    def __init__(self, record: Path | None) -> None:
        self.num_read = 0
        self._record = record
        self._remembered = _read_record(record) if record else {}
        self._to_remember: dict[str, Any] = {}

    def of(self, path: str) -> str:
        """Returns the hash of a file's content.

        Raises:
          InputError: it cannot be read.
        """
        try:
            with open(path, "rb") as file:
                return self._of_open(path, file)
        except OSError as error:
            raise InputError(
                f"{path!r} cannot be read ({error.strerror}); check that it exists and may be read"
            ) from error

    def _of_open(self, path: str, file: BufferedReader) -> str:
        opened = time.time_ns()
        state = _state(file)
        match self._remembered.get(path):
            case [remembered, str(known)] if remembered == state:
                self._to_remember[path] = [state, known]
                return known
        self.num_read += 1
        computed = hashlib.file_digest(file, "sha256").hexdigest()
        # A change right after this may leave the ctime as it is.
        settled = os.fstat(file.fileno()).st_ctime_ns < opened - _COARSEST_TICK_NS
        if settled and _state(file) == state:
            self._to_remember[path] = [state, computed]
        return computed

    def save(self) -> None:
        """Writes the record, whole or not at all."""
        if self._record is None:
            return
        aside = self._record.with_suffix(".new")
        aside.write_text(json.dumps(self._to_remember), encoding="utf-8")
        aside.replace(self._record)


def _state(file: BufferedReader) -> list[int]:
    """What the system says of a file; of a link, it is that of the file that it leads to."""
    status = os.fstat(file.fileno())
    return [
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_dev,
    ]


def _read_record(record: Path) -> dict[str, Any]:
    try:
        remembered = json.loads(record.read_bytes())
    except (OSError, ValueError):
        return {}
    return remembered if isinstance(remembered, dict) else {}


def _state_of_remote(path: str) -> str:
    """The checksum that the file system keeps; where it keeps none, size and mtime."""
    status = fileio.stat(path)
    try:
        checksum = str(FileSystems.checksum(path))
    except (OSError, ValueError, NotImplementedError):
        checksum = ""
    # Some of Beam's file systems answer with the size instead.
    if checksum in ("", str(status.length)):
        return f"{status.length} {status.mtime_nsec}"
    return checksum
