"""A group of workers that train a Run of tests/trainer_module/runs.py, each in its process."""

import dataclasses
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from components.multi_worker_trainer import local_workers
from components.multi_worker_trainer import worker as process
from tests import networks
from tests.trainer_module import runs
from tests.trainer_module.runs import Run
from trainer_module.training import schedule
from trainer_module.workers import cluster, local_updates
from trainer_module.workers.cluster import Worker
from trainer_module.workers.group import WorkerGroup, join

NUM_TOKENS = 900
# Of 12 tokens, those whose rows are put together between two calls of the compiled loop; a call is
# an epoch where workers step on their own.
FREQUENT = 5
Array = np.ndarray[Any, Any]


def train(folder: Path, number: int, **settings: Any) -> list[list[Array]]:
    """The tables of each worker after training.

    Args:
      folder: for checkpoints and results; what is there from a killed group is gone on from.
      number: of workers.
      settings: of `main`.
    """
    command = [sys.executable, "-m", __spec__.name, str(folder), json.dumps(settings)]
    local_workers.run(command, number, exposed=not networks.ALLOWED)
    return [
        list(np.load(folder / f"{index}.npz").values())  # in the order of writing
        for index in range(number)
    ]


def run_of(own: WorkerGroup, emit: str = "windows", epochs: int = 2, **hyperparameters: Any) -> Run:
    """Epochs of a worker's share of the documents of as many corpora."""
    shares = [
        [
            runs.walks(seed, NUM_TOKENS, Worker(index, own.num_workers))._replace(emit=emit)
            for seed in range(1, epochs + 1)
        ]
        for index in range(own.num_workers)
    ]
    whole = runs.counts_of([runs.walks(1, NUM_TOKENS)])
    most = max(len(corpus.ids) for share in shares for corpus in share)
    return Run(
        own,
        shares[own.index],
        runs.walks(3, 200),
        counts=whole._replace(targets=most),
        **{"epochs": epochs, "checkpoint_seconds": 0.0, **hyperparameters},
    )


def main(folder: str, hyperparameters: dict[str, Any], kill: dict[str, int] | None = None) -> None:
    """Trains on walks; the documents go around among the workers.

    Args:
      folder: for checkpoints and results.
      hyperparameters: of the Trainer.
      kill: `worker` and at which `report` it ends itself by SIGKILL, the first being 1, or within
        which `checkpoint`.
    """
    worker = cluster.this_worker(os.environ)
    own = join(worker, threads=hyperparameters.get("threads", 1))
    schedule._TARGETS_PER_CALL = 1 if hyperparameters.get("sync_every", 1) == 1 else 1 << 10
    local_updates._FREQUENT = FREQUENT
    run = run_of(own, **hyperparameters)
    mine = kill if kill and kill["worker"] == worker.index else {}
    if nth := mine.get("checkpoint"):
        kill_within_checkpoint(nth)
    reports = 0

    def report(_: Any) -> None:
        nonlocal reports
        reports += 1
        if reports == mine.get("report"):
            os.kill(os.getpid(), signal.SIGKILL)

    result = run.train(Path(folder, "checkpoints"), report=report)
    path = Path(folder, f"{worker.index}.npz")
    evaluations = [dataclasses.astuple(found) for found in result.evaluations]
    figures = [*run.tables, evaluations, result.resumed_at_step]
    np.savez(path, *map(np.asarray, figures))
    process.end(0)


def kill_within_checkpoint(nth: int) -> None:
    """Ends this process when half of its nth checkpoint is written, before that is recorded."""
    record, written = tf.train.CheckpointManager._record_state, set()

    def torn(self: tf.train.CheckpointManager) -> None:
        path = Path(self._latest_checkpoint)
        written.add(path)
        if len(written) == nth:
            [data] = path.parent.glob(f"{path.name}.data-*")
            os.truncate(data, data.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        record(self)

    tf.train.CheckpointManager._record_state = torn


if __name__ == "__main__":
    process.begin()
    main(sys.argv[1], **json.loads(sys.argv[2]))
