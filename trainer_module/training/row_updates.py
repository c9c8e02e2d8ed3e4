"""Updates of a few rows of a table: gradients added up by row, each row's step bounded."""

import tensorflow as tf

from trainer_module.workers.group import WorkerGroup


def summed_rows(rows: tf.Tensor, *values: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Adds up what belongs to the same row.

    By sorting: a third of the time of tf.unique with unsorted_segment_sum.

    Args:
      rows: `[values]` int32, may repeat.
      values: `[values, ...]` each.

    Returns:
      The distinct rows, rising, and for each of `values` the sums.
    """
    order = tf.argsort(rows)
    rising = tf.gather(rows, order)
    first = tf.concat([[True], rising[1:] != rising[:-1]], 0)
    segments = tf.cumsum(tf.cast(first, tf.int32)) - 1
    sums = (tf.sparse.segment_sum(value, order, segments) for value in values)
    return tf.boolean_mask(rising, first), *sums


def summed_rows_of_all(
    group: WorkerGroup, rows: tf.Tensor, *values: tf.Tensor
) -> tuple[tf.Tensor, ...]:
    """Adds up what belongs to the same row, over all workers; see summed_rows.

    Args:
      group: of this worker.
      rows: `[values]` int32, as many on each worker and at each step: TensorFlow refuses a
        collective op whose shape changes within a compiled loop.
      values: `[values, dim]` or `[values]` float32.

    Returns:
      The distinct rows of all workers, rising, and for each of `values` the sums.
    """
    if group.num_workers == 1:
        return summed_rows(rows, *values)
    columns = [value[:, tf.newaxis] if value.shape.rank == 1 else value for value in values]
    widths = [column.shape[1] for column in columns]
    together = group.all_gather(tf.concat(columns, 1))
    split = tf.split(tf.reshape(together, [-1, sum(widths)]), widths, axis=1)
    of_all = (
        part[:, 0] if value.shape.rank == 1 else part
        for part, value in zip(split, values, strict=True)
    )
    return summed_rows(tf.reshape(group.all_gather(rows), [-1]), *of_all)


def bounded_row_step(
    variable: tf.Variable,
    rows: tf.Tensor,
    gradient: tf.Tensor,
    rate: tf.Tensor,
    bound: float,
    *,
    shared: bool = False,
) -> None:
    """Plain SGD on the rows of a table, each row's step bounded in norm.

    A frequent row's gradients add up within a batch; where the sum steps further than the row's
    own size, training diverges. The bound is on the sum, not on each pair.

    Args:
      variable: `[rows, dim]` or `[rows]`, changed in place.
      rows: `[n]`, distinct.
      gradient: `[n, dim]` or `[n]`, each row's sum.
      rate: `[]` float32.
      bound: the largest norm of one row's step.
      shared: whether other threads change the same rows at the same time.
    """
    squares = gradient * gradient
    if gradient.shape.rank == 2:
        squares = tf.reduce_sum(squares, 1, keepdims=True)
    factor = tf.minimum(rate, bound * tf.math.rsqrt(squares))
    # A gradient of 0 has the factor min(rate, inf).
    step = factor * gradient
    if shared:
        # What others do to a row between its gather and its update would be lost: with 16 threads a
        # third of the analogies were. TensorFlow lets many threads subtract at the same time.
        variable.scatter_sub(tf.IndexedSlices(step, rows))
        return
    # Copying rows takes a quarter of the time of subtracting them one by one.
    variable.scatter_update(tf.IndexedSlices(tf.gather(variable, rows) - step, rows))
