"""Small SavedModels with what is read of ours, and without graphs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module.evaluation.saved_model import ModelSettings

SETTINGS = ModelSettings(
    tokenizer="unicode_words",
    normalization="nfc",
    subsample=0.0,
    window=2,
    seed=1,
    eval_fraction=0.05,
    softmax=False,
    temperature=1.0,
    space_id="0123456789ab",
)


def write_saved_model(
    folder: Path,
    counts: Mapping[str, int],
    target_table: npt.ArrayLike,
    context_weights: npt.ArrayLike | None = None,
    context_biases: npt.ArrayLike | None = None,
    correction: npt.ArrayLike | None = None,
    unigram: npt.ArrayLike | None = None,
    settings: ModelSettings = SETTINGS,
) -> str:
    """Writes one below a new folder.

    Args:
      folder: is made.
      counts: of the tokens, in the order of their ids.
      target_table, context_weights, context_biases, correction, unigram: as in
        saved_model.SavedModel; zeros for what is not given, but for correction and unigram.
      settings: of the model.

    Returns:
      The folder.
    """
    lines = "".join(f"{count} {token}\n" for token, count in counts.items())
    aside = folder.with_name(f"{folder.name}-vocabulary")
    aside.mkdir(parents=True)
    (aside / "vocabulary").write_text(lines, encoding="utf-8")
    size = len(counts)
    module: Any = tf.Module()
    module.target_table = tf.Variable(np.asarray(target_table, np.float32))
    weights = np.zeros_like(module.target_table) if context_weights is None else context_weights
    module.context_weights = tf.Variable(np.asarray(weights, np.float32))
    biases = np.zeros(size) if context_biases is None else context_biases
    module.context_biases = tf.Variable(np.asarray(biases, np.float32))
    if correction is not None:
        module.correction = tf.Variable(np.asarray(correction, np.float32))
    module.norms = tf.Variable(tf.norm(module.target_table, axis=1))
    logs = np.log(np.full(size, 1 / size)) if unigram is None else unigram
    module.unigram = tf.Variable(np.asarray(logs, np.float32))
    module.settings = tf.Variable(settings.to_json())
    module.vocabulary = tf.saved_model.Asset(str(aside / "vocabulary"))
    tf.saved_model.save(module, str(folder))
    return str(folder)
