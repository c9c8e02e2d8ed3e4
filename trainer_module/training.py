"""Training: steps, schedule, checkpoints, progress."""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import tensorflow as tf

from trainer_module import candidate_sampling, losses
from trainer_module.errors import InputError
from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.model import SkipGramModel

# Pairs between two looks at the clock: about a second of work, so that progress is seen and the
# price of leaving the compiled loop is not.
_PAIRS_A_CALL = 200_000
# word2vec.c's floor under the linear decay.
_LEAST_RATE_SHARE = 1e-4
_NOT_FINITE = "the loss is not finite"


class Progress(NamedTuple):
    """Where training stands."""

    epoch: int  # from 1
    epochs: int
    step: int
    steps: int
    loss: float  # mean of the last second's pairs, nats
    pairs_per_second: float
    seconds_left: float


class Result(NamedTuple):
    """What training gave."""

    train_loss: float  # mean over the last epoch's pairs, nats
    steps: int
    resumed_at_step: int
    pairs_per_second: float


Batches = Callable[[], tf.data.Dataset]
Report = Callable[[Progress], None]


def bounded_row_step(
    variable: tf.Variable, gradient: tf.IndexedSlices, rate: tf.Tensor, bound: float
) -> None:
    """Plain SGD on the rows of a table, each row's summed step bounded in norm.

    A frequent row's gradients add up within a batch; where the sum steps further than the row's
    own size, training diverges. The bound is on the sum, not on each pair.

    Args:
      variable: `[rows, dim]` or `[rows]`, changed in place.
      gradient: slices of it; rows may repeat.
      rate: `[]` float32.
      bound: the largest norm of one row's step.
    """
    rows, positions = tf.unique(gradient.indices)
    summed = tf.math.unsorted_segment_sum(gradient.values, positions, tf.size(rows))
    flat = tf.reshape(rate * summed, [tf.size(rows), -1])
    step = tf.reshape(tf.clip_by_norm(flat, bound, axes=[1]), tf.shape(summed))
    variable.scatter_sub(tf.IndexedSlices(step, rows))


class Trainer:
    """Runs the steps of an objective over the pairs, and survives a kill between any two."""

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        model: SkipGramModel,
        hyperparameters: TrainerHyperparameters,
        *,
        pairs: int,
        seed: int,
    ):
        """Prepares to train `model`, created in the scope of `strategy`.

        Args:
          strategy: with one replica.
          model: the tables, changed in place.
          hyperparameters: objective, rates and sizes.
          pairs: pairs of one epoch, at least 1.
          seed: of the candidates.
        """
        self._strategy = strategy
        self._model = model
        self._hyperparameters = hyperparameters
        self._seed = seed
        self._steps_per_epoch = -(-pairs // hyperparameters.batch_size)
        self._steps = self._steps_per_epoch * hyperparameters.epochs
        with strategy.scope():
            self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
            self._epoch_loss = tf.Variable(0.0, dtype=tf.float64, trainable=False)
            self._epoch_pairs = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._run_steps = tf.function(self._run_steps_eagerly)

    def train(self, batches: Batches, checkpoint_folder: str, report: Report) -> Result:
        """Trains to the end, from the last checkpoint if there is one.

        Args:
          batches: makes the dataset of one epoch; the same pairs in the same order at every call.
          checkpoint_folder: for this model, this data and these hyperparameters alone.
          report: is called about once a second.

        Raises:
          InputError: the loss is not finite.
        """
        checkpoint = tf.train.Checkpoint(
            model=self._model,
            step=self._step,
            epoch_loss=self._epoch_loss,
            epoch_pairs=self._epoch_pairs,
        )
        manager = tf.train.CheckpointManager(checkpoint, checkpoint_folder, max_to_keep=1)
        manager.restore_or_initialize()
        resumed_at, started = int(self._step.numpy()), time.monotonic()
        last_saved, pairs_done = started, 0
        for loss, pairs in self._calls(batches):
            pairs_done += pairs
            now = time.monotonic()
            report(self._progress(loss / pairs, pairs_done, now - started, resumed_at))
            if now - last_saved >= self._hyperparameters.checkpoint_seconds:
                manager.save(int(self._step.numpy()))
                last_saved = time.monotonic()
        if int(self._step.numpy()) > resumed_at:
            manager.save(int(self._step.numpy()))
        seconds = max(time.monotonic() - started, 1e-9)
        mean = float(self._epoch_loss.numpy()) / max(int(self._epoch_pairs.numpy()), 1)
        return Result(mean, self._steps, resumed_at, pairs_done / seconds)

    def _calls(self, batches: Batches) -> Iterator[tuple[float, int]]:
        """Runs the compiled loop to the end; yields each call's summed loss and its pairs."""
        per_call = max(_PAIRS_A_CALL // self._hyperparameters.batch_size, 1)
        iterator = self._iterator(batches)
        while (step := int(self._step.numpy())) < self._steps:
            done = step % self._steps_per_epoch
            if done == 0:
                self._epoch_loss.assign(0.0)
                self._epoch_pairs.assign(0)
            yield self._call(iterator, min(per_call, self._steps_per_epoch - done))

    def _iterator(self, batches: Batches) -> Iterator[Any]:
        """The batches that are left of all epochs.

        A plain iterator: a worker has one replica, so there is nothing to distribute, and the
        distributed iterators wait for a tuning thread, up to a minute, when they end.
        """
        epochs_done, steps_done = divmod(int(self._step.numpy()), self._steps_per_epoch)
        left = batches().repeat(self._hyperparameters.epochs - epochs_done).skip(steps_done)
        return iter(left)

    def _call(self, iterator: Iterator[Any], num_steps: int) -> tuple[float, int]:
        try:
            loss, pairs = self._run_steps(iterator, tf.constant(num_steps, tf.int64))
        except tf.errors.InvalidArgumentError as error:
            if _NOT_FINITE not in error.message:
                raise
            raise InputError(
                f"the loss was not finite after step {int(self._step.numpy())} of {self._steps}: "
                f"lower trainer.learning_rate ({self._hyperparameters.learning_rate}) or "
                f"trainer.max_row_step ({self._hyperparameters.max_row_step})"
            ) from error
        self._epoch_loss.assign_add(loss)
        self._epoch_pairs.assign_add(pairs)
        return float(loss), int(pairs)

    def _run_steps_eagerly(
        self, iterator: Iterator[Any], num_steps: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        loss, pairs = tf.constant(0.0, tf.float64), tf.constant(0, tf.int64)
        for _ in tf.range(num_steps):
            targets, contexts = next(iterator)
            step_loss = self._strategy.run(self._replica_step, args=(targets, contexts))
            tf.debugging.assert_all_finite(step_loss, _NOT_FINITE)
            loss += tf.cast(step_loss, tf.float64)
            pairs += tf.size(targets, out_type=tf.int64)
        return loss, pairs

    def _replica_step(self, targets: tf.Tensor, contexts: tf.Tensor) -> tf.Tensor:
        """One step of SGD; returns the summed loss of the batch."""
        model, hyperparameters = self._model, self._hyperparameters
        candidates = candidate_sampling.log_uniform(
            contexts[:, tf.newaxis],
            num_sampled=min(hyperparameters.num_sampled, model.vocabulary_size),
            vocabulary_size=model.vocabulary_size,
            seed=tf.stack([tf.constant(self._seed, tf.int64), self._step.read_value()]),
        )
        variables = (model.target_table, model.context_weights, model.context_biases)
        with tf.GradientTape() as tape:
            # The objective is the mean; its gradient times the number of pairs is that of the sum,
            # so that the learning rate is one pair's at any batch size.
            loss = tf.reduce_sum(
                losses.sampled_loss(
                    hyperparameters.objective,
                    inputs=tf.nn.embedding_lookup(model.target_table, targets),
                    contexts=contexts,
                    weights=model.context_weights,
                    biases=model.context_biases,
                    candidates=candidates,
                )
            )
        gradients = tape.gradient(loss, variables)
        rate = self._learning_rate()

        def apply(strategy: tf.distribute.Strategy, *gradients: tf.IndexedSlices) -> None:
            for variable, gradient in zip(variables, gradients, strict=True):
                strategy.extended.update(
                    variable,
                    bounded_row_step,
                    args=(gradient, rate, hyperparameters.max_row_step),
                )
            strategy.extended.update(self._step, lambda step: step.assign_add(1))

        tf.distribute.get_replica_context().merge_call(apply, args=gradients)
        return loss

    def _learning_rate(self) -> tf.Tensor:
        left = 1.0 - tf.cast(self._step / self._steps, tf.float32)
        return self._hyperparameters.learning_rate * tf.maximum(left, _LEAST_RATE_SHARE)

    def _progress(self, loss: float, pairs: int, seconds: float, resumed_at: int) -> Progress:
        step = int(self._step.numpy())
        left = seconds / max(step - resumed_at, 1) * (self._steps - step)
        epoch = (step - 1) // self._steps_per_epoch + 1
        return Progress(
            epoch,
            self._hyperparameters.epochs,
            step,
            self._steps,
            loss,
            pairs / max(seconds, 1e-9),
            left,
        )
