"""The output folder: what lies where, and who may write to it."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from pipeline.atomic import write_aside
from pipeline.failures import WrongCommandError
from pipeline.paths import expanded, require_plain
from trainer_module.errors import InputError

# Bytes; SQLite opens files with paths of up to 512, and its journal adds "-journal" to the name.
_LONGEST_PATH = 504


class OutputFolder:
    """The paths below one `--output`."""

    def __init__(self, root: Path):
        self.root = Path(expanded(str(root))).absolute()
        self.artifacts = self.root / "artifacts"
        self.metadata = self.root / "metadata.sqlite"
        self.checkpoints = self.root / "checkpoints"
        self.corpus = self.root / "corpus"
        self.logs = self.root / "logs"
        self.serving = self.root / "serving"
        self.summary = self.root / "summary.json"
        self.tensorboard = self.root / "tensorboard"
        self.vectors = self.root / "vectors"
        self._drawn = self.root / ".identity"
        self._temporary = self.root / ".temporary"

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
          InputError: another run is using the folder, or it cannot be written to.
          WrongCommandError: see paths.require_plain; or its path is too long.
        """
        require_plain(str(self.root))
        self._require_short()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            # Shared with the components that this process forks, which die with it, and closed in
            # programs that they start.
            lock = (self.root / ".lock").open("a+")
        except OSError as error:
            raise InputError(
                f"cannot write to the output folder {self.root}: {error.strerror}; choose another "
                "with --output"
            ) from error
        with lock:
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
