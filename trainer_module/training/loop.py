"""The training loop: calls of compiled steps, with evaluations and checkpoints between them."""

import functools
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module.errors import InputError
from trainer_module.evaluation import cross_entropies
from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.input_pipeline.splits import Counts, Pairs, without_autotune
from trainer_module.sizes import STEPS_PER_CHUNK
from trainer_module.training.checkpoints import Checkpoints
from trainer_module.training.model import SkipGramModel
from trainer_module.training.progress import BegunAnew, Listener, Progress, Resumed
from trainer_module.training.record import Evaluation, TrainingResult
from trainer_module.training.schedule import Schedule
from trainer_module.training.state import TrainingState
from trainer_module.training.step import Step
from trainer_module.workers.group import WorkerGroup

_NOT_FINITE = "the loss is not finite"


class Chunks(Protocol):
    """Form.chunks of a split."""

    def __call__(self, *, num_targets: int, num_chunks: int, epoch: tf.Tensor) -> tf.data.Dataset:
        """Makes the dataset of an epoch, the first being 0; the same at every call."""


class TrainingLoop:
    """Runs the steps of an objective over the pairs, and survives a kill between any two."""

    def __init__(
        self,
        group: WorkerGroup,
        model: SkipGramModel,
        hyperparameters: TrainerHyperparameters,
        *,
        counts: Counts,
        window: int,
        seed: int,
        held_out: Pairs,
    ):
        """Prepares to train `model`, created in the scope of the group's strategy.

        Args:
          group: of this worker.
          model: the tables, changed in place.
          hyperparameters: objective, rates and sizes.
          counts: of the train split, `targets` of the worker that has the most; one pair at least.
          window: the largest there is.
          seed: of the candidates.
          held_out: pairs of the eval split, on which evaluations during training are taken.

        Raises:
          InputError: the objective's scores of one step do not fit into memory.
        """
        self._group = group
        self._model = model
        self._hyperparameters = hyperparameters
        self._held_out = held_out
        self.schedule = Schedule.of(
            hyperparameters, num_targets=counts.targets, num_workers=group.num_workers
        )
        with group.strategy.scope():
            self.state = TrainingState(self.schedule.max_evaluations)
        self.step = Step(
            group,
            model,
            hyperparameters,
            counts=counts,
            window=window,
            seed=seed,
            schedule=self.schedule,
        )
        self._steps_done = group.local_copy(self.state.steps_done)
        self._compile()

    def _compile(self) -> None:
        """Each is traced when it is first called, and once."""
        group, updates = self._group, self.step.local_updates
        self._evaluate = tf.function(self._evaluate_eagerly, autograph=False)
        self._run_chunks = tf.function(self._run_chunks_eagerly)
        self._all_gather = group.compiled(group.all_gather)
        if updates is not None:
            self._sync = group.compiled(updates.sync)
            self._sync_frequent = group.compiled(updates.sync_frequent)

    def train(self, chunks: Chunks, checkpoint_folder: str, listener: Listener) -> TrainingResult:
        """Trains to the end, from the last checkpoint if there is one.

        Args:
          chunks: the data of an epoch.
          checkpoint_folder: for this model, this data and these hyperparameters alone.
          listener: is told about once a second, and at each evaluation; see progress.News.

        Raises:
          InputError: the loss is not finite, or the workers do not see the same checkpoints.
        """
        checkpoints = Checkpoints(
            self._group,
            self._model,
            self.state,
            checkpoint_folder,
            keeps_best=self._hyperparameters.keep == "best",
        )
        if damage := checkpoints.restore():
            listener(BegunAnew(damage))
        if self.state.evaluations:
            listener(Resumed(self.state.evaluations))
        if self.step.local_updates is not None:
            self.step.local_updates.begin()
        resumed_at, started = self.state.steps, time.monotonic()
        last_saved, pairs_done = started, [0] * self._group.num_workers
        for loss, pairs in self._calls(chunks):
            pairs_done = [done + new for done, new in zip(pairs_done, pairs, strict=True)]
            seconds = time.monotonic() - started
            listener(self._progress(loss, pairs_done, seconds, resumed_at))
            if self.schedule.is_evaluated(self.state.steps):
                listener(self._evaluate_now(checkpoints))
            if time.monotonic() - last_saved >= self._hyperparameters.checkpoint_seconds:
                checkpoints.save()
                last_saved = time.monotonic()
        if self.state.steps > resumed_at:
            self._require_finite()
            checkpoints.save()
        seconds = max(time.monotonic() - started, 1e-9)
        return TrainingResult(
            train_loss=self.state.train_loss,
            steps=self.state.steps,
            kept_step=self._keep(checkpoints),
            resumed_at_step=resumed_at,
            seconds=seconds,
            pairs_per_second=[done / seconds for done in pairs_done],
            evaluations=self.state.evaluations,
            threads=self.schedule.threads,
        )

    def evaluate(self) -> Evaluation:
        """Takes the held-out full cross-entropies of the model as it is."""
        softmax, sigmoid = self._evaluate().numpy().tolist()
        return Evaluation(self.state.steps, softmax, sigmoid)

    def measure(self, found: Evaluation) -> float:
        """The full cross-entropy of the objective's family."""
        return found.of_family(softmax=self.step.objective.softmax)

    def _evaluate_eagerly(self) -> tf.Tensor:
        """The mean over the workers, that all of them decide by the same numbers."""

        def in_replica(targets: tf.Tensor, contexts: tf.Tensor) -> tf.Tensor:
            found = cross_entropies.mean_cross_entropies(
                self.step.parameters, targets, contexts, raw=False
            )
            means = tf.stack([found.softmax, found.sigmoid])
            return self._group.all_reduce_sum(means) / self._group.num_workers

        return self._group.run(in_replica, args=self._held_out)

    def _calls(self, chunks: Chunks) -> Iterator[tuple[float, list[int]]]:
        """Runs the compiled loop to the end.

        Yields:
          Of a call: the mean loss of the pairs that were looked at, and the number of all pairs of
          each worker.
        """
        iterator = self._iterator(chunks)
        while self.state.steps < self.schedule.steps and not self._is_patience_lost():
            if self.schedule.begins_epoch(self.state.steps):
                self.state.begin_epoch()
            yield self._call(iterator, self.schedule.chunks_of_call(self.state.steps))

    def _iterator(self, chunks: Chunks) -> Iterator[Any]:
        """The chunks that are left of all epochs, with their numbers from the first of all.

        A plain iterator: a worker has one replica, so there is nothing to distribute, and the
        distributed iterators wait for a tuning thread, up to a minute, when they end.
        """
        schedule = self.schedule

        def of_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
            return chunks(
                num_targets=schedule.targets_per_chunk,
                num_chunks=schedule.chunks_per_epoch,
                epoch=epoch,
            )

        epochs_done, chunks_done = schedule.position(self.state.steps)
        left = tf.data.Dataset.range(epochs_done, schedule.epochs).flat_map(of_epoch)
        first = epochs_done * schedule.chunks_per_epoch + chunks_done
        left = left.skip(chunks_done).enumerate(first).prefetch(STEPS_PER_CHUNK)
        return iter(without_autotune(left))

    def _call(self, iterator: Iterator[Any], num_chunks: int) -> tuple[float, list[int]]:
        # To sync is not in the compiled loop: no message there may change its size.
        own = np.zeros(3)
        for nth, at_once in enumerate(self.schedule.chunks_between_syncs(num_chunks)):
            if nth:
                self._sync_frequent()
            own += self._run_in_threads(iterator, at_once)
        if self.step.local_updates is not None:
            self._sync()
        of_each = self._all_gather(tf.constant(own)).numpy()
        loss, looked_at, _ = of_each.sum(0).tolist()
        self.state.add_loss(loss, int(looked_at))
        return loss / max(looked_at, 1), of_each[:, 2].astype(int).tolist()

    def _run_in_threads(self, iterator: Iterator[Any], num_chunks: int) -> npt.NDArray[np.float64]:
        """As _run, by all threads; when it returns or raises, they are at rest."""
        threads, run = self.schedule.threads, functools.partial(self._run, iterator)
        if threads == 1:
            return run(num_chunks)
        # TensorFlow runs without Python's lock, and hands each chunk of an iterator out once.
        with ThreadPoolExecutor(threads) as pool:
            of_pieces = pool.map(run, self.schedule.pieces(num_chunks))
            return sum(of_pieces, start=np.zeros(3))

    def _run(self, iterator: Iterator[Any], num_chunks: int) -> npt.NDArray[np.float64]:
        try:
            found = self._run_chunks(iterator, tf.constant(num_chunks, tf.int64))
        except tf.errors.InvalidArgumentError as error:
            if _NOT_FINITE not in error.message:
                raise
            raise self._not_finite() from error
        own: npt.NDArray[np.float64] = found.numpy()
        return own

    def _run_chunks_eagerly(self, iterator: Iterator[Any], num_chunks: tf.Tensor) -> tf.Tensor:
        """What this worker did: loss, its pairs and all pairs, `[3]` float64; see _calls."""
        total = looked_at = pairs = tf.constant(0.0, tf.float64)
        for _ in tf.range(num_chunks):
            nth, chunk = next(iterator)
            first, num_steps = self.schedule.steps_of_chunk(nth)
            # The loss of one step in sixteen says what it must, and saves a sixth of the time.
            loss, loss_pairs = self._group.run(self.step, args=(chunk, 0, first, True))
            tf.debugging.assert_all_finite(loss, _NOT_FINITE)
            for index in tf.range(1, num_steps):
                self._group.run(self.step, args=(chunk, index, first + index, False))
            self._steps_done.assign_add(num_steps)
            total += tf.cast(loss, tf.float64)
            looked_at += tf.cast(loss_pairs, tf.float64)
            pairs += tf.cast(chunk.num_pairs(), tf.float64)
        return tf.stack([total, looked_at, pairs])

    def _not_finite(self) -> InputError:
        return InputError(
            f"the loss was not finite after step {self.state.steps} of {self.schedule.steps}: "
            f"lower trainer.learning_rate ({self._hyperparameters.learning_rate}) or "
            f"trainer.max_row_step ({self._hyperparameters.max_row_step})"
        )

    def _require_finite(self) -> None:
        """The steps after the last loss that was looked at may have left what is not finite."""
        for table in (self._model.target_table, self._model.context_weights):
            if not bool(tf.reduce_all(tf.math.is_finite(table))):
                raise self._not_finite()

    def _evaluate_now(self, checkpoints: Checkpoints) -> Evaluation:
        """Takes the held-out full cross-entropies, and keeps the model if it is the best so far."""
        new = self.evaluate()
        lowest = min(map(self.measure, self.state.evaluations), default=float("inf"))
        if self._hyperparameters.keep == "best" and self.measure(new) < lowest:
            checkpoints.save_best()
        self.state.add_evaluation(new)
        return new

    def _is_patience_lost(self) -> bool:
        measures = list(map(self.measure, self.state.evaluations))
        if self._hyperparameters.patience is None or not measures:
            return False
        since_best = len(measures) - 1 - measures.index(min(measures))
        return since_best >= self._hyperparameters.patience

    def _keep(self, checkpoints: Checkpoints) -> int:
        """Goes back to the best model if that is wanted; the step of the one that is kept."""
        if self._hyperparameters.keep == "last" or not self.state.evaluations:
            return self.state.steps
        checkpoints.restore_best()
        return min(self.state.evaluations, key=self.measure).step

    def _progress(
        self, loss: float, pairs_done: list[int], seconds: float, resumed_at: int
    ) -> Progress:
        step, steps = self.state.steps, self.schedule.steps
        return Progress(
            epoch=(step - 1) // self.schedule.steps_per_epoch + 1,
            epochs=self.schedule.epochs,
            step=step,
            steps=steps,
            loss=loss,
            pairs_per_second=[done / max(seconds, 1e-9) for done in pairs_done],
            seconds_left=seconds / max(step - resumed_at, 1) * (steps - step),
        )
