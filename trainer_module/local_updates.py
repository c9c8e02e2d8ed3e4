"""Local updates: workers step on their own and, from time to time, put together what changed."""

from collections.abc import Sequence

import tensorflow as tf

from trainer_module import exchange
from trainer_module.cluster import Worker

# Ids are by falling frequency: after subsampling these are four fifths of the books' targets. A
# worker meets the one after them some 20 times between two calls of put_together.
_FREQUENT = 4096


class LocalUpdates:
    """Knows the tables as all workers last had them, and which rows this one has changed since."""

    def __init__(self, worker: Worker, tables: Sequence[Sequence[tf.Variable]]):
        """Prepares to put changes together.

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
    def put_frequent_together(self) -> None:
        """As put_together, of the rows of the most frequent tokens alone.

        Few bytes, and most of what is met: so it can be done often.
        """
        for tables, last in zip(self._tables, self._last, strict=True):
            self._add_up(tf.range(min(_FREQUENT, tables[0].shape[0])), tables, last)

    @tf.autograph.experimental.do_not_convert
    def put_together(self) -> None:
        """Puts together what changed; in the replica context, by all workers at the same step.

        A row becomes what it was plus the sum of its changes on all workers, as if their steps had
        been taken one after the other. The mean would take half of the steps of two workers: after
        an epoch of the books analogies were .036 by it and .098 by the sum (docs/scaling.md).
        """
        changed = tf.cast(tf.stack(self._changed), tf.float16)
        anywhere = tf.unstack(exchange.total(self._worker, changed) > 0)
        for some, tables, last in zip(anywhere, self._tables, self._last, strict=True):
            self._add_up(tf.cast(tf.where(some)[:, 0], tf.int32), tables, last)
        for marks in self._changed:
            marks.assign(tf.zeros_like(marks))

    def _add_up(
        self, rows: tf.Tensor, tables: Sequence[tf.Variable], last: Sequence[tf.Variable]
    ) -> None:
        """Sends changes as float16: their sum is off by a thousandth of itself, on all alike."""
        for table, copy in zip(tables, last, strict=True):
            before = tf.gather(copy, rows)
            own = tf.cast(tf.gather(table, rows) - before, tf.float16)
            change = tf.cast(exchange.total(self._worker, own), tf.float32)
            new = tf.IndexedSlices(before + change, rows)
            table.scatter_update(new)
            copy.scatter_update(new)
