"""What the workers of a group tell each other.

To be called in the replica context of a MultiWorkerMirroredStrategy, by all workers in the same
order; of one worker alone everything is its own.
"""

import tensorflow as tf

from trainer_module.workers.cluster import Worker


def all_reduce_sum(worker: Worker, value: tf.Tensor) -> tf.Tensor:
    """The sum over the workers, equal to the last bit on all of them.

    Args:
      worker: this one.
      value: of the same shape on all.
    """
    if worker.num_workers == 1:
        return value
    summed: tf.Tensor = tf.distribute.get_replica_context().all_reduce("SUM", value)
    return summed


def all_gather(worker: Worker, value: tf.Tensor) -> tf.Tensor:
    """What each worker has: `[workers, *shape]`.

    A sum over the workers in which each fills its own place: where all shapes are known to be equal
    that is one message, tf.distribute's all_gather two.

    Args:
      worker: this one.
      value: of the same shape on all.
    """
    places = [[worker.index, worker.num_workers - 1 - worker.index], *([[0, 0]] * value.shape.rank)]
    return all_reduce_sum(worker, tf.pad(value[tf.newaxis], places))
