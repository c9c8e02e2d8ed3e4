from pathlib import Path

import numpy as np
import pytest

from pipeline.results.words.contexts import ContextModel
from tests.saved_models import SETTINGS, write_saved_model
from trainer_module.errors import InputError


@pytest.fixture
def model(tmp_path: Path) -> ContextModel:
    """The exponentials of the scores of sea: 2 by the tables, 1, 4 by the biases, and 1."""
    ln2 = np.log(2)
    return ContextModel.load(
        write_saved_model(
            tmp_path / "model",
            {"the": 9, "sea": 7, "wind": 4, "don't": 2},
            [[0.0], [0.5], [0.0], [1.0]],
            context_weights=[[ln2], [0.0], [0.0], [0.0]],
            context_biases=[0.0, 0.0, ln2, 0.0],
            correction=[0.0, 0.0, ln2, 0.0],
            settings=SETTINGS._replace(temperature=0.5),
        )
    )


def test_probabilities_by_hand(model: ContextModel) -> None:
    # 2 + 1 + 4 + 1 = 8; of the two that are equal the more frequent comes first.
    found = model.contexts("sea")
    assert [token for token, _ in found] == ["wind", "the", "sea", "don't"]
    assert [probability for _, probability in found] == pytest.approx([0.5, 0.25, 0.125, 0.125])
    # 4 + 1 + 4 + 1 = 10.
    assert model.contexts("don't", 1) == [("the", pytest.approx(0.4))]


def test_words_are_found_as_they_are_typed(model: ContextModel) -> None:
    assert model.knows("Don\u2019t")
    assert model.contexts("Don\u2019t", 4) == model.contexts("don't", 4)


def test_an_unknown_word_is_told_with_the_nearest(model: ContextModel) -> None:
    assert not model.knows("winds")
    with pytest.raises(InputError, match=r"'winds' is no token of the vocabulary; .* is wind$"):
        model.contexts("winds")
