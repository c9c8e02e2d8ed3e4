"""What is asked of two models, with real SavedModels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tfx.types import standard_artifacts

from components.embedding_evaluator import component
from components.embedding_evaluator import predictions as module
from components.embedding_evaluator.last_pushed_model import comparable_model
from components.embedding_evaluator.predictions import Predict, _Models
from components.embedding_evaluator.totals import OUTPUTS, SKETCHES, TOTALS, Totals
from tests.saved_models import SETTINGS, write_saved_model
from tests.trainer_module.evaluation import test_export
from trainer_module import features
from trainer_module.evaluation import saved_model
from trainer_module.evaluation.common_cross_entropy import CommonCrossEntropy
from trainer_module.evaluation.judged_model import JudgedModel
from trainer_module.text.near_copies import is_held_out

TEXTS = ["ape bee cow", "cow dog elk", "", "elk", *(f"ape bee dog {n}" for n in range(40))]
EXAMPLES = np.array([test_export.example(text) for text in TEXTS], object)
# Of tonight's model; last night half as many documents were held out.
FRACTION = 0.5
COMPARISON = (*features.COMPARISON_OUTPUTS, *features.COMPARED_OUTPUTS)


@pytest.fixture(scope="module")
def tonight(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tonight")
    transform = test_export.transform(folder / "made", "windows")
    settings = SETTINGS._replace(window=1, eval_fraction=FRACTION)
    return test_export.save(transform, folder, "nce", settings)


def write_last(folder: Path, eval_fraction: float) -> str:
    """A model of other words, without signatures."""
    table, weights = np.random.default_rng(1).normal(size=(2, 3, 4))
    settings = SETTINGS._replace(eval_fraction=eval_fraction)
    counts = {"ape": 3, "elk": 2, "dog": 1}
    return write_saved_model(folder / "last", counts, table, weights, settings=settings)


def predictions(
    tonight: str, last: str | None, compared: str, max_targets: int = 1000
) -> dict[str, np.ndarray]:
    """Of each document."""
    found = _Models(tonight, last, compared, max_targets).sums(EXAMPLES)
    assert {found[name].shape for name in OUTPUTS if name in found} == {EXAMPLES.shape}
    assert {found[name].shape for name in SKETCHES if name in found} == {(len(EXAMPLES), 256)}
    return found


def rows(predict: Predict) -> Any:
    """What it predicts of a batch: one row, with nothing else than TFMA asks for."""
    predict.setup()
    predict.start_bundle()
    half = len(EXAMPLES) // 2
    for examples in (EXAMPLES[:half], EXAMPLES[half:]):
        assert not list(predict.process({tfma.INPUT_KEY: examples, "other": 1}))
    [extracts] = (windowed.value for windowed in predict.finish_bundle())
    assert not list(predict.finish_bundle())
    assert set(extracts) == {tfma.INPUT_KEY, tfma.LABELS_KEY, tfma.PREDICTIONS_KEY}
    assert extracts[tfma.INPUT_KEY].shape == (1,)
    return extracts[tfma.PREDICTIONS_KEY]


def evaluated(folder: str) -> dict[str, np.ndarray]:
    loaded = tf.saved_model.load(folder)
    return test_export.call(loaded, "evaluate", examples=list(EXAMPLES))


def common(tonight: str, last: str) -> dict[str, Any]:
    models = (JudgedModel.of_tables(saved_model.read(folder)) for folder in (tonight, last))
    zeros = tf.zeros(len(TEXTS), tf.int64)
    return CommonCrossEntropy(*models)(tf.constant(TEXTS), zeros)


def test_of_the_first_model(tonight: str) -> None:
    predict = Predict(tonight, None, "common_cross_entropy", 1000)
    row = rows(predict)
    found = predict._models.sums(EXAMPLES)
    for name, expected in evaluated(tonight).items():
        np.testing.assert_array_equal(found[name], expected)
    assert not set(COMPARISON) & set(found)
    np.testing.assert_array_equal(row[TOTALS], [Totals.of_documents(found).vector])


def test_a_row_is_given_as_soon_as_there_is_enough_for_one(
    tonight: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = sum(map(len, EXAMPLES))
    monkeypatch.setattr(module, "_BYTES_AT_ONCE", 2 * size)
    predict = Predict(tonight, None, "common_cross_entropy", 1000)
    predict.setup()
    predict.start_bundle()
    found = [list(predict.process({tfma.INPUT_KEY: EXAMPLES})) for _ in range(5)]
    assert [len(rows_of_batch) for rows_of_batch in found] == [0, 1, 0, 1, 0]
    [last] = predict.finish_bundle()
    given = [row for batch in found for row in batch] + [last.value]
    pairs = [row[tfma.PREDICTIONS_KEY][TOTALS][0][OUTPUTS.index("num_pairs")] for row in given]
    of_once = evaluated(tonight)["num_pairs"].sum()
    assert pairs == [2 * of_once, 2 * of_once, of_once]


def test_tfma_names_the_models_where_there_are_two(tonight: str, tmp_path: Path) -> None:
    predict = Predict(tonight, write_last(tmp_path, FRACTION), "common_cross_entropy", 1000)
    [(name, row)] = rows(predict).items()
    assert name == tfma.CANDIDATE_KEY
    expected = Totals.of_documents(predict._models.sums(EXAMPLES)).vector
    np.testing.assert_array_equal(row[TOTALS], [expected])


def test_both_are_asked_on_the_same_pairs(tonight: str, tmp_path: Path) -> None:
    last = write_last(tmp_path, FRACTION)
    found, expected = predictions(tonight, last, "common_cross_entropy"), common(tonight, last)
    for name in features.COMPARISON_OUTPUTS:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)
    loss, pairs, last_loss, last_pairs = (found[name] for name in features.COMPARED_OUTPUTS)
    np.testing.assert_array_equal(loss, found["common_cross_entropy"])
    np.testing.assert_array_equal(last_loss, found["common_cross_entropy_of_last_blessed"])
    np.testing.assert_array_equal(pairs, expected["num_common_pairs"])
    np.testing.assert_array_equal(last_pairs, pairs)
    assert pairs.sum() > 0


def test_what_last_night_trained_on_is_not_compared(tonight: str, tmp_path: Path) -> None:
    last = write_last(tmp_path, FRACTION / 2)
    found, whole = predictions(tonight, last, "common_cross_entropy"), common(tonight, last)
    held_out = [is_held_out(text.encode(), FRACTION / 2) for text in TEXTS]
    assert 0 < sum(held_out) < len(TEXTS)
    for name in features.COMPARISON_OUTPUTS:
        np.testing.assert_allclose(found[name], np.where(held_out, whole[name], 0), rtol=1e-6)
    np.testing.assert_array_equal(found["compared_pairs"], found["num_common_pairs"])
    # Its own figures are of its whole split.
    np.testing.assert_array_equal(found["num_pairs"], evaluated(tonight)["num_pairs"])


def test_a_full_cross_entropy_is_of_each_models_own_pairs(tonight: str) -> None:
    found = predictions(tonight, tonight, "full_sigmoid_cross_entropy")
    own = evaluated(tonight)
    for suffix in ("", "_of_last_blessed"):
        np.testing.assert_array_equal(found[f"compared_loss{suffix}"], own["sigmoid_cross_entropy"])
        np.testing.assert_array_equal(found[f"compared_pairs{suffix}"], own["num_pairs"])


def test_the_targets_of_all_models_are_drawn_alike(tonight: str, tmp_path: Path) -> None:
    # Of what is expected to occur, one target may be summed.
    found = predictions(tonight, tonight, "full_softmax_cross_entropy", max_targets=1)
    exact = evaluated(tonight)
    assert found["softmax_sketch"].any()
    assert abs(found["softmax_cross_entropy"] - exact["softmax_cross_entropy"]).max() > 1e-3
    for name in ("compared_loss", "compared_sketch"):
        np.testing.assert_array_equal(found[name], found[features.of_last_blessed(name)])


def artifact(folder: Path) -> standard_artifacts.Model:
    made = standard_artifacts.Model()
    made.uri = str(folder)
    return made


def test_a_baseline_of_an_older_version_is_left_out_aloud(
    tonight: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tonight" / "Format-Serving"
    folder.parent.mkdir()
    folder.symlink_to(tonight)
    assert component._is_comparable(artifact(tmp_path / "tonight"))
    assert comparable_model(artifact(tmp_path / "tonight")) == str(folder)
    assert not component._is_comparable(artifact(tmp_path / "missing"))
    assert comparable_model(None) is None
    assert capsys.readouterr().out == ""
    module = tf.Module()
    module.target_table = tf.Variable([[1.0]])
    tf.saved_model.save(module, str(tmp_path / "old" / "Format-Serving"))
    assert not component._is_comparable(artifact(tmp_path / "old"))
    assert comparable_model(artifact(tmp_path / "old")) is None
    assert capsys.readouterr().out == (
        "warning: the last blessed model is of an older version that does not say how it was "
        "trained: tonight's is not compared with it\n"
    )
