"""The file of metadata in an output folder: whether it is one, and whole."""

import contextlib
import os
import sqlite3
from pathlib import Path

from pipeline.failures import WrongCommandError
from trainer_module.errors import InputError

# Of another process, such as a run that `skipgram runs` looks at.
_SECONDS_OF_A_LOCK = 30.0
# A table of ml-metadata's that is there from the beginning.
_TABLE = "MLMDEnv"
# Parts of ml-metadata's messages.
_NEWER = "is greater than library version"
_LONGEST = 100


def require_usable(file: Path, artifacts: Path) -> None:
    """Checks the file before ml-metadata opens it. One that is not there will be made.

    Args:
      file: of SQLite.
      artifacts: the folder of the artifacts that it describes.

    Raises:
      WrongCommandError: it is not a metadata store, or must not be written to.
      InputError: it is damaged.
    """
    if not os.path.lexists(file):
        return
    if not file.is_file():
        raise WrongCommandError(_not_ours(file, "is no file"))
    if not os.access(file, os.R_OK | os.W_OK):
        raise WrongCommandError(
            f"the metadata store {file} must be read and written, and its permissions forbid it: "
            "change them, or choose another folder with --output"
        )
    if not file.stat().st_size:
        if artifacts.exists():
            raise InputError(damaged(file, artifacts, "it is empty"))
        return
    _require_whole(file, artifacts)


def _require_whole(file: Path, artifacts: Path) -> None:
    try:
        # Not read-only: after a kill, SQLite first has to take back what was half written.
        opened = sqlite3.connect(f"{file.as_uri()}?mode=rw", _SECONDS_OF_A_LOCK, uri=True)
        with contextlib.closing(opened) as store:
            [(found,), *_] = store.execute("pragma integrity_check(1)").fetchall()
            tables = [name for (name,) in store.execute("select name from sqlite_master")]
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            return
        raise InputError(damaged(file, artifacts, str(error))) from error
    if found != "ok":
        raise InputError(damaged(file, artifacts, found.splitlines()[-1]))
    if tables and _TABLE not in tables:
        raise WrongCommandError(_not_ours(file, "is a database of something else"))


def refusal(file: Path, artifacts: Path, message: str) -> str:
    """The sentence for what ml-metadata says when it cannot open the file."""
    if _NEWER in message:
        return (
            f"the metadata store {file} was written by a newer version of ml-metadata: use that "
            "one, or choose another folder with --output"
        )
    return damaged(file, artifacts, message)


def damaged(file: Path, artifacts: Path, reason: str) -> str:
    """The sentence for a file that nothing can be read from: the way out, and what it costs."""
    return (
        f"the metadata store {file} is damaged ({reason.partition('. ')[0][:_LONGEST]}): remove "
        f"it and {artifacts}, and give the same command again. The run then begins anew; the list "
        "of earlier runs and the model to compare with are lost, serving/ stays"
    )


def _not_ours(file: Path, what: str) -> str:
    return (
        f"{file} {what}, and a run keeps its metadata there: move it away, or choose another "
        "folder with --output"
    )
