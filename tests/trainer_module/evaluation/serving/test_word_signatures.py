"""The signature `contexts`, and the k of those that take one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pipeline.results.words.contexts import ContextModel
from tests.saved_models import SETTINGS
from tests.trainer_module.evaluation import test_export
from tests.trainer_module.evaluation.test_export import (
    BIASES,
    OBJECTIVES,
    TABLE,
    WEIGHTS,
    WORDS,
    call,
    softmax_of,
)


@pytest.fixture(scope="module", params=OBJECTIVES)
def objective(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module")
def transform_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return test_export.transform(tmp_path_factory.mktemp("transform"), "windows")


@pytest.fixture(scope="module")
def folder(objective: str, transform_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    _, softmax, temperature = OBJECTIVES[objective]
    settings = SETTINGS._replace(softmax=softmax, temperature=temperature)
    folder = tmp_path_factory.mktemp("export")
    return test_export.save(transform_folder, folder, objective, settings)


@pytest.fixture(scope="module")
def loaded(folder: str) -> Any:
    return tf.saved_model.load(folder)


def probabilities(objective: str) -> np.ndarray:
    """Of all contexts beside all targets, straight from the definition: `[vocab, vocab]`."""
    correction, _, temperature = OBJECTIVES[objective]
    scores = TABLE.astype(np.float64) @ WEIGHTS.T / temperature + BIASES
    return softmax_of(scores if correction is None else scores + correction)


def test_contexts_are_those_of_the_definition(loaded: Any, objective: str) -> None:
    # Not of ape, of which one objective gives two contexts the same score.
    found = call(loaded, "contexts", words=["cow", "gnu", "Bee", "dog"], k=np.int32(3))
    for row, target in ((0, 2), (2, 1), (3, 3)):
        expected = probabilities(objective)[target]
        best = np.argsort(-expected)[:3]
        assert found["contexts"][row].tolist() == [WORDS[context] for context in best]
        np.testing.assert_allclose(found["probabilities"][row], expected[best], rtol=1e-5)
    assert found["contexts"][1].tolist() == [b""] * 3
    assert found["probabilities"][1].tolist() == [0.0] * 3


def test_of_more_than_there_are_all_are_given_and_sum_to_one(loaded: Any) -> None:
    found = call(loaded, "contexts", words=["ape", "bee"], k=np.int32(50))
    assert [set(row) for row in found["contexts"].tolist()] == [set(WORDS)] * 2
    np.testing.assert_allclose(found["probabilities"].sum(axis=1), 1, rtol=1e-6)


def test_a_word_may_be_beside_itself(loaded: Any) -> None:
    found = call(loaded, "contexts", words=["cow"], k=np.int32(4))
    assert b"cow" in found["contexts"][0]


def test_the_command_has_the_same_figures(folder: str, loaded: Any) -> None:
    found = call(loaded, "contexts", words=WORDS[1:], k=np.int32(4))
    model = ContextModel.load(folder)
    for row, word in enumerate(WORDS[1:]):
        tokens, figures = zip(*model.contexts(word.decode(), 4), strict=True)
        assert list(tokens) == [token.decode() for token in found["contexts"][row]]
        np.testing.assert_allclose(figures, found["probabilities"][row], rtol=1e-5)


@pytest.mark.parametrize("signature", ["contexts", "neighbors"])
class TestK:
    def test_of_requests_put_together_the_largest_counts(self, loaded: Any, signature: str) -> None:
        several = call(loaded, signature, words=["ape", "dog"], k=np.array([1, 3], np.int32))
        one = call(loaded, signature, words=["ape", "dog"], k=np.int32(3))
        for name, values in one.items():
            assert values.shape == (2, 3)
            np.testing.assert_array_equal(several[name], values)

    def test_of_no_words(self, loaded: Any, signature: str) -> None:
        words = tf.constant([], tf.string)
        for k, columns in ((np.int32(2), 2), (np.zeros(0, np.int32), 0)):
            found = call(loaded, signature, words=words, k=k)
            assert {values.shape for values in found.values()} == {(0, columns)}

    @pytest.mark.parametrize("k", [0, -1])
    def test_of_none(self, loaded: Any, signature: str, k: int) -> None:
        found = call(loaded, signature, words=["ape"], k=np.int32(k))
        assert {values.shape for values in found.values()} == {(1, 0)}
