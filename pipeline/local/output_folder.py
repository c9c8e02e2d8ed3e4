"""The output folder: what lies where, and who may write to it."""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from pipeline.atomic import unfinished_name, write_aside
from pipeline.failures import WrongCommandError
from pipeline.paths import expanded, require_plain
from trainer_module.errors import InputError

# Bytes; SQLite opens files with paths of up to 512, and its journal adds "-journal" to the name.
_LONGEST_PATH = 504
# What gives a model again to `serving/` and `vectors/` that was not exported, or not last.
RELEASE = "Release"
# Where `vectors` points to.
_OF_A_RUN = re.compile(rf"(^|/)artifacts/(EmbeddingExporter|{RELEASE})/vectors/\d+$")


class OutputFolder:
    """The paths below one `--output`."""

    def __init__(self, root: Path):
        self.root = Path(expanded(str(root))).absolute()
        self.artifacts = self.root / "artifacts"
        self.metadata = self.root / "metadata.sqlite"
        self.checkpoints = self.root / "checkpoints"
        self.corpus = self.root / "corpus"
        self.logs = self.root / "logs"
        self.report = self.root / "report.html"
        self.reports = self.root / "reports"
        self.serving = self.root / "serving"
        self.summary = self.root / "summary.json"
        self.tensorboard = self.root / "tensorboard"
        self.tuning = self.root / "tuning"
        self.vectors = self.root / "vectors"
        self._drawn = self.root / ".identity"
        self._temporary = self.root / ".temporary"
        self._lock = self.root / ".lock"
        self._folders = (
            self.artifacts,
            self.checkpoints,
            self.corpus,
            self.logs,
            self.serving,
            self.tensorboard,
            self.tuning,
        )
        self._files = (self.metadata, self.report, self.summary, self._drawn, self._lock)

    def identity(self) -> str:
        """What tells this folder from all others, on any machine, by 12 hexadecimal digits.

        It is drawn when a run first uses the folder and stays in it. A copy of the folder, which
        has a lock of its own, has another one.

        Raises:
          InputError: no run has used the folder yet.
        """
        try:
            drawn = self._drawn.read_text()
        except FileNotFoundError as error:
            raise InputError(
                f"nothing was run into {self.root} yet: run `skipgram run` first, with the same "
                "--output"
            ) from error
        return hashlib.sha256(f"{drawn} {self.root.resolve()}".encode()).hexdigest()[:12]

    def _require_short(self) -> None:
        length = len(os.fsencode(self.metadata))
        if length > _LONGEST_PATH:
            raise WrongCommandError(
                f"the path of the output folder, {str(self.root)[:40]!r} ..., is "
                f"{length - _LONGEST_PATH:,} bytes too long for SQLite: choose a shorter one with "
                "--output"
            )

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder and keeps other runs out of it; a kill of any kind lets go of it.

        Raises:
          WrongCommandError: something of somebody else's stands where a run writes; the path is
            too long, or see paths.require_plain.
          InputError: another run is using the folder, or it cannot be written to.
        """
        require_plain(str(self.root))
        self._require_short()
        with self._opened_lock() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise InputError(
                    f"the output folder {self.root} is in use by another run (process "
                    f"{lock.read().strip() or 'unknown'}): wait for it, or choose another with "
                    "--output"
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            if not self._drawn.exists():
                write_aside(self._drawn, uuid.uuid4().hex)
            yield

    @contextlib.contextmanager
    def temporary_folder(self) -> Iterator[Path]:
        """Makes an empty folder for what no run should leave, and removes it at the end.

        Use it while the folder is locked. What a killed run left in it is removed by the next one.
        """
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(exist_ok=True)
        try:
            yield self._temporary
        finally:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _opened_lock(self) -> TextIO:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._require_own()
            # Shared with the components that this process forks, which die with it, and closed in
            # programs that they start.
            return self._lock.open("a+")
        except OSError as error:
            raise InputError(
                f"cannot write to the output folder {self.root}: {error.strerror}; choose another "
                "with --output"
            ) from error

    def _require_own(self) -> None:
        """What a run would fail on hours later, or write over, is said before it begins."""
        for folder in self._folders:
            if os.path.lexists(folder) and not folder.is_dir():
                raise _in_the_way(folder, "is no folder")
            if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
                raise _in_the_way(folder, "cannot be written to")
        for file in self._files:
            if os.path.lexists(file) and not file.is_file():
                raise _in_the_way(file, "is no file")
        for path in (self.report, self.summary, self.vectors):
            if unfinished_name(path).is_dir() and not unfinished_name(path).is_symlink():
                raise _in_the_way(unfinished_name(path), "is a folder")
        if os.path.lexists(self.vectors) and not self._is_own_link():
            raise _in_the_way(self.vectors, "is no link of a run")
        if self._lock.exists() and not re.fullmatch(r"\d*", self._lock.read_text("latin-1")):
            raise _in_the_way(self._lock, "holds no process id")
        if not self._drawn.exists() and not self.metadata.exists():
            for path in (self.report, self.summary, self.artifacts, self._temporary):
                if os.path.lexists(path):
                    raise _in_the_way(path, "is not of a run")

    def _is_own_link(self) -> bool:
        """Whether `vectors` is what a run leaves there, also if the target is gone or elsewhere.

        In a copy of a folder, what comes from the cache lies where it was made.
        """
        return self.vectors.is_symlink() and bool(_OF_A_RUN.search(str(self.vectors.readlink())))


def _in_the_way(path: Path, what: str) -> WrongCommandError:
    return WrongCommandError(
        f"{path} {what}, and a run writes there: move it away, or choose another folder with "
        "--output"
    )
