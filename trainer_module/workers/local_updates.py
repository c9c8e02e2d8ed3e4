"""Local updates: workers step on their own and, from time to time, put together what changed."""

from collections.abc import Sequence

import tensorflow as tf

from trainer_module.workers.group import WorkerGroup

# Ids are by falling frequency: after subsampling these are four fifths of the books' targets. A
# worker meets the one after them some 20 times between two calls of sync.
_FREQUENT = 4096
# Half of float32's bytes. With float16 two workers and 128 steps did 1.39 million words a second,
# with this 1.55 (docs/scaling.md).
_SENT = tf.bfloat16


class LocalUpdates:
    """Knows the tables as all workers last had them."""

    def __init__(self, group: WorkerGroup, tables: Sequence[Sequence[tf.Variable]]):
        """Prepares to put changes together.

        Args:
          group: of this worker.
          tables: this worker's copies, those whose rows change together in one sequence: each
            `[vocab, dim]` or `[vocab]`.
        """
        self._group = group
        self._tables = tables
        self._last = [[tf.Variable(table, trainable=False) for table in of] for of in tables]

    def begin(self) -> None:
        """Takes the tables as they are for what all workers have."""
        for tables, last in zip(self._tables, self._last, strict=True):
            for table, copy in zip(tables, last, strict=True):
                copy.assign(table)

    def sync_frequent(self) -> None:
        """As sync, of the rows of the most frequent tokens alone.

        Few bytes, and most of what is met: so it can be done often.
        """
        for tables, last in zip(self._tables, self._last, strict=True):
            self._add_up(tf.range(min(_FREQUENT, tables[0].shape[0])), tables, last)

    def sync(self) -> None:
        """Puts together what changed; in the replica context, by all workers at the same step.

        A row becomes what it was plus the sum of its changes on all workers, as if their steps had
        been taken one after the other. The mean would take half of the steps of two workers: after
        an epoch of the books analogies were .036 by it and .098 by the sum (docs/scaling.md).
        """
        own = [
            _changed_rows(tables, last)
            for tables, last in zip(self._tables, self._last, strict=True)
        ]
        anywhere = self._group.all_reduce_sum(tf.cast(tf.concat(own, 0), _SENT)) > 0
        of_each = tf.split(anywhere, [tables[0].shape[0] for tables in self._tables])
        for some, tables, last in zip(of_each, self._tables, self._last, strict=True):
            self._add_up(tf.cast(tf.where(some)[:, 0], tf.int32), tables, last)

    def _add_up(
        self, rows: tf.Tensor, tables: Sequence[tf.Variable], last: Sequence[tf.Variable]
    ) -> None:
        """Sends the rows' changes, whose sum is off by less than a hundredth, on all alike."""
        for table, copy in zip(tables, last, strict=True):
            before = tf.gather(copy, rows)
            own = tf.cast(tf.gather(table, rows) - before, _SENT)
            change = tf.cast(self._group.all_reduce_sum(own), tf.float32)
            new = tf.IndexedSlices(before + change, rows)
            table.scatter_update(new)
            copy.scatter_update(new)


def _changed_rows(tables: Sequence[tf.Variable], last: Sequence[tf.Variable]) -> tf.Tensor:
    """Which rows are not what they were in one of the tables: `[vocab]` bool.

    To note them at each step is no faster, and state to keep (docs/scaling.md).
    """
    size = tables[0].shape[0]
    changed = [
        tf.reduce_any(tf.reshape(tf.not_equal(table, copy), [size, -1]), 1)
        for table, copy in zip(tables, last, strict=True)
    ]
    return tf.reduce_any(tf.stack(changed), 0)
