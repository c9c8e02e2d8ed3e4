"""Corpora of a few ids, runs of the Trainer on them, and the SGD that a run is, written out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tests.trainer_module.transformed import Document
from trainer_module.evaluation import cross_entropies
from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.input_pipeline.pair_chunks import PairChunk
from trainer_module.input_pipeline.splits import Counts, Pairs
from trainer_module.input_pipeline.window_chunks import WindowChunk
from trainer_module.objective_table import OBJECTIVES
from trainer_module.objectives import candidate_sampling
from trainer_module.sizes import FRAME_HEIGHT
from trainer_module.training import loop
from trainer_module.training.model import SkipGramModel, unigram_log_probabilities
from trainer_module.training.record import TrainingResult
from trainer_module.workers.cluster import ALONE, Worker
from trainer_module.workers.group import WorkerGroup

Array = np.ndarray[Any, Any]
SEED = 3


class Corpus(NamedTuple):
    """Documents one behind the other, each of two tokens at least."""

    ids: Array
    left: Array
    right: Array
    window: int
    vocabulary_size: int
    emit: str = "windows"

    def pairs(self, begin: int = 0, end: int | None = None) -> tuple[Array, Array]:
        """Targets and contexts of some targets, written out; of none behind the last.

        In the order of the text. Of frames of pairs, begun with the first target, a target's
        contexts are in the order in which its frame has them first.
        """
        end = min(end or len(self.ids), len(self.ids))
        found = [
            (self.ids[target], context)
            for first in range(begin, end, FRAME_HEIGHT)
            for target, contexts in self._frame(first, min(first + FRAME_HEIGHT, end))
            for context in contexts
        ]
        targets, contexts = np.array(found, int).reshape(-1, 2).T
        return targets, contexts

    def _frame(self, begin: int, end: int) -> list[tuple[int, list[int]]]:
        rows = [(target, self._contexts(target)) for target in range(begin, end)]
        if self.emit == "windows":
            return rows
        order = _first_times(rows)
        return [(target, sorted(contexts, key=order.index)) for target, contexts in rows]

    def _contexts(self, target: int) -> list[int]:
        around = self.ids[target - self.left[target] : target + self.right[target] + 1].tolist()
        del around[self.left[target]]
        return around

    def chunk(self, num_targets: int, num_chunks: int) -> WindowChunk | PairChunk:
        """All chunks, stacked."""
        if self.emit == "pairs":
            return self._pair_chunk(num_targets, num_chunks)
        missing = num_chunks * num_targets - len(self.ids)
        around = np.pad(self.ids, [self.window, missing + self.window])
        begins = range(0, num_chunks * num_targets, num_targets)
        left, right = (
            np.pad(extents, [0, missing]).reshape(num_chunks, num_targets)
            for extents in (self.left, self.right)
        )
        ids = [around[begin : begin + num_targets + 2 * self.window] for begin in begins]
        return WindowChunk(np.stack(ids), left, right)

    def _pair_chunk(self, num_targets: int, num_chunks: int) -> PairChunk:
        """A target is a run: no token of a corpus stands beside itself in a document."""
        size, width = num_chunks * num_targets, FRAME_HEIGHT * 2 * self.window
        contexts = np.zeros([size // FRAME_HEIGHT, width], np.int32)
        band = np.zeros([size, width], np.uint8)
        for begin in range(0, len(self.ids), FRAME_HEIGHT):
            rows = self._frame(begin, min(begin + FRAME_HEIGHT, len(self.ids)))
            order = _first_times(rows)
            contexts[begin // FRAME_HEIGHT, : len(order)] = order
            for target, own in rows:
                for context in own:
                    band[target, order.index(context)] += 1
        return PairChunk(
            np.pad(self.ids, [0, size - len(self.ids)]).reshape(num_chunks, num_targets),
            contexts.reshape(num_chunks, -1, width),
            band.reshape(num_chunks, num_targets, width),
        )


def _first_times(rows: Sequence[tuple[int, Sequence[int]]]) -> list[int]:
    """The distinct contexts of a frame in the order in which they come first."""
    return list(dict.fromkeys(context for _, contexts in rows for context in contexts))


def corpus_of(documents: Sequence[Document], window: int, vocabulary_size: int) -> Corpus:
    """Without what has a window of 0, and without documents of a single target."""
    kept = [[(token, size) for token, size in document if size > 0] for document in documents]
    rows = [
        (token, min(size, place), min(size, len(document) - 1 - place))
        for document in kept
        for place, (token, size) in enumerate(document)
        if len(document) > 1
    ]
    return Corpus(*np.array(rows, np.int32).T, window, vocabulary_size)


def with_windows(documents: Sequence[Sequence[int] | Array], window: int) -> list[Document]:
    """Each token draws its own window, as in Transform."""
    random = np.random.default_rng(len(documents))
    return [
        list(zip(map(int, document), random.integers(1, window + 1, len(document)), strict=True))
        for document in documents
    ]


def walks(seed: int, num_tokens: int, worker: Worker = ALONE) -> Corpus:
    """Documents of 2 to 19 tokens that walk around a ring of 12 from anywhere; a worker's share."""
    random = np.random.default_rng(seed)
    documents, left = [], num_tokens
    while left:
        length = left if left < 22 else int(random.integers(2, 20))
        start = random.integers(0, 12)
        documents.append((start + np.arange(length)) % 12)
        left -= length
    return corpus_of(with_windows(documents, 3)[worker.index :: worker.num_workers], 3, 12)


def counts_of(corpora: Sequence[Corpus]) -> Counts:
    """As Form.count gives them, of the corpora of the epochs."""
    first, most = corpora[0], max(len(corpus.ids) for corpus in corpora)
    _, contexts = first.pairs()
    times = np.bincount(contexts, minlength=first.vocabulary_size)
    return Counts(1, len(first.ids), most, len(contexts), times)


class KilledError(Exception):
    pass


class Run:
    """A Trainer, which can begin anew without being traced again."""

    def __init__(
        self,
        group: WorkerGroup,
        corpora: Corpus | Sequence[Corpus],
        held_out: Corpus | None = None,
        *,
        unigram: Array | None = None,
        counts: Counts | None = None,
        **hyperparameters: Any,
    ):
        """Prepares to train on one corpus, or on one of its own in each epoch.

        Args:
          group: of the worker.
          corpora: the worker's share.
          held_out: the first of `corpora` if None.
          unigram: of the corpus if None.
          counts: of all workers' shares together; of `corpora` if None.
          hyperparameters: of the Trainer.
        """
        samples = OBJECTIVES[hyperparameters.get("objective", "nce")].samples
        self.hyperparameters = TrainerHyperparameters(
            **{
                "dim": 4,
                **({"num_sampled": 4} if samples else {}),
                "batch_size": 16,
                "checkpoint_seconds": 1000.0,
                "evaluations_per_epoch": 1,
                **hyperparameters,
            }
        )
        same = [corpora] * self.hyperparameters.epochs
        self.corpora = same if isinstance(corpora, Corpus) else corpora
        assert len(self.corpora) == self.hyperparameters.epochs
        first = self.corpora[0]
        self.counts = counts or counts_of(self.corpora)
        self.held_out = Pairs(*map(tf.constant, (held_out or first).pairs()))
        with group.strategy.scope():
            self.model = SkipGramModel(
                unigram_log_probabilities(self.counts.context_counts)
                if unigram is None
                else unigram,
                dim=self.hyperparameters.dim,
                bias_initializer=self.hyperparameters.bias_initializer,
                seed=1,
            )
        self.loop = loop.TrainingLoop(
            group,
            self.model,
            self.hyperparameters,
            counts=self.counts,
            window=first.window,
            seed=SEED,
            held_out=self.held_out,
        )
        self.step = self.loop.step
        self._variables = [*self.model.variables, *self.loop.state.variables]
        self._initial = [variable.numpy() for variable in self._variables]

    def chunks(self, *, num_targets: int, num_chunks: int, epoch: tf.Tensor) -> tf.data.Dataset:
        """As Form.chunks gives them."""
        every = [corpus.chunk(num_targets, num_chunks) for corpus in self.corpora]
        stacked = map(np.stack, zip(*every, strict=True))
        return tf.data.Dataset.from_tensor_slices(
            type(every[0])(*(tf.gather(part, epoch) for part in stacked))
        )

    def begin_anew(self) -> None:
        for variable, value in zip(self._variables, self._initial, strict=True):
            variable.assign(value)

    def forget(self) -> None:
        """What is in memory is lost with the process."""
        for variable in self._variables:
            variable.assign(tf.ones_like(variable) * 7)

    def train(
        self,
        folder: Path,
        *,
        kill_at: int | None = None,
        report: Callable[[Any], None] = lambda _: None,
        chunks: loop.Chunks | None = None,
    ) -> TrainingResult:
        calls = 0

        def count_and_report(news: Any) -> None:
            nonlocal calls
            calls += 1
            report(news)
            if calls == kill_at:
                raise KilledError

        return self.loop.train(chunks or self.chunks, str(folder), count_and_report)

    @property
    def tables(self) -> list[Array]:
        model = self.model
        return [
            v.numpy() for v in (model.target_table, model.context_weights, model.context_biases)
        ]

    def full(self) -> cross_entropies.CrossEntropies:
        found = cross_entropies.mean_cross_entropies(self.step.parameters, *self.held_out)
        return cross_entropies.CrossEntropies(*map(float, found))

    def measure(self) -> float:
        """The full cross-entropy of the objective's family."""
        found = self.full()
        return found.softmax if self.step.objective.softmax else found.sigmoid


def candidates_of(run: Run, step: int, contexts: Array) -> candidate_sampling.SampledCandidates:
    """A step's, [pairs, num_sampled] where each pair has its own."""
    hyperparameters, number = run.hyperparameters, run.step.objective.num_sampled
    sampler, seed = run.step.sampler, tf.constant([SEED, step], tf.int64)
    if not run.step.objective.spec.samples:
        return candidate_sampling.SampledCandidates(
            tf.range(number, dtype=tf.int64), tf.constant(number)
        )
    if hyperparameters.negatives == "per_pair":
        return sampler.draw_for_each(tf.size(contexts), number, seed)
    if hyperparameters.sampler == "in_batch":
        return candidate_sampling.draw_in_batch(
            tf.constant(contexts, tf.int64), number, seed, replacement=hyperparameters.replacement
        )
    return sampler.draw(number, seed)


def gradients_written_out(
    run: Run, step: int, targets: Array, contexts: Array, tables: list[Array]
) -> list[Array]:
    """Of target table, context weights and biases; pair by pair, float64."""
    described, sampler = run.step.objective, run.step.sampler
    drawn = candidates_of(run, step, contexts)
    classes = np.broadcast_to(drawn.classes.numpy(), [len(targets), described.num_sampled])
    offsets = np.zeros(run.corpora[0].vocabulary_size)
    if described.logq_correction:
        offsets = np.log(sampler.expected_count(np.arange(len(offsets)), drawn).numpy())
    table, weights, biases = tables
    found = [np.zeros_like(x) for x in tables]
    for target, context, own in zip(targets, contexts, classes, strict=True):
        kept = [j for j in own if not (described.remove_accidental_hits and j == context)]
        together = np.array([context, *kept])
        scores = weights[together] @ table[target] / described.temperature
        scores += biases[together] - offsets[together]
        if described.softmax:
            of_scores = np.exp(scores - np.logaddexp.reduce(scores))
        else:
            of_scores = 1 / (1 + np.exp(-scores))
            of_scores[1:] *= described.candidate_weight
        of_scores[0] -= 1
        found[0][target] += of_scores @ weights[together] / described.temperature
        of_products = np.outer(of_scores, table[target]) / described.temperature
        np.add.at(found[1], together, of_products)
        np.add.at(found[2], together, of_scores)
    return found


def tables_written_out(run: Run, steps: int) -> list[Array]:
    """After all steps of plain SGD with bounded rows, the rate falling to 0."""
    run.begin_anew()
    tables = [table.astype(np.float64) for table in run.tables]
    hyperparameters, size = run.hyperparameters, run.hyperparameters.batch_size
    per_epoch = steps // hyperparameters.epochs
    for step in range(steps):
        epoch, nth = divmod(step, per_epoch)
        pairs = run.corpora[epoch].pairs(nth * size, (nth + 1) * size)
        take_step(run, step, *pairs, tables, hyperparameters.learning_rate * (1 - step / steps))
    return tables


def take_step(
    run: Run, step: int, targets: Array, contexts: Array, tables: list[Array], rate: float
) -> None:
    """Changes the tables; `step` is the seed of the candidates."""
    trained = 2 if run.hyperparameters.bias_initializer == "none" else 3
    found = gradients_written_out(run, step, targets, contexts, tables)[:trained]
    for table, gradient in zip(tables, found, strict=False):
        norms = np.sqrt((gradient**2).reshape(len(table), -1).sum(1))
        bounds = run.hyperparameters.max_row_step / np.maximum(norms, 1e-300)
        factors = np.minimum(rate, bounds)
        table -= gradient * factors.reshape([-1] + [1] * (table.ndim - 1))


def assert_is_sgd_written_out(run: Run, steps: int) -> None:
    """Of a run that has ended."""
    trained = run.tables
    for table, expected in zip(trained, tables_written_out(run, steps), strict=True):
        np.testing.assert_allclose(table, expected, rtol=1e-3, atol=2e-4)
