from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer_module import training
from trainer_module.errors import InputError
from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.model import SkipGramModel, unigram_log_probabilities

VOCABULARY_SIZE = 12
# Each token's context is the other of its couple: 0 and 1, 2 and 3, ...
TARGETS = np.tile(np.arange(VOCABULARY_SIZE), 200)
CONTEXTS = TARGETS ^ 1


@pytest.fixture(scope="module")
def strategy() -> tf.distribute.Strategy:
    return tf.distribute.MultiWorkerMirroredStrategy()


def batches(batch_size: int) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(
        (TARGETS.astype(np.int64), CONTEXTS.astype(np.int64))
    ).batch(batch_size)


class KilledError(Exception):
    pass


def train(
    strategy: tf.distribute.Strategy,
    folder: Path,
    *,
    kill_after_calls: int | None = None,
    reports: list[training.Progress] | None = None,
    **hyperparameters: object,
) -> tuple[SkipGramModel, training.Result]:
    settings = TrainerHyperparameters(
        **{
            "dim": 4,
            "num_sampled": 4,
            "batch_size": 100,
            "epochs": 3,
            "checkpoint_seconds": 0,
            **hyperparameters,
        }
    )
    with strategy.scope():
        model = SkipGramModel(
            unigram_log_probabilities(np.full(VOCABULARY_SIZE, 200)),
            dim=settings.dim,
            bias_initializer=settings.bias_initializer,
            seed=1,
        )
    calls: list[training.Progress] = [] if reports is None else reports

    def report(progress: training.Progress) -> None:
        calls.append(progress)
        if len(calls) == kill_after_calls:
            raise KilledError

    trainer = training.Trainer(strategy, model, settings, pairs=len(TARGETS), seed=1)
    return model, trainer.train(lambda: batches(settings.batch_size), str(folder), report)


def tables(model: SkipGramModel) -> list[np.ndarray]:
    return [v.numpy() for v in (model.target_table, model.context_weights, model.context_biases)]


@pytest.fixture(autouse=True)
def _five_steps_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_PAIRS_A_CALL", 500)


def slices(values: Sequence[object], indices: Sequence[int]) -> tf.IndexedSlices:
    return tf.IndexedSlices(tf.constant(values, tf.float32), tf.constant(indices, tf.int64))


def test_row_step_sums_repeated_rows_and_bounds_the_sum() -> None:
    table = tf.Variable(tf.zeros([3, 2]))
    gradient = slices([[3.0, 0.0], [0.3, 0.4], [3.0, 8.0]], [2, 0, 2])
    training.bounded_row_step(table, gradient, tf.constant(1.0), 5.0)
    # Row 2's sum is (6, 8), of norm 10: halved. Row 0's norm of 0.5 is within the bound.
    np.testing.assert_allclose(table, [[-0.3, -0.4], [0.0, 0.0], [-3.0, -4.0]], rtol=1e-6)


def test_row_step_bounds_biases_by_their_size_and_takes_the_rate() -> None:
    biases = tf.Variable([1.0, 1.0])
    training.bounded_row_step(biases, slices([4.0, 4.0, -2.0], [0, 0, 1]), tf.constant(0.5), 1.0)
    # 0.5 * 8 is bounded to 1; 0.5 * -2 is within.
    np.testing.assert_allclose(biases, [0.0, 2.0])


def test_row_step_of_a_zero_gradient_changes_nothing() -> None:
    table = tf.Variable(tf.ones([2, 2]))
    training.bounded_row_step(table, slices([[0.0, 0.0]], [1]), tf.constant(1.0), 1.0)
    np.testing.assert_array_equal(table, np.ones([2, 2]))


@pytest.mark.parametrize("objective", ["nce", "sampled_softmax"])
def test_couples_are_learnt(
    strategy: tf.distribute.Strategy, tmp_path: Path, objective: str
) -> None:
    model, result = train(strategy, tmp_path, objective=objective, epochs=20, learning_rate=0.1)
    target, weights, biases = tables(model)
    scores = target @ weights.T + biases
    assert scores.argmax(axis=1).tolist() == [token ^ 1 for token in range(VOCABULARY_SIZE)]
    assert result.steps == 20 * 24
    assert result.resumed_at_step == 0
    assert 0 < result.train_loss < 2.5


def test_a_killed_run_ends_as_an_undisturbed_one(
    strategy: tf.distribute.Strategy, tmp_path: Path
) -> None:
    undisturbed, expected = train(strategy, tmp_path / "undisturbed")
    with pytest.raises(KilledError):
        # 24 steps an epoch are calls of 5, 5, 5, 5 and 4 steps: this is in the second epoch.
        train(strategy, tmp_path / "killed", kill_after_calls=8)
    model, result = train(strategy, tmp_path / "killed")
    assert result.resumed_at_step == 24 + 2 * 5
    assert result.train_loss == expected.train_loss
    for one, other in zip(tables(model), tables(undisturbed), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_finished_run_is_not_trained_again(
    strategy: tf.distribute.Strategy, tmp_path: Path
) -> None:
    model, first = train(strategy, tmp_path)
    again, second = train(strategy, tmp_path)
    assert second.resumed_at_step == second.steps == 72
    assert second.train_loss == first.train_loss
    np.testing.assert_array_equal(tables(again)[0], tables(model)[0])


def test_two_runs_are_equal_and_another_batch_size_is_another_run(
    strategy: tf.distribute.Strategy, tmp_path: Path
) -> None:
    one, _ = train(strategy, tmp_path / "1")
    other, _ = train(strategy, tmp_path / "2")
    third, result = train(strategy, tmp_path / "3", batch_size=1000)
    np.testing.assert_array_equal(tables(one)[0], tables(other)[0])
    assert result.steps == 3 * 3  # 1000, 1000 and 400 pairs
    assert (tables(one)[0] != tables(third)[0]).any()


def test_progress_by_hand(strategy: tf.distribute.Strategy, tmp_path: Path) -> None:
    reports: list[training.Progress] = []
    train(strategy, tmp_path, reports=reports, epochs=2)
    assert [report.step for report in reports] == [5, 10, 15, 20, 24, 29, 34, 39, 44, 48]
    assert [report.epoch for report in reports] == [1] * 5 + [2] * 5
    assert {report.steps for report in reports} == {48}
    assert reports[-1].seconds_left == 0
    assert all(report.pairs_per_second > 0 for report in reports)


def test_a_loss_that_is_not_finite_ends_the_run(
    strategy: tf.distribute.Strategy, tmp_path: Path
) -> None:
    with strategy.scope():
        model = SkipGramModel(
            np.full(VOCABULARY_SIZE, np.nan, np.float32),
            dim=2,
            bias_initializer="log_frequency",
            seed=1,
        )
    settings = TrainerHyperparameters(num_sampled=2, learning_rate=0.5)
    trainer = training.Trainer(strategy, model, settings, pairs=len(TARGETS), seed=1)
    with pytest.raises(InputError, match=r"not finite .* lower trainer.learning_rate \(0.5\)"):
        trainer.train(lambda: batches(1024), str(tmp_path), lambda _: None)


def test_a_batch_size_beyond_the_corpus_and_many_candidates_stay_finite(
    strategy: tf.distribute.Strategy, tmp_path: Path
) -> None:
    model, result = train(
        strategy, tmp_path, batch_size=1 << 20, num_sampled=1000, learning_rate=10.0
    )
    assert result.steps == 3
    assert all(np.isfinite(table).all() for table in tables(model))
