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
