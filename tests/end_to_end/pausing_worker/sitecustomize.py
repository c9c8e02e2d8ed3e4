"""Python imports this first where its folder is on the PYTHONPATH: here, in Beam's workers.

If PAUSE_FOLDER holds the file `armed`, the first process that is in the middle of writing
transformed examples removes it, writes its number to `paused` and waits to be killed.
"""

import os
import signal
from pathlib import Path
from typing import Any

import tensorflow as tf

FOLDER = Path(os.environ["PAUSE_FOLDER"])
# So that the runner has been given some that the next worker will make again.
RECORDS = 500

_written = 0


class _PausingWriter(tf.io.TFRecordWriter):
    def __init__(self, path: str, options: Any = None) -> None:
        super().__init__(path, options)
        self._is_counted = "/Transform/" in path

    def write(self, record: bytes) -> None:
        global _written
        super().write(record)
        if not self._is_counted:
            return
        _written += 1
        if _written >= RECORDS and (FOLDER / "armed").exists():
            (FOLDER / "armed").unlink()
            (FOLDER / "pausing").write_text(str(os.getpid()))
            (FOLDER / "pausing").rename(FOLDER / "paused")
            signal.pause()


tf.io.TFRecordWriter = _PausingWriter
