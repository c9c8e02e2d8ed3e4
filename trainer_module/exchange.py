"""What the workers of a group tell each other: sums, and sums by row of a table.

To be called in the replica context of a MultiWorkerMirroredStrategy, by all workers in the same
order; of one worker alone everything is its own.
"""

import tensorflow as tf

from trainer_module.cluster import Worker
from trainer_module.row_updates import summed_rows


def total(worker: Worker, value: tf.Tensor) -> tf.Tensor:
    """The sum over the workers, equal to the last bit on all of them.

    Args:
      worker: this one.
      value: of the same shape on all.
    """
    if worker.number == 1:
        return value
    summed: tf.Tensor = tf.distribute.get_replica_context().all_reduce("SUM", value)
    return summed


def of_each(worker: Worker, value: tf.Tensor) -> tf.Tensor:
    """What each worker has: `[workers, *shape]`.

    A sum over the workers in which each fills its own place: where all shapes are known to be equal
    that is one message, tf.distribute's all_gather two.

    Args:
      worker: this one.
      value: of the same shape on all.
    """
    places = [[worker.index, worker.number - 1 - worker.index], *([[0, 0]] * value.shape.rank)]
    return total(worker, tf.pad(value[tf.newaxis], places))


def summed_rows_of_all(
    worker: Worker, rows: tf.Tensor, *values: tf.Tensor
) -> tuple[tf.Tensor, ...]:
    """Adds up what belongs to the same row, over all workers; see row_updates.summed_rows.

    Args:
      worker: this one.
      rows: `[values]` int32, as many on each worker and at each step: TensorFlow refuses a
        collective op whose shape changes within a compiled loop.
      values: `[values, dim]` or `[values]` float32.

    Returns:
      The distinct rows of all workers, rising, and for each of `values` the sums.
    """
    if worker.number == 1:
        return summed_rows(rows, *values)
    columns = [value[:, tf.newaxis] if value.shape.rank == 1 else value for value in values]
    widths = [column.shape[1] for column in columns]
    together = of_each(worker, tf.concat(columns, 1))
    split = tf.split(tf.reshape(together, [-1, sum(widths)]), widths, axis=1)
    of_all = (
        part[:, 0] if value.shape.rank == 1 else part
        for part, value in zip(split, values, strict=True)
    )
    return summed_rows(tf.reshape(of_each(worker, rows), [-1]), *of_all)
