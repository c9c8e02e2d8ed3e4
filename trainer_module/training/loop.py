"""Training: epochs of steps, evaluations, checkpoints, progress."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module.errors import InputError
from trainer_module.evaluation import cross_entropies
from trainer_module.evaluation.cross_entropies import CrossEntropies
from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.sizes import STEPS_PER_CHUNK
from trainer_module.training import input_pipeline
from trainer_module.training.input_pipeline import Counts, Pairs
from trainer_module.training.model import SkipGramModel
from trainer_module.training.step import Step, step_targets
from trainer_module.workers import exchange
from trainer_module.workers.cluster import ALONE, Worker

# Targets between two looks at the clock: about a second of work, so that progress is seen and the
# price of leaving the compiled loop is not.
_TARGETS_A_CALL = 1 << 19
_NOT_FINITE = "the loss is not finite"


class Progress(NamedTuple):
    """Where training stands."""

    epoch: int  # from 1
    epochs: int
    step: int
    steps: int
    loss: float  # mean of the last second's pairs, nats
    pairs_per_second: list[float]  # of each worker
    seconds_left: float


class Evaluation(NamedTuple):
    """The held-out full cross-entropies at a point of training, nats."""

    step: int
    softmax: float
    sigmoid: float


class Result(NamedTuple):
    """What training gave."""

    train_loss: float  # mean over the last epoch's pairs that were looked at, nats
    steps: int
    kept_step: int
    resumed_at_step: int
    pairs_per_second: list[float]  # of each worker
    evaluations: list[Evaluation]


class Chunks(Protocol):
    """input_pipeline.chunks of a split."""

    def __call__(self, *, num_targets: int, num_chunks: int, epoch: tf.Tensor) -> tf.data.Dataset:
        """Makes the dataset of an epoch, the first being 0; the same at every call."""


Report = Callable[[Progress | Evaluation], None]


def one_thread_per_op() -> None:
    """Lets TensorFlow run two ops of a step at a time rather than split each of them.

    They take some 100 microseconds, and to wake another thread for half of one costs as much: with
    2 cores training is twice as fast so. TensorFlow refuses it in a process where it has run.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)


class Trainer:
    """Runs the steps of an objective over the pairs, and survives a kill between any two."""

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        model: SkipGramModel,
        hyperparameters: TrainerHyperparameters,
        *,
        counts: Counts,
        window: int,
        seed: int,
        held_out: Pairs,
        worker: Worker = ALONE,
    ):
        """Prepares to train `model`, created in the scope of `strategy`.

        Args:
          strategy: with one replica a worker.
          model: the tables, changed in place.
          hyperparameters: objective, rates and sizes.
          counts: of the train split, `targets` of the worker that has the most; one pair at least.
          window: the largest there is.
          seed: of the candidates.
          held_out: pairs of the eval split, on which evaluations during training are taken.
          worker: which one of the group of `strategy` this is.

        Raises:
          InputError: the objective's scores of one step do not fit into memory.
        """
        self._strategy = strategy
        self._model = model
        self._hyperparameters = hyperparameters
        self._held_out = held_out
        self._worker = worker
        targets_a_step = step_targets(hyperparameters, worker)
        self._steps_per_epoch = -(-counts.targets // targets_a_step)
        self._steps = self._steps_per_epoch * hyperparameters.epochs
        self._chunk_targets = targets_a_step * STEPS_PER_CHUNK
        self._chunks_per_epoch = -(-self._steps_per_epoch // STEPS_PER_CHUNK)
        self.step = Step(
            strategy,
            model,
            hyperparameters,
            counts=counts,
            window=window,
            seed=seed,
            num_steps=self._steps,
            worker=worker,
        )
        self._chunks_a_sync = max(hyperparameters.sync_every // STEPS_PER_CHUNK, 1)
        self._targets_a_call = _TARGETS_A_CALL
        if self.step.local_updates is not None:
            # What a worker does not know of is what the others have done since the last call: all
            # changes are added up, and those of 4 workers with 1,024 steps each diverge.
            self._targets_a_call //= worker.num_workers - 1
        self._evaluated_chunks = _evenly(
            self._chunks_per_epoch, hyperparameters.evaluations_per_epoch
        )
        most_evaluations = len(self._evaluated_chunks) * hyperparameters.epochs
        with strategy.scope():
            self._epoch_loss = tf.Variable(0.0, dtype=tf.float64, trainable=False)
            self._epoch_pairs = tf.Variable(0, dtype=tf.int64, trainable=False)
            # Of each evaluation: step, softmax, sigmoid.
            self._history = tf.Variable(tf.zeros([most_evaluations, 3], tf.float64))
            self._num_evaluations = tf.Variable(0, dtype=tf.int64, trainable=False)
        if (updates := self.step.local_updates) is not None:
            self._sync = tf.function(lambda: strategy.run(updates.sync))
            self._sync_frequent = tf.function(lambda: strategy.run(updates.sync_frequent))
        self._evaluate = tf.function(self._evaluate_eagerly)
        self._run_chunks = tf.function(self._run_chunks_eagerly)
        self._all_gather = tf.function(
            lambda own: strategy.run(lambda: exchange.all_gather(worker, own))
        )

    def train(self, chunks: Chunks, checkpoint_folder: str, report: Report) -> Result:
        """Trains to the end, from the last checkpoint if there is one.

        Args:
          chunks: the data of an epoch.
          checkpoint_folder: for this model, this data and these hyperparameters alone.
          report: is called about once a second, and at each evaluation.

        Raises:
          InputError: the loss is not finite, or the workers do not see the same checkpoints.
        """
        everything = tf.train.Checkpoint(
            model=self._model,
            step=self.step.done,
            epoch_loss=self._epoch_loss,
            epoch_pairs=self._epoch_pairs,
            history=self._history,
            num_evaluations=self._num_evaluations,
        )
        last = tf.train.CheckpointManager(everything, checkpoint_folder, max_to_keep=1)
        last.restore_or_initialize()
        best = tf.train.CheckpointManager(
            tf.train.Checkpoint(model=self._model),
            os.path.join(checkpoint_folder, "best"),
            max_to_keep=1,
        )
        resumed_at, started = self._steps_done(), time.monotonic()
        self._begin_together()
        last_saved, pairs_done = started, [0] * self._worker.num_workers
        for loss, looked_at, pairs in self._calls(chunks):
            pairs_done = [done + new for done, new in zip(pairs_done, pairs, strict=True)]
            seconds = time.monotonic() - started
            report(self._progress(loss / max(looked_at, 1), pairs_done, seconds, resumed_at))
            if self._is_evaluated():
                report(self._evaluate_now(best))
            if time.monotonic() - last_saved >= self._hyperparameters.checkpoint_seconds:
                self._save(last)
                last_saved = time.monotonic()
        if self._steps_done() > resumed_at:
            self._require_finite()
            self._save(last)
        seconds = max(time.monotonic() - started, 1e-9)
        return Result(
            float(self._epoch_loss.numpy()) / max(int(self._epoch_pairs.numpy()), 1),
            self._steps_done(),
            self._keep(best),
            resumed_at,
            [done / seconds for done in pairs_done],
            self.evaluations,
        )

    @property
    def evaluations(self) -> list[Evaluation]:
        """Those taken so far, also before a restart."""
        rows = self._history.numpy()[: int(self._num_evaluations.numpy())].tolist()
        return [Evaluation(int(step), softmax, sigmoid) for step, softmax, sigmoid in rows]

    def evaluate(self) -> Evaluation:
        """Takes the held-out full cross-entropies of the model as it is."""
        found = CrossEntropies(*self._evaluate().numpy().tolist())
        return Evaluation(self._steps_done(), found.softmax, found.sigmoid)

    def _evaluate_eagerly(self) -> tf.Tensor:
        """The mean over the workers, that all of them decide by the same numbers."""

        def in_replica(targets: tf.Tensor, contexts: tf.Tensor) -> tf.Tensor:
            found = cross_entropies.mean_cross_entropies(self.step.parameters, targets, contexts)
            return exchange.all_reduce_sum(self._worker, tf.stack(found)) / self._worker.num_workers

        return self._strategy.run(in_replica, args=self._held_out)

    def _begin_together(self) -> None:
        """All workers go on from one checkpoint."""
        if self.step.local_updates is not None:
            self.step.local_updates.begin()
        steps = tf.function(
            lambda: self._strategy.run(
                lambda: exchange.all_gather(self._worker, self.step.done.read_value())
            )
        )()
        if len(set(steps.numpy().tolist())) > 1:
            raise InputError(
                f"the workers found checkpoints of different steps, {steps.numpy().tolist()}: "
                "the folder of checkpoints must be one that all of them see"
            )

    def _save(self, manager: tf.train.CheckpointManager) -> None:
        """Only the chief writes: all workers have the same parameters."""
        if self._worker.is_chief:
            manager.save(self._steps_done())

    def _calls(self, chunks: Chunks) -> Iterator[tuple[float, int, list[int]]]:
        """Runs the compiled loop to the end.

        Yields:
          The summed loss of the pairs that were looked at, their number, and the number of all
          pairs of each worker.
        """
        per_call = max(self._targets_a_call // self._chunk_targets, 1)
        iterator = self._iterator(chunks)
        while self._steps_done() < self._steps and not self._is_patience_lost():
            done = self._steps_done() % self._steps_per_epoch // STEPS_PER_CHUNK
            if self._steps_done() % self._steps_per_epoch == 0:
                self._epoch_loss.assign(0.0)
                self._epoch_pairs.assign(0)
            next_stop = min(stop for stop in self._stops() if stop > done)
            yield self._call(iterator, min(per_call, next_stop - done))

    def _stops(self) -> list[int]:
        """Chunks of an epoch after which the compiled loop is left: evaluations and the end."""
        return [*self._evaluated_chunks, self._chunks_per_epoch]

    def _iterator(self, chunks: Chunks) -> Iterator[Any]:
        """The chunks that are left of all epochs.

        A plain iterator: a worker has one replica, so there is nothing to distribute, and the
        distributed iterators wait for a tuning thread, up to a minute, when they end.
        """
        epochs_done, steps_done = divmod(self._steps_done(), self._steps_per_epoch)

        def of_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
            return chunks(
                num_targets=self._chunk_targets, num_chunks=self._chunks_per_epoch, epoch=epoch
            )

        left = tf.data.Dataset.range(epochs_done, self._hyperparameters.epochs).flat_map(of_epoch)
        left = left.skip(steps_done // STEPS_PER_CHUNK).prefetch(STEPS_PER_CHUNK)
        return iter(input_pipeline.without_autotune(left))

    def _call(self, iterator: Iterator[Any], num_chunks: int) -> tuple[float, int, list[int]]:
        # To put changes together is not in the compiled loop: no message there may change its size.
        at_once = num_chunks if self.step.local_updates is None else self._chunks_a_sync
        own = np.zeros(3)
        for begin in range(0, num_chunks, at_once):
            if begin:
                self._sync_frequent()
            own += self._run(iterator, min(at_once, num_chunks - begin))
        if self.step.local_updates is not None:
            self._sync()
        of_each = self._all_gather(tf.constant(own)).numpy()
        loss, looked_at, _ = of_each.sum(0).tolist()
        self._epoch_loss.assign_add(loss)
        self._epoch_pairs.assign_add(int(looked_at))
        return loss, int(looked_at), of_each[:, 2].astype(int).tolist()

    def _run(self, iterator: Iterator[Any], num_chunks: int) -> npt.NDArray[np.float64]:
        try:
            found = self._run_chunks(iterator, tf.constant(num_chunks, tf.int64))
        except tf.errors.InvalidArgumentError as error:
            if _NOT_FINITE not in error.message:
                raise
            raise self._not_finite() from error
        own: npt.NDArray[np.float64] = found.numpy()
        return own

    def _not_finite(self) -> InputError:
        return InputError(
            f"the loss was not finite after step {self._steps_done()} of {self._steps}: "
            f"lower trainer.learning_rate ({self._hyperparameters.learning_rate}) or "
            f"trainer.max_row_step ({self._hyperparameters.max_row_step})"
        )

    def _require_finite(self) -> None:
        """The steps after the last loss that was looked at may have left what is not finite."""
        for table in (self._model.target_table, self._model.context_weights):
            if not bool(tf.reduce_all(tf.math.is_finite(table))):
                raise self._not_finite()

    def _run_chunks_eagerly(self, iterator: Iterator[Any], num_chunks: tf.Tensor) -> tf.Tensor:
        """What this worker did: loss, its pairs and all pairs, `[3]` float64; see _calls."""
        total = looked_at = pairs = tf.constant(0.0, tf.float64)
        for _ in tf.range(num_chunks):
            chunk = next(iterator)
            # The loss of one step in sixteen says what it must, and saves a sixth of the time.
            loss, loss_pairs = self._strategy.run(self.step, args=(chunk, 0, True))
            tf.debugging.assert_all_finite(loss, _NOT_FINITE)
            left_in_epoch = self._steps_per_epoch - (
                (self.step.done.read_value() - 1) % self._steps_per_epoch
            )
            for index in tf.range(1, tf.minimum(STEPS_PER_CHUNK, tf.cast(left_in_epoch, tf.int32))):
                self._strategy.run(self.step, args=(chunk, index, False))
            total += tf.cast(loss, tf.float64)
            looked_at += tf.cast(loss_pairs, tf.float64)
            pairs += tf.cast(tf.reduce_sum(chunk.left + chunk.right), tf.float64)
        return tf.stack([total, looked_at, pairs])

    def _is_evaluated(self) -> bool:
        done = self._steps_done() % self._steps_per_epoch
        chunks = -(-(done or self._steps_per_epoch) // STEPS_PER_CHUNK)
        return chunks in self._evaluated_chunks

    def _evaluate_now(self, best: tf.train.CheckpointManager) -> Evaluation:
        """Takes the held-out full cross-entropies, and keeps the model if it is the best so far."""
        new = self.evaluate()
        lowest = min(map(self._measure, self.evaluations), default=float("inf"))
        if self._hyperparameters.keep == "best" and self._measure(new) < lowest:
            self._save(best)
        number = int(self._num_evaluations.numpy())
        self._history.assign(
            tf.tensor_scatter_nd_update(
                self._history.numpy(), [[number]], tf.constant([new], tf.float64)
            )
        )
        self._num_evaluations.assign_add(1)
        return new

    def _measure(self, found: Evaluation) -> float:
        """The full cross-entropy of the objective's family."""
        return found.softmax if self.step.objective.softmax else found.sigmoid

    def _is_patience_lost(self) -> bool:
        if self._hyperparameters.patience is None or not self.evaluations:
            return False
        measures = list(map(self._measure, self.evaluations))
        since_best = len(measures) - 1 - measures.index(min(measures))
        return since_best >= self._hyperparameters.patience

    def _keep(self, best: tf.train.CheckpointManager) -> int:
        """Goes back to the best model if that is wanted; the step of the one that is kept."""
        if self._hyperparameters.keep == "last" or not self.evaluations:
            return self._steps_done()
        if self._worker.is_chief:
            best.restore_or_initialize()
        return min(self.evaluations, key=self._measure).step

    def _progress(self, loss: float, pairs: list[int], seconds: float, resumed_at: int) -> Progress:
        step = self._steps_done()
        left = seconds / max(step - resumed_at, 1) * (self._steps - step)
        epoch = (step - 1) // self._steps_per_epoch + 1
        return Progress(
            epoch,
            self._hyperparameters.epochs,
            step,
            self._steps,
            loss,
            [done / max(seconds, 1e-9) for done in pairs],
            left,
        )

    def _steps_done(self) -> int:
        return int(self.step.done.numpy())


def _evenly(total: int, parts: int) -> list[int]:
    """The last thing of each part where `total` things are cut into so many parts, if not fewer."""
    return sorted({-(-total * part // parts) for part in range(1, parts + 1)})
