"""Requests with which TensorFlow Serving warms a model up before it serves it.

The first request of a signature takes much longer than the next ones, as TensorFlow prepares the
graph then. A server that finds this file in a SavedModel sends what is in it first.
"""

import os
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

_FOLDER = "assets.extra"
FILE = os.path.join(_FOLDER, "tf_serving_warmup_requests")


def write(folder: str, requests: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes requests into a SavedModel.

    Args:
      folder: of the SavedModel, on any file system that TensorFlow knows.
      requests: by the signature that each is for, the inputs by name.
    """
    tf.io.gfile.makedirs(os.path.join(folder, _FOLDER))
    with tf.io.TFRecordWriter(os.path.join(folder, FILE)) as file:
        for signature, inputs in requests.items():
            log = _log(signature, inputs)
            # The same bytes for the same requests, though inputs are a map.
            file.write(log.SerializeToString(deterministic=True))


def _log(signature: str, inputs: Mapping[str, Any]) -> Any:
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return log
