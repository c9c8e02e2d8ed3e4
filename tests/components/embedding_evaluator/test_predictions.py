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
from components.embedding_evaluator.pairs.ranking import Summed
from components.embedding_evaluator.predictions import (
    ExtractPredictions,
    Predict,
    _Models,
    _ModelsToLoad,
)
from components.embedding_evaluator.totals import OUTPUTS, SKETCHES, TOTALS, Totals
from tests.saved_models import SETTINGS, write_saved_model
from tests.trainer_module.evaluation import test_export
from trainer_module import features
from trainer_module.evaluation import saved_model
from trainer_module.evaluation.common_cross_entropy import CommonCrossEntropy
from trainer_module.evaluation.judged_model import JudgedModel
from trainer_module.text.split import is_held_out

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
    """What is compared, of each document."""
    found = _Models(tonight, last, compared, max_targets).compared(EXAMPLES)
    assert {found[name].shape for name in OUTPUTS if name in found} <= {EXAMPLES.shape}
    assert {found[name].shape for name in SKETCHES if name in found} <= {(len(EXAMPLES), 256)}
    return found


def to_load(tonight: str, last: str | None = None) -> _ModelsToLoad:
    predict = ExtractPredictions(tonight, last, "common_cross_entropy", 1000)
    return predict._models


def rows(models: _ModelsToLoad) -> list[Any]:
    """What it predicts of a batch: rows, with nothing else than TFMA asks for."""
    predict = Predict(models)
    predict.setup()
    predict.start_bundle()
    half = len(EXAMPLES) // 2
    for examples in (EXAMPLES[:half], EXAMPLES[half:]):
        assert not list(predict.process({tfma.INPUT_KEY: examples, "other": 1}, ()))
    of_whole, of_cells = (windowed.value for windowed in predict.finish_bundle())
    assert not list(predict.finish_bundle())
    assert set(of_whole) == {tfma.INPUT_KEY, tfma.LABELS_KEY, tfma.PREDICTIONS_KEY}
    assert set(of_cells) == {*of_whole, tfma.FEATURES_KEY}
    assert of_whole[tfma.INPUT_KEY].shape == (1,)
    return [extracts[tfma.PREDICTIONS_KEY] for extracts in (of_whole, of_cells)]


def evaluated(folder: str) -> dict[str, np.ndarray]:
    loaded = tf.saved_model.load(folder)
    return test_export.call(loaded, "evaluate", examples=list(EXAMPLES))


def common(tonight: str, last: str) -> dict[str, Any]:
    models = (JudgedModel.of_tables(saved_model.read(folder)) for folder in (tonight, last))
    zeros = tf.zeros(len(TEXTS), tf.int64)
    return CommonCrossEntropy(*models)(tf.constant(TEXTS), zeros)


def test_of_the_first_model(tonight: str) -> None:
    of_whole, of_cells = rows(to_load(tonight))
    assert not of_whole[TOTALS].any()
    found = Totals.of_vector(of_cells[TOTALS].sum(axis=0))
    for name, expected in evaluated(tonight).items():
        if name in OUTPUTS:
            assert found.sums[name] == pytest.approx(expected.sum(), rel=1e-6), name
        else:
            np.testing.assert_allclose(found.sketches[name], expected.sum(0), atol=1e-6)


def test_rows_are_given_as_soon_as_there_is_enough_for_them(
    tonight: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = sum(map(len, EXAMPLES))
    monkeypatch.setattr(module, "_BYTES_AT_ONCE", 2 * size)
    predict = Predict(to_load(tonight))
    predict.setup()
    predict.start_bundle()
    found = [list(predict.process({tfma.INPUT_KEY: EXAMPLES}, ())) for _ in range(5)]
    assert [len(rows_of_batch) for rows_of_batch in found] == [0, 2, 0, 2, 0]
    found.append([windowed.value for windowed in predict.finish_bundle()])
    place = OUTPUTS.index("num_pairs")
    pairs = [
        sum(row[tfma.PREDICTIONS_KEY][TOTALS][:, place].sum() for row in batch) for batch in found
    ]
    of_once = evaluated(tonight)["num_pairs"].sum()
    assert pairs == [0, 2 * of_once, 0, 2 * of_once, 0, of_once]


def test_documents_without_pairs_have_a_row_of_the_whole_alone(tonight: str) -> None:
    predict = Predict(to_load(tonight))
    predict.setup()
    predict.start_bundle()
    nothing = np.array([test_export.example("gnu"), test_export.example("")], object)
    assert not list(predict.process({tfma.INPUT_KEY: nothing}, ()))
    [row] = predict.finish_bundle()
    assert tfma.FEATURES_KEY not in row.value


def test_sums_of_other_workers_are_not_computed_again(tonight: str) -> None:
    models = to_load(tonight).load()
    standing = np.full([2, 4], 42.0, np.float32)
    models.remember([Summed(np.array([0, 2]), standing)])
    assert models.loaded.targets.sums.numpy()[[0, 2]].tolist() == standing.tolist()
    assert np.isnan(models.loaded.targets.sums.numpy()[[1, 3]]).all()


def test_tfma_names_the_models_where_there_are_two(tonight: str, tmp_path: Path) -> None:
    models = to_load(tonight, write_last(tmp_path, FRACTION))
    of_whole, of_cells = rows(models)
    [(name, row)] = of_whole.items()
    assert name == tfma.CANDIDATE_KEY == next(iter(of_cells))
    expected = Totals.of_documents(models.load().compared(EXAMPLES)).vector
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


def test_what_is_held_out_goes_by_the_kind(tmp_path: Path) -> None:
    transform = test_export.transform(tmp_path / "made", "windows")
    settings = SETTINGS._replace(window=1, eval_fraction=FRACTION, kind="edges")
    tonight = test_export.save(transform, tmp_path, "nce", settings)
    edges = ["ape cow", "ape bee", "dog elk", "bee\tcow", "bee\telk"]
    examples = np.array([test_export.example(edge) for edge in edges], object)
    found, whole = (
        _Models(tonight, write_last(tmp_path / name, fraction), "common_cross_entropy", 1000)
        for name, fraction in (("half", FRACTION / 2), ("same", FRACTION))
    )
    # As text bee<TAB>elk would be, and bee<TAB>cow would not.
    held_out = [True, False, True, True, False]
    assert [is_held_out(edge.encode(), FRACTION / 2, "edges") for edge in edges] == held_out
    np.testing.assert_array_equal(
        found.compared(examples)["num_common_pairs"],
        np.where(held_out, whole.compared(examples)["num_common_pairs"], 0),
    )


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
    assert found["compared_sketch"].any()
    assert abs(found["compared_loss"] - exact["softmax_cross_entropy"]).max() > 1e-3
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
