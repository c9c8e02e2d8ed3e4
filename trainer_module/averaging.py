"""Local updates: workers step on their own and, from time to time, put together what changed."""

from collections.abc import Sequence

import tensorflow as tf

from trainer_module import exchange
from trainer_module.cluster import Worker


class Averaging:
    """Knows the tables as all workers last had them, and which rows this one has changed since."""

    def __init__(self, worker: Worker, tables: Sequence[Sequence[tf.Variable]]):
        """Prepares to average tables.

        Args:
          worker: this one.
          tables: this worker's copies, those whose rows change together in one sequence: each
            `[vocab, dim]` or `[vocab]`.
        """
        self._worker = worker
        self._tables = tables
        self._last = [[tf.Variable(table, trainable=False) for table in of] for of in tables]
        size = tables[0][0].shape[0]
        self._changed = [tf.Variable(tf.zeros([size], tf.bool), trainable=False) for _ in tables]

    def begin(self) -> None:
        """Takes the tables as they are for what all workers have."""
        for tables, last in zip(self._tables, self._last, strict=True):
            for table, copy in zip(tables, last, strict=True):
                copy.assign(table)

    def mark(self, *rows: tf.Tensor) -> None:
        """Notes changed rows, for each sequence of tables its own: `[n]` distinct ones."""
        for changed, some in zip(self._changed, rows, strict=True):
            changed.scatter_update(tf.IndexedSlices(tf.ones_like(some, tf.bool), some))

    # Nothing here is Python's control flow on tensors.
    @tf.autograph.experimental.do_not_convert
    def __call__(self) -> None:
        """Puts together what changed; in the replica context, by all workers at the same step.

        A row becomes what it was plus the mean of its changes over the workers that changed it. A
        rare row, which one worker met, so keeps its whole step; a frequent one, which all met, is
        not carried too far.
        """
        changed = tf.cast(tf.stack(self._changed), tf.float16)
        times = tf.unstack(exchange.total(self._worker, changed))
        for number, tables, last in zip(times, self._tables, self._last, strict=True):
            rows = tf.cast(tf.where(number > 0)[:, 0], tf.int32)
            share = tf.cast(tf.gather(number, rows), tf.float32)
            for table, copy in zip(tables, last, strict=True):
                before = tf.gather(copy, rows)
                change = exchange.total(self._worker, tf.gather(table, rows) - before)
                divisor = tf.reshape(share, [-1] + [1] * (change.shape.rank - 1))
                new = tf.IndexedSlices(before + change / divisor, rows)
                table.scatter_update(new)
                copy.scatter_update(new)
        for marks in self._changed:
            marks.assign(tf.zeros_like(marks))
