"""Python imports this first where its folder is on the PYTHONPATH: here, in Beam's workers.

If PAUSE_FOLDER holds the file `armed`, the first process that is in the middle of writing
transformed examples removes it, writes its number to `paused` and waits to be killed.
"""

import os
import signal
from pathlib import Path
from typing import Any

from apache_beam.io import tfrecordio

FOLDER = Path(os.environ["PAUSE_FOLDER"])
# So that the runner has been given some that the next worker will make again.
RECORDS = 500

_write = tfrecordio._TFRecordSink.write_encoded_record
_written = 0


def _write_or_pause(self: Any, file_handle: Any, value: bytes) -> None:
    global _written
    _write(self, file_handle, value)
    if "transformed_examples" not in str(self.file_path_prefix):
        return
    _written += 1
    if _written >= RECORDS and (FOLDER / "armed").exists():
        (FOLDER / "armed").unlink()
        (FOLDER / "pausing").write_text(str(os.getpid()))
        (FOLDER / "pausing").rename(FOLDER / "paused")
        signal.pause()


tfrecordio._TFRecordSink.write_encoded_record = _write_or_pause
