"""A group of workers that train one model, and what they tell each other."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from trainer_module.workers.cluster import ALONE, Worker


class WorkerGroup:
    """The group, as one of its workers sees it: that worker has one replica of the strategy.

    `all_reduce_sum` and `all_gather` are for the replica context, inside of `run`. All workers call
    them in the same order. A worker alone has a group too: what it tells itself costs nothing.
    """

    def __init__(self, strategy: tf.distribute.Strategy, worker: Worker = ALONE) -> None:
        self.strategy = strategy
        self.worker = worker

    @property
    def index(self) -> int:
        """Of this worker, from 0."""
        return self.worker.index

    @property
    def num_workers(self) -> int:
        """How many train together."""
        return self.worker.num_workers

    @property
    def is_chief(self) -> bool:
        """Whether this worker is the one that writes and speaks."""
        return self.worker.is_chief

    def run(self, function: Callable[..., Any], args: Sequence[Any] = ()) -> Any:
        """Calls a function in the replica context.

        Args:
          function: without Python's control flow on tensors: to look for it takes as long as the
            trace itself.
          args: its arguments.
        """
        return self.strategy.run(tf.autograph.experimental.do_not_convert(function), args=args)

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Compiles a function that is then called in the replica context.

        Args:
          function: without Python's control flow on tensors.
        """

        def in_replica(*args: Any) -> Any:
            return self.run(function, args)

        compiled: Callable[..., Any] = tf.function(in_replica, autograph=False)
        return compiled

    def local_copy(self, variable: tf.Variable) -> tf.Variable:
        """This worker's copy: of a mirrored variable tf.gather would read the whole table."""
        return self.strategy.experimental_local_results(variable)[0]

    def all_reduce_sum(self, value: tf.Tensor) -> tf.Tensor:
        """The sum over the workers, equal to the last bit on all of them.

        Args:
          value: of the same shape on all.
        """
        if self.num_workers == 1:
            return value
        return tf.distribute.get_replica_context().all_reduce("SUM", value)

    def all_gather(self, value: tf.Tensor) -> tf.Tensor:
        """What each worker has: `[workers, *shape]`.

        A sum over the workers in which each fills its own place. Where all shapes are known to be
        equal that is one message; tf.distribute's own all_gather sends two.

        Args:
          value: of the same shape on all.
        """
        own_place = [self.index, self.num_workers - 1 - self.index]
        places = [own_place, *([[0, 0]] * value.shape.rank)]
        return self.all_reduce_sum(tf.pad(value[tf.newaxis], places))

    def barrier(self) -> None:
        """Returns when all workers have called it."""
        meet = self.compiled(lambda: self.all_reduce_sum(tf.constant(1)))
        meet()
        # Who leaves now may take with it what another has not fetched yet. Once more, then: to come
        # so far, all must have met before.
        with contextlib.suppress(tf.errors.OpError):
            meet()


def join(worker: Worker = ALONE, *, threads: int = 1) -> WorkerGroup:
    """Takes a worker's place in its group; before TensorFlow does anything else in the process.

    TensorFlow then runs two ops of a step at a time and does not split each of them. They take some
    100 microseconds, and to wake another thread for half of one costs as much: with 2 cores
    training is twice as fast so. Of several threads that step on the same tables, each has one op
    at a time: more would take the cores from the others.

    Args:
      worker: what TF_CONFIG says, cluster.this_worker; TensorFlow itself reads the addresses there.
      threads: that step at the same time.
    """
    with contextlib.suppress(RuntimeError):  # TensorFlow has run in this process: slower, no worse
        tf.config.threading.set_intra_op_parallelism_threads(1)
        if threads > 1:
            tf.config.threading.set_inter_op_parallelism_threads(threads)
    return WorkerGroup(tf.distribute.MultiWorkerMirroredStrategy(), worker)
