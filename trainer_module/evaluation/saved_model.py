"""What a SavedModel of ours holds, read and changed without its graphs."""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module import features, vocabulary
from trainer_module.errors import InputError
from trainer_module.hyperparameters import Normalization, Tokenizer
from trainer_module.sizes import Window
from trainer_module.text.words import Tokenization
from trainer_module.vocabulary import Vocabulary

_VARIABLES = os.path.join("variables", "variables")
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_SETTINGS = f"settings{_VALUE}"

Table = npt.NDArray[np.float32]


class ModelSettings(NamedTuple):
    """What must be known of a model to hold another one against it. JSON in the SavedModel."""

    tokenizer: Tokenizer
    normalization: Normalization
    subsample: float
    window: Window
    seed: int
    eval_fraction: float  # of its documents, held out by their hash
    softmax: bool  # the objective's family; else sigmoid
    temperature: float
    # Models of one space have vectors that can be compared number by number.
    space_id: str
    kind: str = "text"  # of its corpus; older models, which do not say, are of text
    held_out_pairs: int = 0  # of its held-out documents, counted; older models do not say

    @property
    def tokenization(self) -> Tokenization:
        """How the model makes tokens of text."""
        return Tokenization(self.tokenizer, self.normalization)

    @property
    def has_two_vocabularies(self) -> bool:
        """Whether contexts have a vocabulary of their own."""
        return features.has_two_vocabularies(self.kind)

    def to_json(self) -> str:
        """The content of the variable `settings`."""
        return json.dumps(self._asdict(), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Reads what to_json wrote."""
        return cls(**json.loads(text))


class SavedModel(NamedTuple):
    """A model as it was exported; scores are as in cross_entropies.Parameters."""

    settings: ModelSettings
    vocabulary: Vocabulary  # of the targets
    target_table: Table  # [targets, dim]
    context_weights: Table  # [contexts, dim]
    context_biases: Table  # [contexts]
    correction: Table | None  # [contexts]
    unigram: Table  # [contexts], model.unigram_log_probabilities
    own_contexts: Vocabulary | None = None  # None: contexts are of the same vocabulary

    @property
    def contexts(self) -> Vocabulary:
        """The vocabulary of the contexts."""
        return self.own_contexts or self.vocabulary

    @property
    def corrected_biases(self) -> Table:
        """`[contexts]`, with which scores are estimates of log p(c|t)."""
        if self.correction is None:
            return self.context_biases
        corrected: Table = self.context_biases + self.correction
        return corrected


def settings_of(folder: str) -> ModelSettings | None:
    """What a SavedModel says of how it was trained; older versions of ours do not.

    Raises:
      InputError: there is no SavedModel in the folder.
    """
    reader = _reader(folder)
    if not reader.has_tensor(_SETTINGS):
        return None
    return ModelSettings.from_json(reader.get_tensor(_SETTINGS))


def read(folder: str) -> SavedModel:
    """Reads a SavedModel on any file system that TensorFlow knows.

    Args:
      folder: with saved_model.pb in it, written by export.save.

    Raises:
      InputError: it is not one of ours, or of a version that wrote no settings.
    """
    settings = settings_of(folder)
    if settings is None:
        raise InputError(
            f"the SavedModel in {folder} does not say how it was trained: it is of an older "
            "version, or not of skipgram"
        )

    reader = _reader(folder)

    def value(name: str) -> Table:
        return np.asarray(reader.get_tensor(name + _VALUE))

    return SavedModel(
        settings,
        vocabulary.read(os.path.join(folder, "assets", features.VOCABULARY)),
        value("target_table"),
        value("context_weights"),
        value("context_biases"),
        value("correction") if reader.has_tensor(f"correction{_VALUE}") else None,
        value("unigram"),
        vocabulary.read(os.path.join(folder, "assets", features.CONTEXT_VOCABULARY))
        if settings.has_two_vocabularies
        else None,
    )


def content_of(path: str) -> str:
    """What tells a SavedModel from others, wherever it lies; of anything else, its path.

    Args:
      path: of a folder or file.

    Returns:
      Of a SavedModel a hash of its index of variables, which holds the checksum of each.
    """
    index = os.path.join(path, f"{_VARIABLES}.index")
    if not tf.io.gfile.exists(index):
        return path
    with tf.io.gfile.GFile(index, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _reader(folder: str) -> Any:
    try:
        return tf.train.load_checkpoint(os.path.join(folder, _VARIABLES))
    except (ValueError, tf.errors.OpError) as error:
        raise InputError(f"{folder} holds no SavedModel") from error


def rewrite(
    folder: str, *, target_table: Table, context_weights: Table, settings: ModelSettings
) -> None:
    """Replaces the tables and the settings of a SavedModel; graphs and all else stay as they are.

    The tables must have the norms that the old ones had: `norms` is not computed again.

    Args:
      folder: of the SavedModel.
      target_table, context_weights: `[tokens, dim]`, in place of the old ones.
      settings: in place of the old ones.

    Raises:
      ValueError: a table has another shape than the old one.
    """
    replaced = {
        f"target_table{_VALUE}": target_table,
        f"context_weights{_VALUE}": context_weights,
        f"settings{_VALUE}": settings.to_json(),
    }
    path = os.path.join(folder, _VARIABLES)
    tensors = _tensors(path, replaced)
    tf.raw_ops.SaveV2(
        prefix=path,
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=list(tensors.values()),
    )
    # It says the hash of the old variables. Nothing asks for it: a SavedModel may be without.
    fingerprint = os.path.join(folder, "fingerprint.pb")
    if tf.io.gfile.exists(fingerprint):
        tf.io.gfile.remove(fingerprint)


def _tensors(path: str, replaced: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """All tensors of a checkpoint by name, with some in place of its own."""
    reader = tf.train.load_checkpoint(path)
    shapes, types = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    tensors = {
        name: tf.constant(
            replaced[name] if name in replaced else reader.get_tensor(name), types[name]
        )
        for name in sorted(shapes)
    }
    for name, tensor in tensors.items():
        if tensor.shape != shapes[name]:
            raise ValueError(f"{name} has the shape {tensor.shape}, not {shapes[name]}")
    return tensors
