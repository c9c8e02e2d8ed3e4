"""When training does what: a pure function of the number of steps that were taken.

    epoch   all targets of the train split, once
      call    the compiled loop between two looks at the clock; threads take pieces of it
        chunk   the data of 16 steps, which come in one piece
          step    one block of targets, one update of the tables
            frame   16 of a block's targets, one small matrix product

A call ends where something else is due: an evaluation, or the end of the epoch. Workers that step
on their own sync the frequent tokens' rows between the chunks of a call, and all rows at its end.
"""

import dataclasses
from collections.abc import Iterator
from typing import Self

import tensorflow as tf

from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.sizes import STEPS_PER_CHUNK

# Targets between two looks at the clock: about a second of work, so that progress is seen and the
# price of leaving the compiled loop is not.
_TARGETS_PER_CALL = 1 << 19
# A thread that is slower than the others takes fewer, so that all end at about the same time.
_PIECES_PER_THREAD = 8


@dataclasses.dataclass(frozen=True)
class Schedule:
    """The sizes of work of one training. Steps count from 0 over all epochs."""

    targets_per_step: int  # of one worker; of threads, of each
    steps_per_epoch: int
    epochs: int
    chunks_per_call: int  # at most
    evaluated_chunks: tuple[int, ...]  # of an epoch, the numbers of chunks after which to evaluate
    chunks_per_sync: int | None = None  # None: the workers add up the gradients of each step
    threads: int = 1  # of a worker, which take chunks and step without waiting for each other

    @classmethod
    def of(
        cls, hyperparameters: TrainerHyperparameters, *, num_targets: int, num_workers: int
    ) -> Self:
        """Plans a training.

        Args:
          hyperparameters: batch_size, epochs, threads, sync_every, evaluations_per_epoch.
          num_targets: of an epoch, of the worker that has the most.
          num_workers: of the group.
        """
        on_their_own = hyperparameters.sync_every > 1
        targets_per_step = hyperparameters.batch_size
        if not on_their_own:
            targets_per_step //= num_workers
        is_synced = on_their_own and num_workers > 1
        # What a worker does not know of is what the others have done since the last call: all
        # changes are added up, and those of 4 workers with 1,024 steps each diverge.
        targets_per_call = (
            _TARGETS_PER_CALL // (num_workers - 1)
            if is_synced
            else _TARGETS_PER_CALL * hyperparameters.threads
        )
        steps_per_epoch = -(-num_targets // targets_per_step)
        return cls(
            targets_per_step=targets_per_step,
            steps_per_epoch=steps_per_epoch,
            epochs=hyperparameters.epochs,
            chunks_per_call=max(targets_per_call // (targets_per_step * STEPS_PER_CHUNK), 1),
            evaluated_chunks=evenly(
                -(-steps_per_epoch // STEPS_PER_CHUNK), hyperparameters.evaluations_per_epoch
            ),
            chunks_per_sync=hyperparameters.sync_every // STEPS_PER_CHUNK if is_synced else None,
            threads=hyperparameters.threads,
        )

    @property
    def steps(self) -> int:
        """Of all epochs."""
        return self.steps_per_epoch * self.epochs

    @property
    def targets_per_chunk(self) -> int:
        """Of one worker."""
        return self.targets_per_step * STEPS_PER_CHUNK

    @property
    def chunks_per_epoch(self) -> int:
        """The last chunk of an epoch may hold fewer steps."""
        return -(-self.steps_per_epoch // STEPS_PER_CHUNK)

    @property
    def max_evaluations(self) -> int:
        """Of all epochs."""
        return len(self.evaluated_chunks) * self.epochs

    def position(self, steps_done: int) -> tuple[int, int]:
        """How many whole epochs are done, and how many chunks of the next one."""
        epochs_done, steps = divmod(steps_done, self.steps_per_epoch)
        return epochs_done, steps // STEPS_PER_CHUNK

    def chunks_of_call(self, steps_done: int) -> int:
        """How many chunks the next call runs: to the next evaluation or end of an epoch at most."""
        _, chunks_done = self.position(steps_done)
        stops = (*self.evaluated_chunks, self.chunks_per_epoch)
        next_stop = min(stop for stop in stops if stop > chunks_done)
        return min(self.chunks_per_call, next_stop - chunks_done)

    def chunks_between_syncs(self, num_chunks: int) -> Iterator[int]:
        """Cuts the chunks of a call where the frequent tokens' rows are synced."""
        at_once = self.chunks_per_sync or num_chunks
        return (min(at_once, num_chunks - begin) for begin in range(0, num_chunks, at_once))

    def steps_of_chunk(self, nth: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The number of a chunk's first step, and how many steps it has.

        Args:
          nth: `[]` int64, which chunk, from 0 over all epochs.

        Returns:
          `[]` int64 each.
        """
        before = nth % self.chunks_per_epoch * STEPS_PER_CHUNK
        first = nth // self.chunks_per_epoch * self.steps_per_epoch + before
        return first, tf.minimum(self.steps_per_epoch - before, STEPS_PER_CHUNK)

    def pieces(self, num_chunks: int) -> list[int]:
        """Cuts chunks into what a thread takes at a time: several for each thread, if there are."""
        size = max(num_chunks // (self.threads * _PIECES_PER_THREAD), 1)
        return [min(size, num_chunks - begin) for begin in range(0, num_chunks, size)]

    def begins_epoch(self, steps_done: int) -> bool:
        """Whether the next step is the first of an epoch."""
        return steps_done % self.steps_per_epoch == 0

    def is_evaluated(self, steps_done: int) -> bool:
        """Whether the held-out loss is taken after so many steps."""
        steps_of_epoch = (steps_done - 1) % self.steps_per_epoch + 1
        return -(-steps_of_epoch // STEPS_PER_CHUNK) in self.evaluated_chunks


def evenly(total: int, parts: int) -> tuple[int, ...]:
    """The last thing of each part where `total` things are cut into so many parts, if not fewer.

    >>> evenly(10, 3)
    (4, 7, 10)
    """
    return tuple(sorted({-(-total * part // parts) for part in range(1, parts + 1)}))
