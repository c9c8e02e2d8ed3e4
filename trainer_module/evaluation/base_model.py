"""The model that a warm start takes over from: a SavedModel of ours, or a file of vectors."""

import os
from collections.abc import Container
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from trainer_module.errors import InputError
from trainer_module.evaluation import saved_model, word2vec_format
from trainer_module.evaluation.saved_model import SavedModel, Table
from trainer_module.hyperparameters import BASES

SAVED_MODEL_FILE = "saved_model.pb"


class BaseModel(NamedTuple):
    """Tokens and their target vectors; of a SavedModel, all that it holds."""

    name: str  # its path, for what is said of it
    tokens: list[bytes]  # distinct
    target_table: Table  # [tokens, dim]
    num_tokens: int  # also of those that nobody asked for
    saved: SavedModel | None


def read(path: str, wanted: Container[bytes]) -> BaseModel:
    """Reads a base model, on any file system that TensorFlow knows.

    Args:
      path: of a file or folder, see hyperparameters.BASES.
      wanted: tokens; of a file of vectors, which may hold millions, no other vectors are kept.

    Raises:
      InputError: there is nothing, or nothing that can be read.
    """
    if not tf.io.gfile.exists(path):
        raise InputError(f"there is no {path} to take over from: name {BASES}")
    if not tf.io.gfile.isdir(path):
        return _read_vectors(path, wanted)
    if tf.io.gfile.exists(os.path.join(path, SAVED_MODEL_FILE)):
        return _read_saved_model(path)
    vectors = os.path.join(path, word2vec_format.BINARY_FILE)
    if tf.io.gfile.exists(vectors):
        return _read_vectors(vectors, wanted)
    raise InputError(f"the folder {path} holds nothing to take over from: name {BASES}")


def _read_saved_model(path: str) -> BaseModel:
    try:
        saved = saved_model.read(path)
    except InputError as error:
        raise InputError(f"{error}; set trainer.warm_start=none to begin anew") from error
    tokens = saved.vocabulary.tokens
    return BaseModel(path, tokens, saved.target_table, len(tokens), saved)


def _read_vectors(path: str, wanted: Container[bytes]) -> BaseModel:
    found: dict[bytes, Table] = {}  # of a token that stands twice, the first
    num_tokens = 0
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            rows = word2vec_format.rows_of(file, path)
            for token, vector in rows.rows:
                num_tokens += 1
                if token in wanted and token not in found:
                    found[token] = vector()
    except (ValueError, tf.errors.OpError) as error:
        raise InputError(f"cannot take over from {path}: {error}; name {BASES}") from error
    table = np.array([*found.values()], np.float32).reshape(-1, rows.dim)
    return BaseModel(path, [*found], table, num_tokens, None)
