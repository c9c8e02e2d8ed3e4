import numpy as np
import pytest

from trainer_module.training.model import SkipGramModel, unigram_log_probabilities


def test_unigram_by_hand() -> None:
    # Counts 3, 0, 5 with one more each: 4, 1, 6 of 11.
    logs = unigram_log_probabilities(np.array([3, 0, 5]))
    np.testing.assert_allclose(np.exp(logs), [4 / 11, 1 / 11, 6 / 11], rtol=1e-6)


@pytest.mark.parametrize("initializer", ["log_frequency", "zeros"])
def test_tables_start_as_word2vecs_and_biases_as_asked(initializer: str) -> None:
    unigram = unigram_log_probabilities(np.array([1, 0, 0, 0]))
    model = SkipGramModel(unigram, dim=8, bias_initializer=initializer, seed=3)
    table = model.target_table.numpy()
    assert table.shape == (4, 8)
    assert abs(table).max() <= 0.5 / 8
    assert table.std() > 0.2 / 8
    assert not model.context_weights.numpy().any()
    expected = unigram if initializer == "log_frequency" else np.zeros(4)
    np.testing.assert_array_equal(model.context_biases, expected)
    assert model.num_contexts == 4


def test_seed_decides_the_table() -> None:
    unigram = np.zeros(3, np.float32)
    one, again, other = (
        SkipGramModel(unigram, dim=2, bias_initializer="zeros", seed=seed).target_table.numpy()
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).all()
