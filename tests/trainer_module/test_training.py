import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module import candidate_sampling, evaluation, objectives, training
from trainer_module.errors import InputError
from trainer_module.hyperparameters import OBJECTIVE_DEFAULTS, TrainerHyperparameters
from trainer_module.input_pipeline import Chunk, Counts
from trainer_module.model import SkipGramModel, unigram_log_probabilities

Array = np.ndarray[Any, Any]
SEED = 3


class Corpus(NamedTuple):
    """Documents one behind the other, each of two tokens at least."""

    ids: Array
    left: Array
    right: Array
    window: int
    vocabulary_size: int

    def pairs(self, begin: int = 0, end: int | None = None) -> tuple[Array, Array]:
        """Targets and contexts of some targets, written out."""
        places = [
            (target, target + offset)
            for target in range(begin, min(end or len(self.ids), len(self.ids)))
            for offset in range(-self.left[target], self.right[target] + 1)
            if offset != 0
        ]
        targets, contexts = np.array(places).T
        return self.ids[targets], self.ids[contexts]

    @property
    def counts(self) -> Counts:
        _, contexts = self.pairs()
        times = np.bincount(contexts, minlength=self.vocabulary_size)
        return Counts(1, len(self.ids), len(self.ids), len(contexts), times)

    def chunks(self, num_targets: int) -> tf.data.Dataset:
        number = -(-len(self.ids) // num_targets)
        missing = number * num_targets - len(self.ids)
        around = np.pad(self.ids, [self.window, missing + self.window])
        ids = [
            around[begin : begin + num_targets + 2 * self.window]
            for begin in range(0, number * num_targets, num_targets)
        ]
        left, right = (
            np.pad(extents, [0, missing]).reshape(number, num_targets)
            for extents in (self.left, self.right)
        )
        return tf.data.Dataset.from_tensor_slices(Chunk(np.stack(ids), left, right))


def corpus_of(documents: list[Array], window: int, vocabulary_size: int) -> Corpus:
    """Each target draws its own window, as in Transform."""
    random = np.random.default_rng(len(documents))
    left, right = [], []
    for document in documents:
        own = random.integers(1, window + 1, len(document))
        places = np.arange(len(document))
        left.append(np.minimum(own, places))
        right.append(np.minimum(own, len(document) - 1 - places))
    return Corpus(
        *(np.concatenate(parts).astype(np.int32) for parts in (documents, left, right)),
        window,
        vocabulary_size,
    )


def walks(seed: int, num_tokens: int) -> Corpus:
    """Documents of 2 to 19 tokens that walk around a ring of 12 from anywhere."""
    random = np.random.default_rng(seed)
    documents, left = [], num_tokens
    while left:
        length = left if left < 22 else int(random.integers(2, 20))
        start = random.integers(0, 12)
        documents.append((start + np.arange(length)) % 12)
        left -= length
    return corpus_of(documents, 3, 12)


class KilledError(Exception):
    pass


class Run:
    """A Trainer, which can begin anew without being traced again."""

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        corpus: Corpus,
        held_out: Corpus | None = None,
        *,
        unigram: Array | None = None,
        **hyperparameters: Any,
    ):
        self.corpus = corpus
        self.hyperparameters = TrainerHyperparameters(
            **{
                "dim": 4,
                "num_sampled": 4,
                "batch_size": 16,
                "checkpoint_seconds": 1000.0,
                "evaluations_per_epoch": 1,
                **hyperparameters,
            }
        )
        counts = corpus.counts
        self.held_out = training.HeldOut(*map(tf.constant, (held_out or corpus).pairs()))
        with strategy.scope():
            self.model = SkipGramModel(
                unigram_log_probabilities(counts.context_counts) if unigram is None else unigram,
                dim=self.hyperparameters.dim,
                bias_initializer=self.hyperparameters.bias_initializer,
                seed=1,
            )
        self.trainer = training.Trainer(
            strategy,
            self.model,
            self.hyperparameters,
            counts=counts,
            window=corpus.window,
            seed=SEED,
            held_out=self.held_out,
        )
        state = [v for v in vars(self.trainer).values() if isinstance(v, tf.Variable)]
        self._variables = [*self.model.variables, *state]
        self._initial = [variable.numpy() for variable in self._variables]

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
    ) -> training.Result:
        calls = 0

        def count_and_report(news: Any) -> None:
            nonlocal calls
            calls += 1
            report(news)
            if calls == kill_at:
                raise KilledError

        return self.trainer.train(
            lambda _: self.corpus.chunks(self.trainer.chunk_targets), str(folder), count_and_report
        )

    @property
    def tables(self) -> list[Array]:
        model = self.model
        return [
            v.numpy() for v in (model.target_table, model.context_weights, model.context_biases)
        ]

    def full(self) -> evaluation.CrossEntropies:
        found = evaluation.mean_cross_entropies(self.trainer.parameters, *self.held_out)
        return evaluation.CrossEntropies(*map(float, found))

    def measure(self) -> float:
        """The full cross-entropy of the objective's family."""
        found = self.full()
        return found.softmax if self.trainer.objective.softmax else found.sigmoid


def comparable(result: training.Result) -> tuple[Any, ...]:
    """Of a result: all but the clock and where it was taken up."""
    return result.train_loss, result.steps, result.kept_step, result.evaluations


def assert_same(one: list[Array], other: list[Array]) -> None:
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture(scope="module")
def strategy() -> tf.distribute.Strategy:
    return tf.distribute.MultiWorkerMirroredStrategy()


@pytest.fixture(autouse=True, scope="module")
def _one_chunk_a_call() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_TARGETS_A_CALL", 1)
        yield


# --- Sums and steps of rows


def test_summed_rows_by_hand() -> None:
    rows, vectors, numbers = training.summed_rows(
        tf.constant([5, 1, 5, 0, 1, 5]),
        tf.constant([[1.0, 0], [2, 0], [4, 1], [8, 0], [16, 2], [32, 3]]),
        tf.constant([1.0, 2, 4, 8, 16, 32]),
    )
    assert rows.numpy().tolist() == [0, 1, 5]
    assert vectors.numpy().tolist() == [[8, 0], [18, 2], [37, 4]]
    assert numbers.numpy().tolist() == [8, 18, 37]


@given(rows=st.lists(st.integers(0, 9), min_size=1, max_size=50), seed=st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_summed_rows_are_those_added_one_by_one(rows: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=[len(rows), 3]).astype(np.float32)
    expected = np.zeros([10, 3])
    np.add.at(expected, rows, values)
    distinct, sums, first = training.summed_rows(tf.constant(rows), values, values[:, 0])
    assert distinct.numpy().tolist() == sorted(set(rows))
    np.testing.assert_allclose(sums, expected[distinct], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(first, expected[distinct, 0], rtol=1e-5, atol=1e-5)


def test_row_step_bounds_the_norm_of_a_row_and_leaves_the_others() -> None:
    table = tf.Variable(tf.ones([4, 2]))
    gradient = tf.constant([[6.0, 8.0], [0.3, 0.4], [0.0, 0.0]])
    training.bounded_row_step(table, tf.constant([3, 0, 1]), gradient, tf.constant(1.0), 5.0)
    # Row 3's norm of 10 is halved, row 0's of 0.5 is within the bound.
    np.testing.assert_allclose(table, [[0.7, 0.6], [1, 1], [1, 1], [-2, -3]], rtol=1e-6)


def test_row_step_bounds_the_step_and_not_the_gradient() -> None:
    table = tf.Variable(tf.zeros([1, 2]))
    gradient = tf.constant([[6.0, 8.0]])
    training.bounded_row_step(table, tf.constant([0]), gradient, tf.constant(0.25), 5.0)
    np.testing.assert_allclose(table, [[-1.5, -2]], rtol=1e-6)  # 0.25 * 10 is within 5


def test_row_step_bounds_biases_by_their_size() -> None:
    biases = tf.Variable([1.0, 1.0, 1.0, 1.0])
    gradient = tf.constant([8.0, -2.0, 0.0, -8.0])
    training.bounded_row_step(biases, tf.constant([0, 1, 2, 3]), gradient, tf.constant(0.5), 1.5)
    np.testing.assert_allclose(biases, [-0.5, 2.0, 1.0, 2.5], rtol=1e-6)


def test_row_step_of_huge_and_tiny_gradients_stays_finite_and_bounded() -> None:
    table = tf.Variable(tf.zeros([3, 2]))
    gradient = tf.constant([[1e30, -1e30], [1e-30, 1e-30], [1e15, 0]])
    training.bounded_row_step(table, tf.constant([0, 1, 2]), gradient, tf.constant(1.0), 1.0)
    assert np.isfinite(table).all()
    assert np.linalg.norm(table, axis=1).max() <= 1 + 1e-6


# --- Steps written out


def candidates_of(run: Run, step: int, contexts: Array) -> candidate_sampling.Drawn:
    """A step's, [pairs, num_sampled] where each pair has its own."""
    hyperparameters, number = run.hyperparameters, run.trainer.objective.num_sampled
    sampler, seed = run.trainer.sampler, tf.constant([SEED, step], tf.int64)
    if hyperparameters.objective in objectives.FULL:
        return candidate_sampling.Drawn(tf.range(number, dtype=tf.int64), tf.constant(number))
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
    described, sampler = run.trainer.objective, run.trainer.sampler
    drawn = candidates_of(run, step, contexts)
    classes = np.broadcast_to(drawn.classes.numpy(), [len(targets), described.num_sampled])
    offsets = np.zeros(run.corpus.vocabulary_size)
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
    trained = 2 if hyperparameters.bias_initializer == "none" else 3
    for step in range(steps):
        begin = step % per_epoch * size
        pairs = run.corpus.pairs(begin, begin + size)
        found = gradients_written_out(run, step, *pairs, tables)[:trained]
        rate = hyperparameters.learning_rate * (1 - step / steps)
        for table, gradient in zip(tables, found, strict=False):
            norms = np.sqrt((gradient**2).reshape(len(table), -1).sum(1))
            bounds = hyperparameters.max_row_step / np.maximum(norms, 1e-300)
            factors = np.minimum(rate, bounds)
            table -= gradient * factors.reshape([-1] + [1] * (table.ndim - 1))
    return tables


VARIANTS: dict[str, dict[str, Any]] = {
    "nce": {"objective": "nce"},
    "nce raw unigram": {
        "objective": "nce",
        "sampler": "unigram",
        "logq_correction": False,
        "bias_initializer": "zeros",
        "learning_rate": 0.02,
        "max_row_step": 0.1,
    },
    "nce per pair": {
        "objective": "nce",
        "sampler": "unigram",
        "replacement": True,
        "negatives": "per_pair",
        "remove_accidental_hits": True,
    },
    "sampled softmax uniform with replacement": {
        "objective": "sampled_softmax",
        "sampler": "uniform",
        "replacement": True,
        "num_sampled": 9,
    },
    "negative sampling": {"objective": "negative_sampling", "num_sampled": 6},
    "sigmoid per pair": {"objective": "sigmoid_cross_entropy", "negatives": "per_pair"},
    "softmax in batch": {
        "objective": "softmax_cross_entropy",
        "sampler": "in_batch",
        "replacement": False,
        "remove_accidental_hits": True,
        "temperature": 0.5,
    },
    "full softmax": {"objective": "full_softmax"},
    "full sigmoid": {"objective": "full_sigmoid", "bias_initializer": "none"},
}


def test_variants_name_every_choice() -> None:
    every = [TrainerHyperparameters(**given) for given in VARIANTS.values()]
    assert {one.objective for one in every} == set(OBJECTIVE_DEFAULTS)
    assert {one.sampler for one in every} == {"log_uniform", "unigram", "uniform", "in_batch"}
    assert {one.bias_initializer for one in every} == {"log_frequency", "zeros", "none"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_training_is_sgd_on_the_pairs_written_out(
    strategy: tf.distribute.Strategy, tmp_path: Path, variant: str
) -> None:
    # 4 whole blocks and one of 9 targets an epoch, in a chunk that has room for 16.
    run = Run(
        strategy,
        walks(1, 73),
        walks(2, 200),
        **{"epochs": 12, "learning_rate": 0.2, **VARIANTS[variant]},
    )
    before = run.measure()
    result = run.train(tmp_path)
    tables, after = run.tables, run.measure()
    assert result.steps == 60
    for table, expected in zip(tables, tables_written_out(run, 60), strict=True):
        np.testing.assert_allclose(table, expected, rtol=1e-3, atol=2e-4)
    assert after < before
    assert len(result.evaluations) == 12
    last = result.evaluations[-1]
    assert (last.softmax if run.trainer.objective.softmax else last.sigmoid) == pytest.approx(after)


# --- Comparable at evaluation


@functools.cache
def edges() -> Corpus:
    """Documents of two tokens from a joint distribution in which no p(c|t) is large."""
    random, size = np.random.default_rng(0), 16
    logits = random.normal(size=[size, size]) - 0.15 * np.add.outer(np.arange(size), range(size))
    joint = np.exp((logits + logits.T) / 2)
    drawn = random.choice(size * size, 2048, p=(joint / joint.sum()).ravel())
    documents = [np.array(divmod(edge, size)) for edge in drawn.tolist()]
    return corpus_of(documents, 1, size)


class Truth(NamedTuple):
    softmax: float  # the entropy H(c|t)
    sigmoid: float  # where exp(s) = p
    full_sigmoid: float  # where sigmoid(s) = p


@functools.cache
def truth() -> Truth:
    joint = np.zeros([16, 16])
    np.add.at(joint, edges().pairs(), 1)
    of_target = joint.sum(1) / joint.sum()
    p = joint / joint.sum(1, keepdims=True)
    assert p.max() < 0.5
    entropies = -np.sum(p * np.log(np.where(p > 0, p, 1)), 1)
    entropy = of_target @ entropies
    # sum_j softplus(s_j) - s_c: softplus(log p) = log(1 + p).
    sigmoid = entropy + of_target @ np.log1p(p).sum(1)
    # One binary entropy a class.
    full_sigmoid = entropy - of_target @ ((1 - p) * np.log1p(-p)).sum(1)
    return Truth(entropy, sigmoid, full_sigmoid)


# The first seven: each objective as it is by default, but for the number of candidates.
CONVERGED: dict[str, dict[str, Any]] = {
    **{name: {"objective": name} for name in OBJECTIVE_DEFAULTS},
    # Distinct candidates without correction: what a class is expected is far from k q.
    "nce raw": {"objective": "nce", "logq_correction": False, "num_sampled": 10},
}


@pytest.fixture(scope="module")
def converged(
    strategy: tf.distribute.Strategy, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Run]:
    @functools.cache
    def train(name: str) -> Run:
        run = Run(
            strategy,
            edges(),
            **{
                "dim": 16,
                "num_sampled": 6,
                "batch_size": 64,
                "epochs": 15,
                "learning_rate": 0.05,
                "evaluations_per_epoch": 0,
                **CONVERGED[name],
            },
        )
        result = run.train(tmp_path_factory.mktemp("converged"))
        assert result.evaluations == []
        return run

    return train


@pytest.mark.parametrize("name", CONVERGED)
def test_every_objective_comes_to_the_entropy(converged: Callable[[str], Run], name: str) -> None:
    found, expected = converged(name).full(), truth()
    # None is below the entropy: no model of p is better than p.
    assert expected.softmax - 1e-4 < found.softmax < 1.02 * expected.softmax
    sigmoid = expected.full_sigmoid if name == "full_sigmoid" else expected.sigmoid
    assert found.sigmoid == pytest.approx(sigmoid, rel=0.02)


@pytest.mark.parametrize(
    "name", ["negative_sampling", "sigmoid_cross_entropy", "softmax_cross_entropy", "nce raw"]
)
def test_raw_figures_of_objectives_without_logq_are_off(
    converged: Callable[[str], Run], name: str
) -> None:
    found, expected = converged(name).full(), truth()
    assert found.raw_softmax > 1.02 * expected.softmax
    assert found.raw_sigmoid > 1.02 * expected.sigmoid


# --- Killed runs


@pytest.fixture
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """One second passes from each look at the clock to the next."""
    seconds = iter(range(1 << 30))
    clock = SimpleNamespace(monotonic=lambda: float(next(seconds)))
    monkeypatch.setattr(training, "time", clock)


RESUMED: dict[str, dict[str, Any]] = {
    "some calls saved": {"checkpoint_seconds": 3.0, "sampler": "in_batch"},
    "keep best, patience": {
        "objective": "sampled_softmax",
        "checkpoint_seconds": 3.0,
        "evaluations_per_epoch": 2,
        "epochs": 30,
        "learning_rate": 0.5,
        "keep": "best",
        "patience": 2,
    },
}


@pytest.mark.parametrize("variant", RESUMED)
@pytest.mark.usefixtures("_clock")
def test_a_run_killed_at_any_call_ends_as_an_undisturbed_one(
    strategy: tf.distribute.Strategy, tmp_path: Path, variant: str
) -> None:
    # 3 chunks an epoch, the last one with 3 steps, the last of these with 5 targets.
    corpus, held_out = walks(3, 2 * 256 + 37), walks(4, 100)
    make = functools.partial(Run, strategy, corpus, held_out, **{"epochs": 2, **RESUMED[variant]})
    run = make()
    news: list[Any] = []
    states: dict[int, list[Array]] = {}

    def report(one: Any) -> None:
        news.append(one)
        if isinstance(one, training.Evaluation):
            states[one.step] = run.tables

    expected = run.train(tmp_path / "undisturbed", report=report)
    tables = run.tables
    evaluations = [one for one in news if isinstance(one, training.Evaluation)]
    assert expected.evaluations == evaluations
    assert_same(tables, states[expected.kept_step])
    if run.hyperparameters.patience:
        losses = [one.softmax for one in evaluations]
        assert losses.index(min(losses)) == len(losses) - 1 - 2  # two without a new lowest one
        assert len(losses) < 2 * 30
        assert expected.kept_step == evaluations[-3].step < expected.steps == evaluations[-1].step
    else:
        assert expected.kept_step == expected.steps == 2 * 35
    resumed_at = set()
    for kill_at in range(1, len(news) + 1):
        folder = tmp_path / str(kill_at)
        run.begin_anew()
        with pytest.raises(KilledError):
            run.train(folder, kill_at=kill_at)
        if (folder / "checkpoint").exists():
            run.forget()
        else:  # nothing saved yet: a new process begins with new variables
            run.begin_anew()
        result = run.train(folder)
        assert comparable(result) == comparable(expected)
        assert_same(run.tables, tables)
        resumed_at.add(result.resumed_at_step)
    assert len(resumed_at) > 2

    # After the end nothing is left to do.
    run.forget()
    result = run.train(tmp_path / "undisturbed")
    assert result.resumed_at_step == result.steps == expected.steps
    assert comparable(result) == comparable(expected)
    assert_same(run.tables, tables)

    # A process of its own: all of the above began anew in the same one.
    run.begin_anew()
    with pytest.raises(KilledError):
        run.train(tmp_path / "killed", kill_at=len(news) - 1)
    other = make()
    result = other.train(tmp_path / "killed")
    assert 0 < result.resumed_at_step < result.steps
    assert comparable(result) == comparable(expected)
    assert_same(other.tables, tables)


# --- Progress and evaluations


@pytest.mark.usefixtures("_clock")
def test_progress_and_evaluations_by_hand(strategy: tf.distribute.Strategy, tmp_path: Path) -> None:
    corpus = walks(5, 4 * 256 + 33)  # 5 chunks, the last one with 3 steps
    run = Run(strategy, corpus, epochs=2, evaluations_per_epoch=2)
    news: list[Any] = []

    def report(one: Any) -> None:
        news.append(one)
        if isinstance(one, training.Evaluation):
            now = run.full()
            assert one[1:] == (pytest.approx(now.softmax), pytest.approx(now.sigmoid))

    result = run.train(tmp_path, report=report)
    kinds = ["E" if isinstance(one, training.Evaluation) else "p" for one in news]
    assert "".join(kinds) == "pppEppE" * 2  # after 3 of 5 chunks, and after all
    assert [one.step for one in result.evaluations] == [48, 67, 67 + 48, 134]
    progress = [one for one in news if isinstance(one, training.Progress)]
    assert [one.step for one in progress] == [16, 32, 48, 64, 67, 83, 99, 115, 131, 134]
    assert [one.epoch for one in progress] == [1] * 5 + [2] * 5
    assert {(one.epochs, one.steps) for one in progress} == {(2, 134)}
    assert progress[-1].seconds_left == 0
    # The clock was looked at once before the first report, and 16 of 134 steps took that second.
    assert progress[0].seconds_left == pytest.approx(118 / 16)
    of_first = corpus.pairs(0, 256)[0].size
    assert progress[0].pairs_per_second == pytest.approx(of_first)
    assert result.resumed_at_step == 0
    # Of each chunk the first step is looked at: the last epoch's five.
    of_looked_at = [corpus.pairs(256 * i, 256 * i + 16)[0].size for i in range(5)]
    mean = np.average([one.loss for one in progress[5:]], weights=of_looked_at)
    assert result.train_loss == pytest.approx(mean, rel=1e-6)


@pytest.mark.parametrize(
    ("chunks", "evaluations", "expected"),
    [
        (4, 0, []),
        (4, 1, [4]),
        (4, 2, [2, 4]),
        (4, 3, [2, 3, 4]),
        (4, 4, [1, 2, 3, 4]),
        (4, 1000, [1, 2, 3, 4]),  # not more often than a chunk
        (1, 5, [1]),
        (10, 3, [4, 7, 10]),
    ],
)
def test_evaluations_are_spread_over_an_epoch(
    chunks: int, evaluations: int, expected: list[int]
) -> None:
    assert training._evenly(chunks, evaluations) == expected


# --- Edges


@pytest.mark.parametrize("num_tokens", [2, 257])
def test_corpora_of_one_block_or_chunk_or_little_more(
    strategy: tf.distribute.Strategy, tmp_path: Path, num_tokens: int
) -> None:
    run = Run(strategy, walks(8, num_tokens), epochs=3)
    result = run.train(tmp_path)
    tables = run.tables
    assert result.steps == 3 * -(-num_tokens // 16)
    assert len(result.evaluations) == 3
    for table, expected in zip(tables, tables_written_out(run, result.steps), strict=True):
        np.testing.assert_allclose(table, expected, rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("objective", ["nce", "sampled_softmax"])
def test_huge_batches_and_rates_on_a_skewed_corpus_stay_finite(
    strategy: tf.distribute.Strategy, tmp_path: Path, objective: str
) -> None:
    random = np.random.default_rng(9)
    # 99 of 100 tokens are the same one.
    ids = np.where(random.random(100_000) < 0.99, 0, random.integers(0, 12, 100_000))
    corpus = corpus_of([*ids.reshape(-1, 50)], 5, 12)
    held_out = corpus_of([*ids[:500].reshape(-1, 50)], 5, 12)
    run = Run(
        strategy,
        corpus,
        held_out,
        objective=objective,
        batch_size=1 << 16,
        learning_rate=1.0,
        num_sampled=1000,
        epochs=4,
    )
    result = run.train(tmp_path)
    assert result.steps == 8
    assert all(np.isfinite(table).all() for table in run.tables)
    assert np.isfinite([one[1:] for one in result.evaluations]).all()
    assert np.isfinite(result.train_loss)


def test_a_loss_that_is_not_finite_ends_the_run(
    strategy: tf.distribute.Strategy, tmp_path: Path
) -> None:
    unigram = np.full(12, np.nan, np.float32)
    run = Run(strategy, walks(10, 40), unigram=unigram, learning_rate=0.5, max_row_step=2.0)
    message = (
        r"not finite after step \d of 6: lower trainer.learning_rate \(0.5\) or "
        r"trainer.max_row_step \(2.0\)"
    )
    with pytest.raises(InputError, match=message):
        run.train(tmp_path)


@pytest.mark.parametrize("objective", objectives.FULL)
def test_scores_that_do_not_fit_into_memory_are_refused(
    strategy: tf.distribute.Strategy, objective: str
) -> None:
    def make(vocabulary_size: int) -> Run:
        corpus = corpus_of([np.array([0, 1])], 1, vocabulary_size)
        return Run(strategy, corpus, objective=objective, batch_size=1 << 16, dim=1)

    make(4096)
    message = f"{objective} takes 4,097 classes per batch .*batch_size = 65,536 .* 1.1 GB: lower"
    with pytest.raises(InputError, match=message):
        make(4097)


def test_candidates_of_each_pair_that_do_not_fit_into_memory_are_refused(
    strategy: tf.distribute.Strategy,
) -> None:
    # 65,536 targets, 32 candidates of 100 numbers for each of 1 + 1 contexts:
    # 65,536 * 32 * 2 * 100 * 4 bytes = 1.7 GB.
    corpus = corpus_of([np.array([0, 1])], 1, 32)
    with pytest.raises(InputError, match=r"32 classes per pair .* 1\.7 GB"):
        Run(
            strategy,
            corpus,
            objective="negative_sampling",
            negatives="per_pair",
            num_sampled=32,
            batch_size=1 << 16,
            dim=100,
        )


def test_the_number_of_candidates_counts_and_not_the_vocabulary(
    strategy: tf.distribute.Strategy,
) -> None:
    corpus = corpus_of([np.array([0, 1])], 1, 5000)
    run = Run(strategy, corpus, batch_size=1 << 16, num_sampled=256, dim=1)
    assert run.trainer.objective.num_sampled == 256
