"""The SavedModel, through tf.saved_model.load alone, as serving has it."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow.core.protobuf import saved_model_pb2

from tests.saved_models import SETTINGS
from trainer_module.evaluation import cross_entropies, export
from trainer_module.evaluation import saved_model as files
from trainer_module.evaluation.cross_entropies import Parameters
from trainer_module.evaluation.saved_model import ModelSettings
from trainer_module.preprocessing import preprocessing_fn

# The counts are 4, 3, 2 and 1, so the ids are 0 to 3.
CORPUS = ["Ape bee cow", "ape bee", "ape bee cow", "ape dog"]
WORDS = [b"ape", b"bee", b"cow", b"dog"]
TABLE = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [-1.0, 0.1]], np.float32)
WEIGHTS = np.array([[0.5, 1.0], [-1.0, 0.0], [2.0, 0.3], [0.0, -0.5]], np.float32)
BIASES = np.array([0.1, 0.2, -0.3, 0.0], np.float32)
UNIGRAM = np.log(np.array([0.4, 0.3, 0.2, 0.1], np.float32))
CORRECTION = np.array([-1.0, 0.5, -2.0, 0.25], np.float32)
CONFIG: dict[str, Any] = {"preprocessing": {"min_count": 1, "subsample": 0, "window": 1}, "seed": 1}

# What evaluation knows of an objective: correction or none, softmax family, temperature.
OBJECTIVES: dict[str, tuple[np.ndarray | None, bool, float]] = {
    "nce": (None, False, 1.0),
    "negative_sampling": (CORRECTION, False, 1.0),
    "sampled_softmax": (None, True, 1.0),
    "softmax_cross_entropy": (CORRECTION, True, 0.5),
}


@pytest.fixture(scope="module")
def transform_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return transform(tmp_path_factory.mktemp("transform"), "windows")


def transform(folder: Path, emit: str) -> Path:
    config = {**CONFIG, "preprocessing": {**CONFIG["preprocessing"], "emit": emit}}
    metadata = tft.DatasetMetadata.from_feature_spec(
        {
            "text": tf.io.FixedLenFeature([1], tf.string),
            "occurrence": tf.io.FixedLenFeature([1], tf.int64),
        }
    )
    data = [{"text": [document.encode()], "occurrence": [0]} for document in CORPUS]
    with tft_beam.Context(temp_dir=str(folder / "tmp")):
        transform_fn = (data, metadata) | tft_beam.AnalyzeDataset(
            lambda inputs: preprocessing_fn(inputs, config)
        )
        transform_fn | tft_beam.WriteTransformFn(str(folder / "transform"))
    return folder / "transform"


def save(
    transform_folder: Path, folder: Path, objective: str, settings: ModelSettings = SETTINGS
) -> str:
    correction, softmax, temperature = OBJECTIVES[objective]
    parameters = Parameters(
        *(tf.Variable(table) for table in (TABLE, WEIGHTS, BIASES)),
        None if correction is None else tf.constant(correction),
        softmax,
        temperature,
    )
    # A copy that is gone when the model is loaded, so that a path into it would be found out.
    transform = shutil.copytree(transform_folder, folder / "transform")
    serving = export.ServingModel(
        parameters, UNIGRAM, tft.TFTransformOutput(str(transform)), settings
    )
    with pytest.MonkeyPatch.context() as patch:
        # So small that a few documents go through several parts.
        patch.setattr(cross_entropies, "_PAIRS_AT_ONCE", 3)
        patch.setattr(cross_entropies, "TARGETS_AT_ONCE", 2)
        export.save(serving, str(folder / "model"))
    shutil.rmtree(transform)
    # Moved, for the same reason.
    (folder / "model").rename(folder / "moved")
    return str(folder / "moved")


@pytest.fixture(scope="module")
def saved_model(transform_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return save(transform_folder, tmp_path_factory.mktemp("export"), "negative_sampling")


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


def test_lookup_takes_words_as_the_tokenizer_does(loaded: Any) -> None:
    words = ["\u200eCOW\u00ad", "be\ufeffe\x00", "\u0301ape!", "ape bee", "\x00"]
    found = call(loaded, "serving_default", words=words)
    np.testing.assert_array_equal(found["vectors"][:3], [[0, 1], [2, 0], [1, 0]])
    assert found["known"].tolist() == [True, True, True, False, False]


def test_bytes_that_are_not_utf8_do_not_fail(loaded: Any) -> None:
    found = call(loaded, "serving_default", words=[b"\xff\xfe", b"cow\xe9", b"\xed\xa0\x80"])
    assert found["known"].tolist() == [False, True, False]


def test_evaluation_goes_on_after_a_nul(loaded: Any) -> None:
    texts = ["ape\x00bee", "ape bee", "\u00e9\x00APE\u2019\x00b\u00adee"]
    found = call(loaded, "evaluate", examples=[example(text) for text in texts])
    assert found["num_pairs"].tolist() == [2, 2, 2]


def test_says_how_it_makes_tokens(loaded: Any) -> None:
    settings = ModelSettings.from_json(loaded.settings.numpy())
    assert settings.tokenization == ("unicode_words", "nfc")


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


def test_a_word_that_is_not_the_nearest_to_itself_is_left_out_all_the_same(loaded: Any) -> None:
    # ape and bee point the same way, so each is as near to the other as to itself.
    found = call(loaded, "neighbors", words=["ape", "bee"], k=np.int32(1))
    assert found["neighbors"].tolist() == [[b"bee"], [b"ape"]]
    found = call(loaded, "neighbors", words=["dog", "bee"], k=np.int32(3))
    assert [set(row) for row in found["neighbors"].tolist()] == [
        {b"ape", b"bee", b"cow"},
        {b"ape", b"cow", b"dog"},
    ]


def example(text: str) -> bytes:
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
    features = tf.train.Features(feature={"text": feature})
    return bytes(tf.train.Example(features=features).SerializeToString())


def expected(objective: str, pairs: list[tuple[int, int]]) -> dict[str, float]:
    """The sums over pairs, straight from the definitions, in double precision."""
    correction, softmax, temperature = OBJECTIVES[objective]
    raw = TABLE.astype(np.float64) @ WEIGHTS.T.astype(np.float64) / temperature + BIASES
    scores = raw if correction is None else raw + correction
    # A softmax leaves a constant of the target open; its sigmoid figure is of s - log Z.
    normalised = np.log(softmax_of(scores)) if softmax else scores
    return {
        "softmax_cross_entropy": -sum(np.log(softmax_of(scores)[pair]) for pair in pairs),
        "sigmoid_cross_entropy": sigmoid_cross_entropy(normalised, pairs),
        "raw_softmax_cross_entropy": -sum(np.log(softmax_of(raw)[pair]) for pair in pairs),
        "raw_sigmoid_cross_entropy": sigmoid_cross_entropy(raw, pairs),
        "unigram_cross_entropy": -sum(float(UNIGRAM[context]) for _, context in pairs),
        "num_pairs": float(len(pairs)),
        # All targets are summed.
        "softmax_sketch": 0.0,
        "sigmoid_sketch": 0.0,
    }


def softmax_of(scores: np.ndarray) -> np.ndarray:
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


def sigmoid_cross_entropy(scores: np.ndarray, pairs: list[tuple[int, int]]) -> float:
    """One logistic regression a class: the context is a success, every other class a failure."""
    successes = 1 / (1 + np.exp(-scores))
    return -sum(
        np.log(successes[target, j] if j == context else 1 - successes[target, j])
        for target, context in pairs
        for j in range(len(BIASES))
    )


DOCUMENTS = ["ape bee cow", "gnu", "", "dog unknown APE"]
PAIRS_BY_DOCUMENT = [[(0, 1), (1, 0), (1, 2), (2, 1)], [], [], [(3, 0), (0, 3)]]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_evaluate_equals_the_definitions_document_by_document(
    transform_folder: Path, tmp_path: Path, objective: str
) -> None:
    model = tf.saved_model.load(save(transform_folder, tmp_path, objective))
    found = call(model, "evaluate", examples=[example(document) for document in DOCUMENTS])
    for row, pairs in enumerate(PAIRS_BY_DOCUMENT):
        values = expected(objective, pairs)
        assert set(found) == set(values)
        for name, value in values.items():
            np.testing.assert_allclose(found[name][row], value, rtol=1e-5, err_msg=name)


def test_text_is_evaluated_as_examples_are(loaded: Any) -> None:
    found = call(loaded, "evaluate_text", documents=DOCUMENTS)
    of_examples = call(loaded, "evaluate", examples=[example(document) for document in DOCUMENTS])
    assert set(of_examples) - set(found) == {"softmax_sketch", "sigmoid_sketch"}
    for name, values in found.items():
        np.testing.assert_array_equal(values, of_examples[name], err_msg=name)


@pytest.mark.parametrize(
    ("signature", "name"), [("evaluate", "examples"), ("evaluate_text", "documents")]
)
def test_no_documents_have_no_figures(loaded: Any, signature: str, name: str) -> None:
    found = call(loaded, signature, **{name: tf.constant([], tf.string)})
    assert {len(values) for values in found.values()} == {0}


def test_the_graph_of_evaluation_is_saved_once_for_both_signatures(saved_model: str) -> None:
    content = saved_model_pb2.SavedModel.FromString(
        (Path(saved_model) / "saved_model.pb").read_bytes()
    )
    names = [
        function.signature.name for function in content.meta_graphs[0].graph_def.library.function
    ]
    assert len([name for name in names if name.startswith("__inference__cross_entropies_")]) == 1


def test_evaluate_where_transform_emits_pairs(tmp_path: Path) -> None:
    folder = transform(tmp_path / "pairs", "pairs")
    model = tf.saved_model.load(save(folder, tmp_path, "nce"))
    found = call(model, "evaluate", examples=[example(document) for document in DOCUMENTS])
    for row, pairs in enumerate(PAIRS_BY_DOCUMENT):
        for name, value in expected("nce", pairs).items():
            np.testing.assert_allclose(found[name][row], value, rtol=1e-5, err_msg=name)


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
    known = np.isfinite(fresh.targets.sums.numpy())
    assert known.all(axis=1).tolist() == known.any(axis=1).tolist() == [True, True, False, False]
    # What is known is not computed again: another value stays.
    fresh.targets.sums.scatter_nd_update([[0, 0]], [42.0])
    call(fresh, "evaluate", examples=[example("ape bee cow")])
    known = np.isfinite(fresh.targets.sums.numpy())
    assert known.all(axis=1).tolist() == [True, True, True, False]
    assert fresh.targets.sums.numpy()[0, 0] == 42.0


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_turned_tables_change_no_score(
    transform_folder: Path, tmp_path: Path, objective: str
) -> None:
    folder = save(transform_folder, tmp_path, objective)
    before = tf.saved_model.load(folder)
    turn = np.array([[0.6, 0.8], [-0.8, 0.6]])
    tables = {"target_table": TABLE @ turn, "context_weights": WEIGHTS @ turn}
    files.rewrite(folder, **tables, settings=SETTINGS._replace(space_id="turned"))
    after = tf.saved_model.load(folder)
    assert files.ModelSettings.from_json(after.settings.numpy()).space_id == "turned"
    found, turned = (call(model, "serving_default", words=WORDS) for model in (before, after))
    np.testing.assert_allclose(turned["vectors"], found["vectors"] @ turn, atol=1e-6)
    inputs = {
        "neighbors": {"words": WORDS, "k": np.int32(3)},
        "evaluate": {"examples": [example(document) for document in DOCUMENTS]},
    }
    for signature, given in inputs.items():
        found, turned = (call(model, signature, **given) for model in (before, after))
        for name, values in found.items():
            if name == "neighbors":
                assert turned[name].tolist() == values.tolist()
            else:
                np.testing.assert_allclose(turned[name], values, rtol=1e-5, atol=1e-5)
