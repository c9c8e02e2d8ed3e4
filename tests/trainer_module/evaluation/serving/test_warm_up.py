"""The requests that warm a served model up, read back as TensorFlow Serving reads them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tests.saved_models import SETTINGS
from tests.trainer_module.evaluation import test_export
from trainer_module.evaluation import saved_model

# Where TensorFlow Serving looks for them.
FILE = Path("assets.extra") / "tf_serving_warmup_requests"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("warm_up")
    transform = test_export.transform(folder / "transform", "windows")
    return Path(test_export.save(transform, folder / "export", "nce"))


def requests(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """The inputs by signature and name."""
    found = {}
    for record in tf.data.TFRecordDataset(str(folder / FILE)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        assert log.WhichOneof("log_type") == "predict_log"
        request = log.predict_log.request
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        found[request.model_spec.signature_name] = inputs
    return found


def outputs(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """What the model answers to its own requests, by signature."""
    signatures: dict[str, Any] = tf.saved_model.load(str(folder)).signatures
    return {
        name: {
            output: values.numpy()
            for output, values in signatures[name](
                **{key: tf.constant(value) for key, value in inputs.items()}
            ).items()
        }
        for name, inputs in requests(folder).items()
    }


def test_every_signature_is_asked_once_about_words_that_are_known(folder: Path) -> None:
    found = outputs(folder)
    assert set(found) == set(tf.saved_model.load(str(folder)).signatures)
    assert found["serving_default"]["known"].tolist() == [True]
    assert found["neighbors"]["neighbors"].shape == (1, 3)  # four words, less itself
    assert found["contexts"]["contexts"].shape == (1, 4)
    # The two most frequent words: each beside the other.
    assert found["evaluate"]["num_pairs"].tolist() == [2]
    assert found["evaluate_text"]["num_pairs"].tolist() == [2]


def test_all_inputs_of_a_request_have_one_row_so_that_a_server_may_batch_them(folder: Path) -> None:
    for inputs in requests(folder).values():
        assert {value.shape for value in inputs.values()} == {(1,)}


def test_a_model_that_was_turned_keeps_them(folder: Path, tmp_path: Path) -> None:
    before = (folder / FILE).read_bytes()
    tables = {"target_table": test_export.TABLE, "context_weights": test_export.WEIGHTS}
    saved_model.rewrite(str(folder), **tables, settings=SETTINGS)
    assert (folder / FILE).read_bytes() == before
    assert set(outputs(folder)) == set(requests(folder))
