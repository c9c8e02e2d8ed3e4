"""The process of a worker on this machine: run_fn, in the group that TF_CONFIG names."""

import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

from components import cores
from components.multi_worker_trainer.local_workers import HEARTBEAT
from components.processes import die_with
from trainer_module.workers import cluster

_BEAT_SECONDS = 1.0


def main(path: str) -> NoReturn:
    """Calls run_fn and ends the process.

    Args:
      path: of a JSON file with the fields of run_fn.FnArgs.
    """
    die_with(os.getppid())  # until it beats, nothing else would end it
    try:
        from trainer_module.run_fn import run_fn

        begin()
        run_fn(SimpleNamespace(**json.loads(Path(path).read_text(encoding="utf-8"))))
    except BaseException:
        traceback.print_exc()
        end(1)
    end(0)


def begin() -> None:
    """Takes this worker's share of the cores, and beats from now on.

    Call it after TensorFlow is loaded and before it does anything. On a busy machine, loading holds
    Python's lock for half a minute, and no heartbeat could be sent meanwhile.
    """
    own = cluster.this_worker(os.environ)
    cores.take(own.index, own.num_workers)
    descriptor = int(os.environ[HEARTBEAT])
    _beat(descriptor)  # here: a thread may get its first turn late
    threading.Thread(target=_keep_beating, args=[descriptor], daemon=True).start()


def end(code: int) -> NoReturn:
    """Ends the process without Python's shutdown, where TensorFlow waits for other workers."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _beat(descriptor: int) -> None:
    """Tells the parent that we live; ends the process when there is no parent."""
    try:
        os.write(descriptor, b".")
    except OSError:
        os._exit(1)


def _keep_beating(descriptor: int) -> None:
    while True:
        time.sleep(_BEAT_SECONDS)
        _beat(descriptor)


if __name__ == "__main__":
    main(sys.argv[1])
