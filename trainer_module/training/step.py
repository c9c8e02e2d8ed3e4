"""One step of SGD on a block of targets: candidates, rows, gradients, update."""

import functools
from collections.abc import Callable

import tensorflow as tf

from trainer_module.errors import InputError
from trainer_module.evaluation import cross_entropies
from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.input_pipeline.splits import Chunk, Counts
from trainer_module.objectives import candidate_sampling, gradients, registry
from trainer_module.objectives.candidate_sampling import SampledCandidates
from trainer_module.objectives.frames import FramedPairs, pairs_of_band
from trainer_module.objectives.gradients import Block, Gradients
from trainer_module.training.model import SkipGramModel
from trainer_module.training.row_updates import bounded_row_step, summed_rows, summed_rows_of_all
from trainer_module.training.schedule import Schedule
from trainer_module.workers.group import WorkerGroup
from trainer_module.workers.local_updates import LocalUpdates

# word2vec.c's floor under the linear decay.
_LEAST_RATE_SHARE = 1e-4
# Of one step's scores [targets, num_sampled], or of its pairs' candidates: 1 GB of float32.
_MOST_NUMBERS = 1 << 28

_SummedRows = Callable[..., tuple[tf.Tensor, ...]]


class Step:
    """What one step does."""

    def __init__(
        self,
        group: WorkerGroup,
        model: SkipGramModel,
        hyperparameters: TrainerHyperparameters,
        *,
        counts: Counts,
        window: int,
        seed: int,
        schedule: Schedule,
    ):
        """Prepares to change `model`, created in the scope of the group's strategy.

        Args:
          group: of this worker.
          model: the tables.
          hyperparameters: objective, rates and sizes.
          counts: of the train split.
          window: the largest there is.
          seed: of the candidates.
          schedule: how large a step is, and over how many the learning rate falls.

        Raises:
          InputError: the objective's scores of one step do not fit into memory.
        """
        self._group = group
        self._hyperparameters = hyperparameters
        self._seed = seed
        self._schedule = schedule
        self.objective = registry.objective(hyperparameters, model.num_contexts)
        self.sampler = registry.sampler(hyperparameters, counts.context_counts)
        _require_memory(hyperparameters, self.objective, window)
        self.parameters = cross_entropies.Parameters(
            group.local_copy(model.target_table),
            group.local_copy(model.context_weights),
            group.local_copy(model.context_biases),
            registry.evaluation_correction(self.objective, self.sampler),
            self.objective.softmax,
            self.objective.temperature,
        )
        self.is_biased = hyperparameters.bias_initializer != "none"
        self._summed_rows: _SummedRows = functools.partial(summed_rows_of_all, group)
        self.local_updates: LocalUpdates | None = None
        if schedule.chunks_per_sync is not None:
            # Workers on their own add nothing up within a step.
            self._summed_rows = summed_rows
            self.local_updates = self._make_local_updates()

    def _make_local_updates(self) -> LocalUpdates:
        tables = self.parameters
        of_contexts = [tables.context_weights]
        if self.is_biased:
            of_contexts.append(tables.context_biases)
        return LocalUpdates(self._group, [[tables.target_table], of_contexts])

    def __call__(
        self, chunk: Chunk, index: int | tf.Tensor, number: tf.Tensor, with_loss: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Takes a step; in the replica context of the strategy.

        Args:
          chunk: of several blocks of targets.
          index: which of them.
          number: `[]` int64, of the step, from 0 over all epochs: it seeds the candidates, and the
            learning rate falls by it. Not what a variable counts: threads step at the same time.
          with_loss: see gradients.shared_candidates.

        Returns:
          The summed loss of the block's pairs, `[]` float32, and their number, `[]` int32.
        """
        pairs = chunk.block(index, self._schedule.targets_per_step)
        drawn = self._draw(pairs, number)
        found = self._gradients(pairs, self._block(pairs, drawn), drawn, with_loss)
        candidates = tf.cast(tf.reshape(drawn.classes, [-1]), tf.int32)
        self._apply(pairs, candidates, found, self._learning_rate(number))
        return found.loss, tf.cast(tf.reduce_sum(pairs.band), tf.int32)

    def _draw(self, pairs: FramedPairs, step: tf.Tensor) -> SampledCandidates:
        """The step's candidates; where workers step together, the same on all that share them."""
        number = self.objective.num_sampled
        if not self.objective.spec.samples:
            return SampledCandidates(
                tf.range(number, dtype=tf.int64), tf.constant(number, tf.int64)
            )
        shared = self._hyperparameters.negatives == "per_batch" and self.local_updates is None
        if not shared:
            step = step * self._group.num_workers + self._group.index
        seed = tf.stack([tf.constant(self._seed, tf.int64), step])
        if self._hyperparameters.sampler == "in_batch":
            return candidate_sampling.draw_in_batch(
                tf.cast(_contexts(pairs), tf.int64),
                number,
                seed,
                replacement=self._hyperparameters.replacement,
            )
        if self._hyperparameters.negatives == "per_pair":
            return self.sampler.draw_for_each(tf.size(_contexts(pairs)), number, seed)
        return self.sampler.draw(number, seed)

    def _block(self, pairs: FramedPairs, drawn: SampledCandidates) -> Block:
        model, corrected = self.parameters, self.objective.logq_correction
        expected_count = self.sampler.expected_count

        def biases(classes: tf.Tensor) -> tf.Tensor:
            if not self.is_biased:
                return tf.zeros_like(classes, tf.float32)  # their number may be unknown
            return tf.gather(model.context_biases, classes)

        contexts = pairs.contexts
        return Block(
            inputs=pairs.rows(tf.gather(model.target_table, pairs.targets)),
            contexts=tf.gather(model.context_weights, contexts),
            context_biases=biases(contexts),
            context_expected=expected_count(contexts, drawn) if corrected else None,
            context_hits=self._hits(contexts, drawn),
            band=pairs.band,
            candidates=tf.gather(model.context_weights, drawn.classes),
            candidate_biases=biases(drawn.classes),
            candidate_expected=expected_count(drawn.classes, drawn) if corrected else None,
        )

    def _hits(self, contexts: tf.Tensor, drawn: SampledCandidates) -> tf.Tensor | None:
        """How often each class of the frames is among the candidates: `[frames, width]`."""
        if not self.objective.remove_accidental_hits:
            return None
        if not self.objective.spec.samples:
            return tf.ones_like(contexts, tf.float32)
        return candidate_sampling.times_drawn(contexts, drawn)

    def _gradients(
        self, pairs: FramedPairs, block: Block, drawn: SampledCandidates, with_loss: bool
    ) -> Gradients:
        if self._hyperparameters.negatives == "per_batch":
            return gradients.shared_candidates(self.objective, block, with_loss=with_loss)
        hits = None
        if self.objective.remove_accidental_hits:
            contexts = tf.cast(_contexts(pairs), tf.int64)
            hits = contexts[:, tf.newaxis] == drawn.classes
        return gradients.per_pair_candidates(self.objective, block, hits)

    def _apply(
        self, pairs: FramedPairs, candidates: tf.Tensor, found: Gradients, rate: tf.Tensor
    ) -> None:
        """Steps along the gradients, rows added up."""
        # This worker's copies: as all step alike, they stay what the strategy mirrored.
        tables, dim = self.parameters, self._hyperparameters.dim
        targets, of_targets = self._summed_rows(pairs.targets, tf.reshape(found.inputs, [-1, dim]))
        contexts, of_weights, of_biases = self._summed_rows(
            tf.concat([tf.reshape(pairs.contexts, [-1]), candidates], 0),
            tf.concat(
                [tf.reshape(found.contexts, [-1, dim]), tf.reshape(found.candidates, [-1, dim])], 0
            ),
            tf.concat(
                [tf.reshape(found.context_biases, [-1]), tf.reshape(found.candidate_biases, [-1])],
                0,
            ),
        )
        update = functools.partial(
            bounded_row_step,
            rate=rate,
            bound=self._hyperparameters.max_row_step,
            shared=self._hyperparameters.threads > 1,
        )
        update(tables.target_table, targets, of_targets)
        update(tables.context_weights, contexts, of_weights)
        if self.is_biased:
            update(tables.context_biases, contexts, of_biases)

    def _learning_rate(self, step: tf.Tensor) -> tf.Tensor:
        left = 1.0 - tf.cast(step / self._schedule.steps, tf.float32)
        return self._hyperparameters.learning_rate * tf.maximum(left, _LEAST_RATE_SHARE)


def _require_memory(
    hyperparameters: TrainerHyperparameters, objective: registry.Objective, window: int
) -> None:
    threads = hyperparameters.threads
    in_each = f" in each of {threads} threads" if threads > 1 else ""
    numbers = threads * hyperparameters.batch_size * objective.num_sampled
    if hyperparameters.negatives == "per_pair":
        numbers *= (window + 1) * hyperparameters.dim  # the candidates' vectors, for each pair
    if numbers <= _MOST_NUMBERS:
        return
    raise InputError(
        f"{objective.name} takes {objective.num_sampled:,} classes "
        f"{hyperparameters.negatives.replace('_', ' ')} for each of trainer.batch_size = "
        f"{hyperparameters.batch_size:,} targets at once{in_each}, {numbers * 4 / 1e9:,.1f} GB: "
        "lower trainer.batch_size or trainer.num_sampled, or choose an objective that samples"
    )


def _contexts(pairs: FramedPairs) -> tf.Tensor:
    """The context of each pair in the order of the band: `[pairs]`."""
    _, places = pairs_of_band(pairs.band)
    return tf.gather_nd(pairs.contexts, places)
