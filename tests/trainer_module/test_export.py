"""The SavedModel, through tf.saved_model.load alone, as serving has it."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

from trainer_module import export
from trainer_module.model import SkipGramModel
from trainer_module.preprocessing import preprocessing_fn

# The counts are 4, 3, 2 and 1, so the ids are 0 to 3.
CORPUS = ["Ape bee cow", "ape bee", "ape bee cow", "ape dog"]
WORDS = [b"ape", b"bee", b"cow", b"dog"]
TABLE = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [-1.0, 0.1]], np.float32)
WEIGHTS = np.array([[0.5, 1.0], [-1.0, 0.0], [2.0, 0.3], [0.0, -0.5]], np.float32)
BIASES = np.array([0.1, 0.2, -0.3, 0.0], np.float32)
UNIGRAM = np.log(np.array([0.4, 0.3, 0.2, 0.1], np.float32))
CONFIG = {"preprocessing": {"min_count": 1, "subsample": 0, "window": 1}, "seed": 1}


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("export")
    metadata = tft.DatasetMetadata.from_feature_spec(
        {"text": tf.io.FixedLenFeature([1], tf.string)}
    )
    data = [{"text": [document.encode()]} for document in CORPUS]
    with tft_beam.Context(temp_dir=str(folder / "tmp")):
        transform_fn = (data, metadata) | tft_beam.AnalyzeDataset(
            lambda inputs: preprocessing_fn(inputs, CONFIG)
        )
        transform_fn | tft_beam.WriteTransformFn(str(folder / "transform"))
    model = SkipGramModel(UNIGRAM, dim=2, bias_initializer="zeros", seed=1)
    model.target_table.assign(TABLE)
    model.context_weights.assign(WEIGHTS)
    model.context_biases.assign(BIASES)
    serving = export.ServingModel(
        model, UNIGRAM, tft.TFTransformOutput(str(folder / "transform")), "unicode_words"
    )
    with pytest.MonkeyPatch.context() as patch:
        # So small that a few documents go through several chunks.
        patch.setattr(export, "_PAIRS_AT_ONCE", 3)
        patch.setattr(export, "_TARGETS_AT_ONCE", 2)
        export.save(serving, str(folder / "model"))
    # Moved, so that a path of the machine that made it would be found out.
    (folder / "model").rename(folder / "moved")
    for path in (folder / "transform").rglob("vocabulary"):
        path.unlink()
    return str(folder / "moved")


@pytest.fixture(scope="module")
def loaded(saved_model: str) -> Any:
    return tf.saved_model.load(saved_model)


def call(loaded: Any, signature: str, **inputs: Any) -> dict[str, np.ndarray]:
    outputs = loaded.signatures[signature](**{k: tf.constant(v) for k, v in inputs.items()})
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def test_lookup_gives_vectors_and_zeros_for_unknown_words(loaded: Any) -> None:
    found = call(loaded, "serving_default", words=["cow", "Bee", "gnu"])
    np.testing.assert_array_equal(found["vectors"], [[0, 1], [2, 0], [0, 0]])
    assert found["known"].tolist() == [True, True, False]


def test_neighbors_by_hand(loaded: Any) -> None:
    found = call(loaded, "neighbors", words=["ape", "gnu"], k=np.int32(2))
    # Cosines to (1, 0): bee 1, cow 0, dog -1 / sqrt(1.01).
    assert found["neighbors"].tolist() == [[b"bee", b"cow"], [b"", b""]]
    np.testing.assert_allclose(found["cosines"], [[1, 0], [0, 0]], atol=1e-6)


def test_neighbors_are_never_more_than_there_are(loaded: Any) -> None:
    found = call(loaded, "neighbors", words=["cow"], k=np.int32(50))
    # Cosines to (0, 1): dog 0.1 / sqrt(1.01), ape and bee 0.
    assert found["neighbors"].shape == (1, 3)
    assert found["neighbors"][0, 0] == b"dog"


def example(text: str) -> bytes:
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
    features = tf.train.Features(feature={"text": feature})
    return bytes(tf.train.Example(features=features).SerializeToString())


def expected(pairs: list[tuple[int, int]]) -> dict[str, float]:
    """The sums over pairs, straight from the definitions, in double precision."""
    scores = TABLE.astype(np.float64) @ WEIGHTS.T.astype(np.float64) + BIASES
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    sigmoids = 1 / (1 + np.exp(-scores))
    others = np.log1p(-sigmoids).sum(axis=1, keepdims=True) - np.log1p(-sigmoids)
    return {
        "softmax_cross_entropy": -sum(np.log(probabilities[pair]) for pair in pairs),
        "sigmoid_cross_entropy": -sum(np.log(sigmoids[pair]) + others[pair] for pair in pairs),
        "unigram_cross_entropy": -sum(float(UNIGRAM[context]) for _, context in pairs),
        "num_pairs": float(len(pairs)),
    }


def test_evaluate_equals_the_definitions_document_by_document(loaded: Any) -> None:
    documents = ["ape bee cow", "gnu", "", "dog unknown APE"]
    found = call(loaded, "evaluate", examples=[example(document) for document in documents])
    by_document = [[(0, 1), (1, 0), (1, 2), (2, 1)], [], [], [(3, 0), (0, 3)]]
    for row, pairs in enumerate(by_document):
        for name, value in expected(pairs).items():
            assert found[name][row] == pytest.approx(value, rel=1e-5), (name, row)


def test_evaluate_again_and_one_by_one_gives_the_same(saved_model: str, loaded: Any) -> None:
    fresh = tf.saved_model.load(saved_model)
    documents = [example(document) for document in CORPUS * 3]
    first, again = (call(fresh, "evaluate", examples=documents) for _ in range(2))
    one_by_one = [call(loaded, "evaluate", examples=[document]) for document in documents]
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])
        np.testing.assert_allclose(values, [one[name][0] for one in one_by_one], rtol=1e-6)


def test_sums_over_the_vocabulary_are_computed_once_per_distinct_target(saved_model: str) -> None:
    fresh = tf.saved_model.load(saved_model)
    call(fresh, "evaluate", examples=[example("ape bee")])
    assert np.isfinite(fresh.log_partition.numpy()).tolist() == [True, True, False, False]
    call(fresh, "evaluate", examples=[example("cow bee")])
    assert np.isfinite(fresh.softplus_sum.numpy()).tolist() == [True, True, True, False]
