"""Training: steps, schedule, evaluations, checkpoints, progress."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import tensorflow as tf

from trainer_module import candidate_sampling, evaluation, gradients, input_pipeline, objectives
from trainer_module.candidate_sampling import Drawn
from trainer_module.errors import InputError
from trainer_module.frames import Frames
from trainer_module.gradients import Block, Gradients
from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.input_pipeline import Chunk, Counts
from trainer_module.model import SkipGramModel

# Steps whose data come in one piece: what tf.data costs a piece is then not felt.
STEPS_A_CHUNK = 16
# Targets between two looks at the clock: about a second of work, so that progress is seen and the
# price of leaving the compiled loop is not.
_TARGETS_A_CALL = 1 << 19
# word2vec.c's floor under the linear decay.
_LEAST_RATE_SHARE = 1e-4
_NOT_FINITE = "the loss is not finite"
# Of one step's scores [targets, num_sampled], or of its pairs' candidates: 1 GB of float32.
_MOST_NUMBERS = 1 << 28


class Progress(NamedTuple):
    """Where training stands."""

    epoch: int  # from 1
    epochs: int
    step: int
    steps: int
    loss: float  # mean of the last second's pairs, nats
    pairs_per_second: float
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
    pairs_per_second: float
    evaluations: list[Evaluation]


class HeldOut(NamedTuple):
    """Pairs of the eval split, `[pairs]` ids each."""

    targets: tf.Tensor
    contexts: tf.Tensor


Chunks = Callable[[tf.Tensor], tf.data.Dataset]
Report = Callable[[Progress | Evaluation], None]


def one_thread_per_op() -> None:
    """Lets TensorFlow run two ops of a step at a time rather than split each of them.

    They take some 100 microseconds, and to wake another thread for half of one costs as much: with
    2 cores training is twice as fast so. TensorFlow refuses it in a process where it has run.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)


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


def bounded_row_step(
    variable: tf.Variable, rows: tf.Tensor, gradient: tf.Tensor, rate: tf.Tensor, bound: float
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
    """
    squares = gradient * gradient
    if gradient.shape.rank == 2:
        squares = tf.reduce_sum(squares, 1, keepdims=True)
    factor = tf.minimum(rate, bound * tf.math.rsqrt(squares))
    # Update, not scatter_sub: copying rows takes a quarter of the time of subtracting them one by
    # one. A gradient of 0 has the factor min(rate, inf).
    stepped = tf.gather(variable, rows) - factor * gradient
    variable.scatter_update(tf.IndexedSlices(stepped, rows))


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
        held_out: HeldOut,
    ):
        """Prepares to train `model`, created in the scope of `strategy`.

        Args:
          strategy: with one replica.
          model: the tables, changed in place.
          hyperparameters: objective, rates and sizes.
          counts: of the train split; one pair at least.
          window: the largest there is.
          seed: of the candidates.
          held_out: what evaluations during training are taken on.

        Raises:
          InputError: the objective's scores of one step do not fit into memory.
        """
        self._strategy = strategy
        self._model = model
        self._hyperparameters = hyperparameters
        self._seed = seed
        self._window = window
        self._held_out = held_out
        self.objective = objectives.objective(hyperparameters, model.vocabulary_size)
        self.sampler = objectives.sampler(hyperparameters, counts.context_counts)
        _require_memory(hyperparameters, self.objective, window)
        self._frames = Frames(hyperparameters.batch_size, window)
        self._steps_per_epoch = -(-counts.targets // hyperparameters.batch_size)
        self._steps = self._steps_per_epoch * hyperparameters.epochs
        self._evaluated_chunks = _evenly(
            -(-self._steps_per_epoch // STEPS_A_CHUNK), hyperparameters.evaluations_per_epoch
        )
        most_evaluations = len(self._evaluated_chunks) * hyperparameters.epochs
        with strategy.scope():
            self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
            self._epoch_loss = tf.Variable(0.0, dtype=tf.float64, trainable=False)
            self._epoch_pairs = tf.Variable(0, dtype=tf.int64, trainable=False)
            # Of each evaluation: step, softmax, sigmoid.
            self._history = tf.Variable(tf.zeros([most_evaluations, 3], tf.float64))
            self._num_evaluations = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.parameters = evaluation.Parameters(
            self._local(model.target_table),
            self._local(model.context_weights),
            self._local(model.context_biases),
            tf.constant(objectives.evaluation_correction(self.objective, self.sampler)),
            self.objective.softmax,
            self.objective.temperature,
        )
        self._evaluate = tf.function(
            lambda targets, contexts: evaluation.mean_cross_entropies(
                self.parameters, targets, contexts
            )
        )
        self._run_chunks = tf.function(self._run_chunks_eagerly)

    def train(self, chunks: Chunks, checkpoint_folder: str, report: Report) -> Result:
        """Trains to the end, from the last checkpoint if there is one.

        Args:
          chunks: makes the dataset of an epoch, the first being 0: input_pipeline.chunks of
            `chunk_targets`; the same at every call.
          checkpoint_folder: for this model, this data and these hyperparameters alone.
          report: is called about once a second, and at each evaluation.

        Raises:
          InputError: the loss is not finite.
        """
        everything = tf.train.Checkpoint(
            model=self._model,
            step=self._step,
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
        last_saved, pairs_done = started, 0
        for loss, looked_at, pairs in self._calls(chunks):
            pairs_done += pairs
            seconds = time.monotonic() - started
            report(self._progress(loss / max(looked_at, 1), pairs_done, seconds, resumed_at))
            if self._is_evaluated():
                report(self._evaluate_now(best))
            if time.monotonic() - last_saved >= self._hyperparameters.checkpoint_seconds:
                last.save(self._steps_done())
                last_saved = time.monotonic()
        if self._steps_done() > resumed_at:
            self._require_finite()
            last.save(self._steps_done())
        seconds = max(time.monotonic() - started, 1e-9)
        return Result(
            float(self._epoch_loss.numpy()) / max(int(self._epoch_pairs.numpy()), 1),
            self._steps_done(),
            self._keep(best),
            resumed_at,
            pairs_done / seconds,
            self.evaluations,
        )

    @property
    def chunk_targets(self) -> int:
        """Targets of a chunk."""
        return chunk_targets(self._hyperparameters)

    @property
    def evaluations(self) -> list[Evaluation]:
        """Those taken so far, also before a restart."""
        rows = self._history.numpy()[: int(self._num_evaluations.numpy())].tolist()
        return [Evaluation(int(step), softmax, sigmoid) for step, softmax, sigmoid in rows]

    def _calls(self, chunks: Chunks) -> Iterator[tuple[float, int, int]]:
        """Runs the compiled loop to the end.

        Yields:
          The summed loss of the pairs that were looked at, their number, the number of all pairs.
        """
        per_call = max(_TARGETS_A_CALL // self.chunk_targets, 1)
        iterator = self._iterator(chunks)
        while self._steps_done() < self._steps and not self._is_patience_lost():
            done = self._steps_done() % self._steps_per_epoch // STEPS_A_CHUNK
            if self._steps_done() % self._steps_per_epoch == 0:
                self._epoch_loss.assign(0.0)
                self._epoch_pairs.assign(0)
            next_stop = min(stop for stop in self._stops() if stop > done)
            yield self._call(iterator, min(per_call, next_stop - done))

    def _stops(self) -> list[int]:
        """Chunks of an epoch after which the compiled loop is left: evaluations and the end."""
        return [*self._evaluated_chunks, -(-self._steps_per_epoch // STEPS_A_CHUNK)]

    def _iterator(self, chunks: Chunks) -> Iterator[Any]:
        """The chunks that are left of all epochs.

        A plain iterator: a worker has one replica, so there is nothing to distribute, and the
        distributed iterators wait for a tuning thread, up to a minute, when they end.
        """
        epochs_done, steps_done = divmod(self._steps_done(), self._steps_per_epoch)
        left = tf.data.Dataset.range(epochs_done, self._hyperparameters.epochs).flat_map(chunks)
        left = left.skip(steps_done // STEPS_A_CHUNK).prefetch(STEPS_A_CHUNK)
        return iter(input_pipeline.untuned(left))

    def _call(self, iterator: Iterator[Any], num_chunks: int) -> tuple[float, int, int]:
        try:
            loss, looked_at, pairs = self._run_chunks(iterator, tf.constant(num_chunks, tf.int64))
        except tf.errors.InvalidArgumentError as error:
            if _NOT_FINITE not in error.message:
                raise
            raise self._not_finite() from error
        self._epoch_loss.assign_add(loss)
        self._epoch_pairs.assign_add(looked_at)
        return float(loss), int(looked_at), int(pairs)

    def _not_finite(self) -> InputError:
        return InputError(
            f"the loss was not finite after step {self._steps_done()} of {self._steps}: "
            f"lower trainer.learning_rate ({self._hyperparameters.learning_rate}) or "
            f"trainer.max_row_step ({self._hyperparameters.max_row_step})"
        )

    def _require_finite(self) -> None:
        """The steps after the last loss that was looked at may have left what is not finite."""
        for table in (self.parameters.target_table, self.parameters.context_weights):
            if not bool(tf.reduce_all(tf.math.is_finite(table))):
                raise self._not_finite()

    def _run_chunks_eagerly(
        self, iterator: Iterator[Any], num_chunks: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        total = tf.constant(0.0, tf.float64)
        looked_at = pairs = tf.constant(0, tf.int64)
        for _ in tf.range(num_chunks):
            chunk = next(iterator)
            # The loss of one step in sixteen says what it must, and saves a sixth of the time.
            loss, loss_pairs = self._strategy.run(self._replica_step, args=(chunk, 0, True))
            tf.debugging.assert_all_finite(loss, _NOT_FINITE)
            left_in_epoch = self._steps_per_epoch - (
                (self._step.read_value() - 1) % self._steps_per_epoch
            )
            for index in tf.range(1, tf.minimum(STEPS_A_CHUNK, tf.cast(left_in_epoch, tf.int32))):
                self._strategy.run(self._replica_step, args=(chunk, index, False))
            total += tf.cast(loss, tf.float64)
            looked_at += tf.cast(loss_pairs, tf.int64)
            pairs += tf.cast(tf.reduce_sum(chunk.left + chunk.right), tf.int64)
        return total, looked_at, pairs

    def _replica_step(
        self, chunk: Chunk, index: int | tf.Tensor, with_loss: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """One step of SGD; returns the summed loss of the block's pairs, and their number."""
        size, window = self._hyperparameters.batch_size, self._window
        begin = index * size
        around = tf.ensure_shape(chunk.ids[begin : begin + size + 2 * window], [size + 2 * window])
        left = tf.ensure_shape(chunk.left[begin : begin + size], [size])
        right = tf.ensure_shape(chunk.right[begin : begin + size], [size])
        ids, framed = around[window : window + size], self._frames.of(around)
        band = self._frames.band(left, right)
        drawn = self._draw(framed, band)
        block = self._block(ids, framed, band, drawn)
        found = self._gradients(block, framed, drawn, with_loss)
        self._apply(ids, framed, tf.cast(tf.reshape(drawn.classes, [-1]), tf.int32), found)
        return found.loss, tf.reduce_sum(left + right)

    def _draw(self, framed: tf.Tensor, band: tf.Tensor) -> Drawn:
        """The step's candidates."""
        number = self.objective.num_sampled
        if self.objective.name in objectives.FULL:
            return Drawn(tf.range(number, dtype=tf.int64), tf.constant(number, tf.int64))
        seed = tf.stack([tf.constant(self._seed, tf.int64), self._step.read_value()])
        if self._hyperparameters.sampler == "in_batch":
            return candidate_sampling.draw_in_batch(
                tf.cast(_contexts(framed, band), tf.int64),
                number,
                seed,
                replacement=self._hyperparameters.replacement,
            )
        if self._hyperparameters.negatives == "per_pair":
            return self.sampler.draw_for_each(tf.size(_contexts(framed, band)), number, seed)
        return self.sampler.draw(number, seed)

    def _block(self, ids: tf.Tensor, framed: tf.Tensor, band: tf.Tensor, drawn: Drawn) -> Block:
        # This worker's copies: of a mirrored variable tf.gather would read the whole table.
        model, corrected = self.parameters, self.objective.logq_correction
        biased = self._hyperparameters.bias_initializer != "none"
        expected_count = self.sampler.expected_count

        def biases(classes: tf.Tensor) -> tf.Tensor:
            if not biased:
                return tf.zeros_like(classes, tf.float32)  # their number may be unknown
            return tf.gather(model.context_biases, classes)

        return Block(
            inputs=self._frames.rows(tf.gather(model.target_table, ids)),
            contexts=tf.gather(model.context_weights, framed),
            context_biases=biases(framed),
            context_expected=expected_count(framed, drawn) if corrected else None,
            context_hits=self._hits(framed, drawn),
            band=band,
            candidates=tf.gather(model.context_weights, drawn.classes),
            candidate_biases=biases(drawn.classes),
            candidate_expected=expected_count(drawn.classes, drawn) if corrected else None,
        )

    def _hits(self, framed: tf.Tensor, drawn: Drawn) -> tf.Tensor | None:
        """How often each class of the frames is among the candidates: `[frames, width]`."""
        if not self.objective.remove_accidental_hits:
            return None
        if self.objective.name in objectives.FULL:
            return tf.ones(framed.shape)
        rising = tf.sort(tf.cast(tf.reshape(drawn.classes, [-1]), tf.int32))
        classes = tf.reshape(framed, [-1])
        above = tf.searchsorted(rising, classes, side="right")
        return tf.cast(
            tf.reshape(above - tf.searchsorted(rising, classes), framed.shape), tf.float32
        )

    def _gradients(
        self, block: Block, framed: tf.Tensor, drawn: Drawn, with_loss: bool
    ) -> Gradients:
        if self._hyperparameters.negatives == "per_batch":
            return gradients.shared(self.objective, block, with_loss=with_loss)
        hits = None
        if self.objective.remove_accidental_hits:
            contexts = tf.cast(_contexts(framed, block.band), tf.int64)
            hits = contexts[:, tf.newaxis] == drawn.classes
        return gradients.each(self.objective, block, hits)

    def _apply(
        self, ids: tf.Tensor, framed: tf.Tensor, candidates: tf.Tensor, found: Gradients
    ) -> None:
        """Steps along the gradients, rows added up."""
        model, dim = self._model, self._hyperparameters.dim
        targets, of_targets = summed_rows(ids, tf.reshape(found.inputs, [-1, dim]))
        contexts, of_weights, of_biases = summed_rows(
            tf.concat([tf.reshape(framed, [-1]), candidates], 0),
            tf.concat(
                [tf.reshape(found.contexts, [-1, dim]), tf.reshape(found.candidates, [-1, dim])], 0
            ),
            tf.concat(
                [tf.reshape(found.context_biases, [-1]), tf.reshape(found.candidate_biases, [-1])],
                0,
            ),
        )
        steps = [
            (model.target_table, targets, of_targets),
            (model.context_weights, contexts, of_weights),
        ]
        if self._hyperparameters.bias_initializer != "none":
            steps.append((model.context_biases, contexts, of_biases))
        rate, bound = self._learning_rate(), self._hyperparameters.max_row_step

        def apply(strategy: tf.distribute.Strategy, *slices: tuple[tf.Tensor, tf.Tensor]) -> None:
            for (variable, *_), (rows, gradient) in zip(steps, slices, strict=True):
                strategy.extended.update(
                    variable, bounded_row_step, args=(rows, gradient, rate, bound)
                )
            strategy.extended.update(self._step, lambda step: step.assign_add(1))

        slices = [(rows, gradient) for _, rows, gradient in steps]
        tf.distribute.get_replica_context().merge_call(apply, args=slices)

    def _learning_rate(self) -> tf.Tensor:
        left = 1.0 - tf.cast(self._step / self._steps, tf.float32)
        return self._hyperparameters.learning_rate * tf.maximum(left, _LEAST_RATE_SHARE)

    def _is_evaluated(self) -> bool:
        done = self._steps_done() % self._steps_per_epoch
        chunks = -(-(done or self._steps_per_epoch) // STEPS_A_CHUNK)
        return chunks in self._evaluated_chunks

    def _evaluate_now(self, best: tf.train.CheckpointManager) -> Evaluation:
        """Takes the held-out full cross-entropies, and keeps the model if it is the best so far."""
        found = self._evaluate(*self._held_out)
        new = Evaluation(self._steps_done(), float(found.softmax), float(found.sigmoid))
        lowest = min(map(self._measure, self.evaluations), default=float("inf"))
        if self._hyperparameters.keep == "best" and self._measure(new) < lowest:
            best.save(new.step)
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
        return found.softmax if self.objective.softmax else found.sigmoid

    def _is_patience_lost(self) -> bool:
        if self._hyperparameters.patience is None or not self.evaluations:
            return False
        measures = list(map(self._measure, self.evaluations))
        since_best = len(measures) - 1 - measures.index(min(measures))
        return since_best >= self._hyperparameters.patience

    def _keep(self, best: tf.train.CheckpointManager) -> int:
        """Goes back to the best model if that is wanted; the step of the one that is kept."""
        if self._hyperparameters.keep == "last" or best.latest_checkpoint is None:
            return self._steps_done()
        best.restore_or_initialize()
        return min(self.evaluations, key=self._measure).step

    def _progress(self, loss: float, pairs: int, seconds: float, resumed_at: int) -> Progress:
        step = self._steps_done()
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

    def _steps_done(self) -> int:
        return int(self._step.numpy())

    def _local(self, variable: tf.Variable) -> tf.Variable:
        """This worker's copy of a mirrored variable."""
        return self._strategy.experimental_local_results(variable)[0]


def chunk_targets(hyperparameters: TrainerHyperparameters) -> int:
    """Targets of a chunk: those of its steps."""
    return hyperparameters.batch_size * STEPS_A_CHUNK


def _require_memory(
    hyperparameters: TrainerHyperparameters, objective: objectives.Objective, window: int
) -> None:
    numbers = hyperparameters.batch_size * objective.num_sampled
    if hyperparameters.negatives == "per_pair":
        numbers *= (window + 1) * hyperparameters.dim  # the candidates' vectors, for each pair
    if numbers <= _MOST_NUMBERS:
        return
    raise InputError(
        f"{objective.name} takes {objective.num_sampled:,} classes "
        f"{hyperparameters.negatives.replace('_', ' ')} for each of trainer.batch_size = "
        f"{hyperparameters.batch_size:,} targets at once, {numbers * 4 / 1e9:,.1f} GB: lower "
        "trainer.batch_size or trainer.num_sampled, or choose an objective that samples"
    )


def _contexts(framed: tf.Tensor, band: tf.Tensor) -> tf.Tensor:
    """The context of each pair in the order of the band: `[pairs]`."""
    places = tf.where(band > 0)
    return tf.gather_nd(framed, tf.stack([places[:, 0], places[:, 2]], 1))


def _evenly(total: int, parts: int) -> list[int]:
    """The last thing of each part where `total` things are cut into so many parts, if not fewer."""
    return sorted({-(-total * part // parts) for part in range(1, parts + 1)})
