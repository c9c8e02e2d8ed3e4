"""A model of users and items, each with a vocabulary of their own: from Transform to what is asked.

Expected values are worked out in NumPy from the tables, by the definitions.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

from pipeline.results.words.contexts import ContextModel
from tests.saved_models import SETTINGS
from trainer_module.errors import InputError
from trainer_module.evaluation import export, saved_model
from trainer_module.evaluation.common_cross_entropy import CommonCrossEntropy
from trainer_module.evaluation.cross_entropies import Parameters
from trainer_module.evaluation.judged_model import JudgedModel
from trainer_module.evaluation.saved_model import SavedModel
from trainer_module.preprocessing import preprocessing_fn
from trainer_module.vocabulary import Vocabulary

# Users and items share a name, which must not make them one. u is a target 1 + 2 + 3 times.
CORPUS = ["u\tsea", "u\tship\t2", "u\tu\t3", "v\tsea\t4", "w\tsand", "w\tship"]
USERS, ITEMS = ["u", "v", "w"], ["sea", "u", "ship", "sand"]
USER_COUNTS, ITEM_COUNTS = [6, 4, 2], [5, 3, 3, 1]
SETTINGS_OF_PAIRS = SETTINGS._replace(tokenizer="whitespace", kind="pairs", temperature=0.5)
TEMPERATURE = 0.5

drawn = np.random.default_rng(3)
TARGETS, WEIGHTS, BIASES = (
    drawn.normal(size=shape).astype(np.float32) for shape in ((3, 2), (4, 2), 4)
)
UNIGRAM = np.log(np.array([0.4, 0.3, 0.2, 0.1], np.float32))


def test_equal_counts_are_by_falling_bytes() -> None:
    assert sorted(["u", "ship"], reverse=True) == ["u", "ship"]  # so ITEMS has them in this order


def save(folder: Path) -> str:
    """Writes the model below a folder."""
    tables = (tf.Variable(table) for table in (TARGETS, WEIGHTS, BIASES))
    parameters = Parameters(*tables, None, True, TEMPERATURE)
    transform = tft.TFTransformOutput(str(transformed(folder)))
    model = export.ServingModel(parameters, UNIGRAM, transform, SETTINGS_OF_PAIRS)
    export.save(model, str(folder / "saved"))
    return str(folder / "saved")


def transformed(folder: Path) -> Path:
    """What Transform makes of the corpus; its pairs are checked here too."""
    preprocessing = {
        "tokenizer": "whitespace",
        "min_count": 1,
        "subsample": 0.0,
        "emit": "pairs",
    }
    config = {"preprocessing": preprocessing, "seed": 1, "kind": "pairs"}
    spec = {
        "text": tf.io.FixedLenFeature([1], tf.string),
        "occurrence": tf.io.FixedLenFeature([1], tf.int64),
    }
    data = [{"text": [document.encode()], "occurrence": [0]} for document in CORPUS]
    metadata = tft.DatasetMetadata.from_feature_spec(spec)
    with tft_beam.Context(temp_dir=str(folder / "tmp")):
        (rows, _), transform_fn = (data, metadata) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocessing_fn(inputs, config)
        )
        transform_fn | tft_beam.WriteTransformFn(str(folder / "transform"))
    pairs = [
        [
            (USERS[target], ITEMS[context])
            for target, context in zip(
                row["target$ragged_values"], row["context$ragged_values"], strict=True
            )
        ]
        for row in rows
    ]
    assert pairs == [
        [("u", "sea")],
        [("u", "ship")] * 2,
        [("u", "u")] * 3,
        [("v", "sea")] * 4,
        [("w", "sand")],
        [("w", "ship")],
    ]
    assert [int(row["num_tokens"]) for row in rows] == [2, 4, 6, 8, 2, 2]
    return folder / "transform"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def loaded(folder: str) -> Any:
    return tf.saved_model.load(folder)


def call(loaded: Any, signature: str, **inputs: Any) -> dict[str, np.ndarray]:
    outputs = loaded.signatures[signature](**{k: tf.constant(v) for k, v in inputs.items()})
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def log_probabilities(model: SavedModel) -> np.ndarray:
    """`[targets, contexts]`, by the definition."""
    scores = model.target_table.astype(float) @ model.context_weights.T.astype(float)
    scores = scores / model.settings.temperature + model.corrected_biases
    return np.asarray(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))


def test_what_is_read_has_both_vocabularies(folder: str) -> None:
    model = saved_model.read(folder)
    assert [token.decode() for token in model.vocabulary.tokens] == USERS
    assert [token.decode() for token in model.contexts.tokens] == ITEMS
    assert model.vocabulary.counts.tolist() == USER_COUNTS
    assert model.contexts.counts.tolist() == ITEM_COUNTS
    assert model.target_table.shape == (3, 2)
    assert model.context_weights.shape == (4, 2)
    judged = JudgedModel.of_loaded(tf.saved_model.load(folder))
    assert (judged.vocabulary.tokens, judged.contexts.tokens) == (
        model.vocabulary.tokens,
        model.contexts.tokens,
    )


def test_users_have_vectors_and_neighbours_among_users(loaded: Any) -> None:
    found = call(loaded, "serving_default", words=["v", "sea"])
    np.testing.assert_array_equal(found["vectors"], [TARGETS[1], [0, 0]])
    assert found["known"].tolist() == [True, False]
    near = call(loaded, "neighbors", words=["v"], k=np.int32(9))["neighbors"]
    assert sorted(near[0].tolist()) == [b"u", b"w"]


def test_contexts_are_items(folder: str, loaded: Any) -> None:
    logs = log_probabilities(saved_model.read(folder))
    found = call(loaded, "contexts", words=["w", "ship"], k=np.int32(9))
    order = np.argsort(-logs[2])
    assert [item.decode() for item in found["contexts"][0]] == [ITEMS[row] for row in order]
    np.testing.assert_allclose(found["probabilities"][0], np.exp(logs[2][order]), rtol=1e-5)
    assert found["contexts"][1].tolist() == [b""] * 4
    by_command = ContextModel.load(folder).contexts("w", 9)
    assert [item for item, _ in by_command] == [ITEMS[row] for row in order]


def test_evaluation_takes_pairs(folder: str, loaded: Any) -> None:
    logs = log_probabilities(saved_model.read(folder))
    documents = ["u\tship\t2", "w\tu", "u\tv", "sea\tsea", "u ship"]
    found = call(loaded, "evaluate_text", documents=documents)
    # v is no item, and sea no user; what has no TAB is no pair.
    assert found["num_pairs"].tolist() == [2, 1, 0, 0, 0]
    expected = [-2 * logs[0, 2], -logs[2, 1], 0, 0, 0]
    np.testing.assert_allclose(found["softmax_cross_entropy"], expected, rtol=1e-5)
    np.testing.assert_allclose(
        found["unigram_cross_entropy"], [-2 * UNIGRAM[2], -UNIGRAM[1], 0, 0, 0], rtol=1e-5
    )


def other_model(kind: str = "pairs") -> SavedModel:
    """It knows no w, and an item more, but no ship and no sand."""
    draw = np.random.default_rng(5).normal
    users = Vocabulary([b"v", b"u"], np.array([3, 1]))
    items = Vocabulary([b"u", b"wind", b"sea"], np.array([4, 3, 1]))
    tables = (draw(size=shape).astype(np.float32) for shape in ((2, 2), (3, 2), 3))
    settings = SETTINGS_OF_PAIRS._replace(kind=kind)
    return SavedModel(settings, users, *tables, None, np.zeros(3, np.float32), items)


def test_the_common_cross_entropy_is_over_the_contexts_of_both(folder: str) -> None:
    tonight, last = saved_model.read(folder), other_model()
    comparison = CommonCrossEntropy(*map(JudgedModel.of_tables, (tonight, last)))
    documents = [f"{u}\t{i}" for u in ("u", "v", "w", "x") for i in (*ITEMS, "wind", "x")]
    occurrences = tf.zeros(len(documents), tf.int64)
    found = comparison(tf.constant(documents), occurrences)
    # Of each item the larger of its shares.
    shares = {"sea": 5 / 12, "u": 1 / 2, "ship": 3 / 12, "sand": 1 / 12, "wind": 3 / 8}
    total = sum(shares.values())
    classes = {item: share / total for item, share in shares.items()}
    for name, model in (("", tonight), ("_of_last_blessed", last)):
        logs = log_probabilities(model)
        users = [token.decode() for token in model.vocabulary.tokens]
        items = [token.decode() for token in model.contexts.tokens]
        known = np.log(sum(classes[item] for item in items))
        expected = []
        for user, item in (document.split("\t") for document in documents):
            if "x" in (user, item):
                expected.append(0.0)
            elif user in users and item in items:
                expected.append(-known - logs[users.index(user), items.index(item)])
            else:
                expected.append(-np.log(classes[item]))
        losses = found[f"common_cross_entropy{name}"].numpy()
        np.testing.assert_allclose(losses, expected, rtol=1e-4, atol=1e-5)
    assert Counter(found["num_common_pairs"].numpy().tolist()) == {1: 15, 0: 9}


def test_a_model_of_one_vocabulary_is_refused_beside_it(folder: str) -> None:
    tonight, last = saved_model.read(folder), other_model(kind="sessions")
    with pytest.raises(InputError, match=r"corpus.kind=pairs .* corpus.kind=sessions"):
        CommonCrossEntropy(*map(JudgedModel.of_tables, (tonight, last)))
