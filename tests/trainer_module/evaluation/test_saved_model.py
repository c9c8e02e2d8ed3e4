"""What is read of a SavedModel without its graphs."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.saved_models import SETTINGS, write_saved_model
from trainer_module.errors import InputError
from trainer_module.evaluation import saved_model
from trainer_module.text.words import Tokenization


def test_reads_what_was_written_wherever_the_folder_is_now(tmp_path: Path) -> None:
    table, weights = [[1.0, -0.5], [0.25, 1000]], [[2, 3], [4, 5]]
    folder = write_saved_model(
        tmp_path / "model", {"the": 12, "größe": 3}, table, weights, [0.5, -0.5], [1, 2]
    )
    moved = Path(folder).rename(tmp_path / "moved")
    read = saved_model.read(str(moved))
    assert read.settings == SETTINGS
    assert read.settings.tokenization == Tokenization("unicode_words", "nfc")
    assert read.vocabulary.tokens == [b"the", "größe".encode()]
    assert read.vocabulary.counts.tolist() == [12, 3]
    assert read.target_table.tolist() == table
    assert read.context_weights.tolist() == weights
    assert read.corrected_biases.tolist() == [1.5, 1.5]
    np.testing.assert_allclose(np.exp(read.unigram), [0.5, 0.5], rtol=1e-6)


def test_without_a_correction_biases_are_as_trained(tmp_path: Path) -> None:
    folder = write_saved_model(tmp_path / "model", {"a": 1}, [[1.0]], context_biases=[3])
    read = saved_model.read(folder)
    assert read.correction is None
    assert read.corrected_biases.tolist() == [3]


def test_says_what_is_no_model_of_ours(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no SavedModel"):
        saved_model.read(str(tmp_path))
    module = tf.Module()
    module.target_table = tf.Variable([[1.0]])
    tf.saved_model.save(module, str(tmp_path / "other"))
    with pytest.raises(InputError, match="does not say how it was trained"):
        saved_model.read(str(tmp_path / "other"))


def test_tables_and_settings_are_replaced_and_nothing_else(tmp_path: Path) -> None:
    folder = write_saved_model(
        tmp_path / "model", {"a": 2, "b": 1}, [[1, 2], [3, 4]], [[5, 6], [7, 8]], [9, 10], [11, 12]
    )
    before = saved_model.read(folder)
    settings = SETTINGS._replace(space_id="another and longer than the old one")
    tables = [np.array(rows, np.float32) for rows in ([[2, 1], [4, 3]], [[6, 5], [8, 7]])]
    saved_model.rewrite(
        folder, target_table=tables[0], context_weights=tables[1], settings=settings
    )
    after = saved_model.read(folder)
    assert after.settings == settings
    assert after.target_table.tolist() == [[2, 1], [4, 3]]
    assert after.context_weights.tolist() == [[6, 5], [8, 7]]
    assert after.corrected_biases.tolist() == before.corrected_biases.tolist() == [20, 22]
    loaded = tf.saved_model.load(folder)
    assert loaded.target_table.numpy().tolist() == [[2, 1], [4, 3]]
    np.testing.assert_array_equal(loaded.unigram.numpy(), before.unigram)
    # The hash of the old variables is gone with them.
    names = sorted(path.name for path in Path(folder).rglob("*.*"))
    assert names == ["saved_model.pb", "variables.data-00000-of-00001", "variables.index"]


def test_a_table_of_another_shape_is_no_replacement(tmp_path: Path) -> None:
    folder = write_saved_model(tmp_path / "model", {"a": 1}, [[1, 2]])
    table = np.zeros((1, 3), np.float32)
    with pytest.raises(ValueError, match=r"has the shape \(1, 3\), not \[1, 2\]"):
        saved_model.rewrite(folder, target_table=table, context_weights=table, settings=SETTINGS)
    assert saved_model.read(folder).target_table.tolist() == [[1, 2]]
