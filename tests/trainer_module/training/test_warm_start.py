"""What a model takes over from an earlier one, by hand; a killed warm run ends the same."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.saved_models import SETTINGS, write_saved_model
from tests.trainer_module.transformed import split_of, write
from trainer_module.errors import InputError
from trainer_module.evaluation import base_model
from trainer_module.evaluation.cross_entropies import Parameters
from trainer_module.hyperparameters import PreprocessingHyperparameters, TrainerHyperparameters
from trainer_module.training import fit, warm_start
from trainer_module.training.model import SkipGramModel
from trainer_module.training.record import WarmStart
from trainer_module.vocabulary import Vocabulary
from trainer_module.workers.group import WorkerGroup

# Last night's tokens and shares, and tonight's: `sea` has become rarer, `whale` is gone, `kraken`
# is new, `ship` stands in another place.
LAST = {"sea": 1 / 2, "ship": 1 / 4, "whale": 1 / 4}
TONIGHT = {"ship": 1 / 2, "sea": 1 / 4, "kraken": 1 / 4}
TARGETS = [[1, 2], [3, 4], [5, 6]]
CONTEXTS = [[-1, -2], [-3, -4], [-5, -6]]
HALF = math.log(2)


def logs(shares: dict[str, float]) -> np.ndarray[Any, Any]:
    return np.log([*shares.values()]).astype(np.float32)


def last_night(tmp_path: Path, **parts: Any) -> base_model.BaseModel:
    """Biases lie 0.5, 0.25 and 0.125 above the unigram model, where none are given."""
    deviating = logs(LAST) + np.array([0.5, 0.25, 0.125], np.float32)
    given = {"context_biases": deviating, "unigram": logs(LAST), **parts}
    counts = {token: round(12 * share) for token, share in LAST.items()}
    folder = write_saved_model(tmp_path / "last", counts, TARGETS, CONTEXTS, **given)
    return base_model.read(folder, ())


def taken_over(
    base: base_model.BaseModel,
    *,
    bias_initializer: Any = "log_frequency",
    correction: Any = None,
    temperature: float = 1.0,
    dim: int = 2,
    shares: dict[str, float] = TONIGHT,
) -> tuple[SkipGramModel, SkipGramModel, WarmStart]:
    """The model as it begins cold, as it begins warm, and the counts."""
    unigram = logs(shares)
    cold, warm = (
        SkipGramModel(unigram, dim=dim, bias_initializer=bias_initializer, seed=1) for _ in range(2)
    )
    tables = (warm.target_table, warm.context_weights, warm.context_biases)
    counts = warm_start.take_over(
        warm,
        base,
        [token.encode() for token in shares],
        [token.encode() for token in shares],
        unigram=unigram,
        parameters=Parameters(*tables, correction, False, temperature),
        is_biased=bias_initializer != "none",
    )
    return cold, warm, counts


def test_rows_go_by_token_and_a_new_token_starts_as_usual(tmp_path: Path) -> None:
    cold, warm, counts = taken_over(last_night(tmp_path))
    assert counts == WarmStart(taken_over=2, new=1, dropped=1)
    table = warm.target_table.numpy()
    assert table[:2].tolist() == [[3, 4], [1, 2]]
    assert table[2].tolist() == cold.target_table.numpy()[2].tolist()
    assert warm.context_weights.numpy().tolist() == [[-3, -4], [-1, -2], [0, 0]]


def test_contexts_of_their_own_go_by_their_own_tokens(tmp_path: Path) -> None:
    base = last_night(tmp_path)
    assert base.saved is not None
    # The base's contexts are not its targets: row 0 is of gull, row 1 of whale.
    own = Vocabulary([b"gull", b"whale", b"sea"], np.array([3, 2, 1]))
    base = base._replace(saved=base.saved._replace(own_contexts=own))
    unigram = logs({"whale": 1 / 2, "gull": 1 / 4, "ship": 1 / 8, "fog": 1 / 8})
    warm = SkipGramModel(unigram, dim=2, bias_initializer="log_frequency", seed=1, num_targets=2)
    tables = (warm.target_table, warm.context_weights, warm.context_biases)
    counts = warm_start.take_over(
        warm,
        base,
        [b"ship", b"gull"],
        [b"whale", b"gull", b"ship", b"fog"],
        unigram=unigram,
        parameters=Parameters(*tables, None, False, 1.0),
        is_biased=True,
    )
    assert counts == WarmStart(taken_over=1, new=1, dropped=2)
    assert warm.target_table.numpy()[0].tolist() == [3, 4]
    assert warm.context_weights.numpy().tolist() == [[-3, -4], [-1, -2], [0, 0], [0, 0]]
    deviations = np.array([0.25, 0.5, 0, 0])
    np.testing.assert_allclose(warm.context_biases, unigram + deviations, rtol=1e-6)


def test_biases_keep_what_they_learnt_above_the_unigram_model(tmp_path: Path) -> None:
    _, warm, _ = taken_over(last_night(tmp_path))
    # ship, sea, kraken: deviations of 0.25 and 0.5, and the new one's none.
    expected = [-HALF + 0.25, -2 * HALF + 0.5, -2 * HALF]
    np.testing.assert_allclose(warm.context_biases, expected, rtol=1e-6)


def test_biases_that_began_at_zero_move_by_the_change_of_the_frequency(tmp_path: Path) -> None:
    base = last_night(tmp_path, context_biases=[0.5, 0.25, 0.125])
    _, warm, _ = taken_over(base, bias_initializer="zeros")
    # ship is twice as frequent as it was, sea half as.
    np.testing.assert_allclose(warm.context_biases, [0.25 + HALF, 0.5 - HALF, 0.0], rtol=1e-6)


def test_biases_that_are_not_trained_stay_at_zero(tmp_path: Path) -> None:
    _, warm, _ = taken_over(last_night(tmp_path), bias_initializer="none")
    assert warm.context_biases.numpy().tolist() == [0, 0, 0]
    assert warm.context_weights.numpy()[0].tolist() == [-3, -4]


def test_each_nights_correction_is_its_own(tmp_path: Path) -> None:
    """Without logQ correction the scores hold -log(w n(c)), and n(c) follows the frequencies."""
    base = last_night(tmp_path, correction=[-3.0, -4.0, -5.0])
    _, warm, _ = taken_over(base, correction=np.array([-3.5, -4.5, -6.0], np.float32))
    # ship: -4 last night and -3.5 tonight; sea: -3 and -4.5; kraken starts as usual.
    expected = [-HALF + 0.25 - 4 + 3.5, -2 * HALF + 0.5 - 3 + 4.5, -2 * HALF]
    np.testing.assert_allclose(warm.context_biases, expected, rtol=1e-6)


def test_scores_outlive_another_temperature(tmp_path: Path) -> None:
    base = last_night(tmp_path, settings=SETTINGS._replace(temperature=0.5))
    _, warm, _ = taken_over(base, temperature=2.0)
    # <3, 4> <-3, -4> / 0.5 = <3, 4> <-12, -16> / 2.
    assert warm.context_weights.numpy()[0].tolist() == [-12, -16]


def test_of_a_file_of_vectors_the_target_table_alone_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_text("whale 9 9\nsea 1 2\n")
    base = base_model.read(str(path), {b"ship", b"sea", b"kraken"})
    cold, warm, counts = taken_over(base)
    assert counts == WarmStart(taken_over=1, new=2, dropped=1)
    expected = cold.target_table.numpy()
    expected[1] = [1, 2]
    assert warm.target_table.numpy().tolist() == expected.tolist()
    assert not warm.context_weights.numpy().any()
    assert warm.context_biases.numpy().tolist() == cold.context_biases.numpy().tolist()


def test_another_dimension_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"last have 2 dimensions and trainer\.dim is 3: set"):
        taken_over(last_night(tmp_path), dim=3)


def test_no_common_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none of the 3 tokens of .*last is in the vocabulary"):
        taken_over(last_night(tmp_path), shares={"Meer": 1 / 2, "Schiff": 1 / 2})


# --- From the base to a trained model

NUM_TOKENS = 12
KNOWN = Vocabulary([f"t{i}".encode() for i in range(NUM_TOKENS)], np.full(NUM_TOKENS, 75))
SETTINGS_OF_RUN = TrainerHyperparameters(
    dim=2, num_sampled=4, batch_size=16, epochs=4, checkpoint_seconds=0.0
)


class KilledError(Exception):
    pass


def fitted(group: WorkerGroup, folder: Path, base: str | None, kill_at: int = 0) -> fit.Fitted:
    """Of walks around a ring."""
    documents = [[((row + at) % NUM_TOKENS, 2) for at in range(9)] for row in range(90)]
    files = [write(folder.with_name(f"{folder.name}.gz"), documents)]
    split = split_of(files, vocabulary_size=NUM_TOKENS, window=2)
    news = iter(range(1 << 30))

    def listener(_: Any) -> None:
        if next(news) + 1 == kill_at:
            raise KilledError

    return fit.fit(
        KNOWN,
        split,
        split,
        PreprocessingHyperparameters(window=2, min_count=1),
        SETTINGS_OF_RUN,
        seed=1,
        group=group,
        checkpoint_folder=str(folder),
        base=base,
        listener=listener,
    )


def tables(found: fit.Fitted) -> list[list[Any]]:
    model = found.model
    return [v.numpy().tolist() for v in (model.target_table, *model.variables)]


@pytest.mark.slow
def test_a_warm_run_that_was_killed_goes_on_and_does_not_take_over_again(
    alone: WorkerGroup, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    counts = {f"t{i}": 75 for i in range(NUM_TOKENS - 2)} | {"gone": 9}
    parts = rng.normal(size=(2, NUM_TOKENS - 1, 2))
    base = write_saved_model(tmp_path / "base", counts, *parts)
    undisturbed = fitted(alone, tmp_path / "undisturbed", base)
    assert undisturbed.warm_start == WarmStart(taken_over=10, new=2, dropped=1)
    assert tables(undisturbed) != tables(fitted(alone, tmp_path / "cold", None))
    # The unigram model, a call and an evaluation are told, then there is a checkpoint: of half an
    # epoch, of two.
    for kill_at in (4, 10):
        folder = tmp_path / f"killed{kill_at}"
        with pytest.raises(KilledError):
            fitted(alone, folder, base, kill_at)
        assert (folder / "checkpoint").exists()
        again = fitted(alone, folder, base)
        assert again.training.resumed_at_step > 0
        assert tables(again) == tables(undisturbed)
        assert again.warm_start == undisturbed.warm_start
