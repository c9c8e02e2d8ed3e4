"""The warm start: a model begins with what an earlier one has learnt, token by token."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module.errors import InputError
from trainer_module.evaluation.base_model import BaseModel
from trainer_module.evaluation.cross_entropies import Parameters
from trainer_module.evaluation.saved_model import SavedModel, Table
from trainer_module.training.model import SkipGramModel
from trainer_module.training.record import WarmStart

Rows = npt.NDArray[np.int64]


def take_over(
    model: SkipGramModel,
    base: BaseModel,
    tokens: Sequence[bytes],
    contexts: Sequence[bytes],
    *,
    unigram: Table,
    parameters: Parameters,
    is_biased: bool,
) -> WarmStart:
    """Puts the rows of a base model's tokens in the place of the new model's own.

    Tokens that the base does not know start as in any training. So does all but the target table
    where the base is a file of vectors: with context weights of zero the model is the one that its
    biases say, however long the vectors are.

    Of a SavedModel the context weights come too, multiplied by the new temperature over the old one
    where these differ, and so leave each inner product's part of the score as it was. Biases are
    brought to the new frequencies, see biases_at.

    Args:
      model: the new one, as it begins; it is changed in place.
      base: what is taken over from.
      tokens: `[targets]`, of the new model.
      contexts: `[contexts]`, of it; the same where they have no vocabulary of their own.
      unigram: `[contexts]`, model.unigram_log_probabilities of the new corpus.
      parameters: what evaluation needs to know of the new objective.
      is_biased: whether the new biases are trained. Where they are not they stay at zero, whatever
        the base has: the new scores have no place for them.

    Returns:
      How many tokens were taken over, are new, and were dropped.

    Raises:
      InputError: the base's vectors have another dimension, or no token is in both.
    """
    own, of_base = _common(tokens, base.tokens)
    _require_fit(model, base, len(own))
    _put(model.target_table, own, base.target_table[of_base])
    if base.saved is not None:
        saved = base.saved
        rescaled = np.float32(parameters.temperature / saved.settings.temperature)
        of_contexts = _common(contexts, saved.contexts.tokens)
        _put(
            model.context_weights, of_contexts[0], saved.context_weights[of_contexts[1]] * rescaled
        )
        if is_biased:
            biases = biases_at(unigram, parameters, saved, *of_contexts)
            _put(model.context_biases, of_contexts[0], biases)
    return WarmStart(len(own), len(tokens) - len(own), base.num_tokens - len(own))


def _common(tokens: Sequence[bytes], of_base: Sequence[bytes]) -> tuple[Rows, Rows]:
    """The rows of the tokens that both have, in either."""
    rows = {token: row for row, token in enumerate(of_base)}
    found = np.array([rows.get(token, -1) for token in tokens], np.int64)
    [own] = np.nonzero(found >= 0)
    return own, found[own]


def biases_at(
    unigram: Table, parameters: Parameters, saved: SavedModel, own: Rows, of_base: Rows
) -> Table:
    """The biases of taken-over tokens, at the new corpus' frequencies.

    Of every objective the corrected scores, `s(t, c) + correction(c)`, estimate
    log p(c|t) = log p(c) + pointwise mutual information of t and c. What the model has learnt is
    the second part. It stays; the first one is the corpus', and is replaced:

        bias + correction  =  (old bias + old correction - old log unigram) + log unigram

    - `bias_initializer=log_frequency`, and an objective with logQ correction or without sampling:
      no correction, and the bias is its learnt deviation from the old log unigram plus the new one.
    - `zeros`: the same. How a bias began does not matter; what it has become is part of the score.
      In an early model it may be small and the rows hold the frequency; then too the score must
      move by the change of the log frequency, and by no more.
    - A base without biases, `none`: its rows hold the frequency, its bias is 0, and the same line
      gives the change of the log frequency.
    - Without logQ correction the optimum is `log p(c|t) - log(w n(c))`, and the expected count n(c)
      follows the new frequencies too: hence the corrections on both sides. They also carry a model
      from one objective to another.
    - Softmax scores, and their corrections, are free up to a constant of t. That constant cancels
      within the softmax family. An objective of the sigmoid family that takes over from it begins
      off by it.

    Args:
      unigram: `[contexts]`, of the new corpus.
      parameters: of the new model.
      saved: the old model.
      own: `[tokens]`, ids of the taken-over contexts in the new vocabulary.
      of_base: `[tokens]`, their ids in the old one.
    """
    deviations = (saved.corrected_biases - saved.unigram)[of_base]
    biases: Table = deviations + unigram[own]
    if parameters.correction is not None:
        biases -= np.asarray(parameters.correction)[own]
    return biases


def _require_fit(model: SkipGramModel, base: BaseModel, in_both: int) -> None:
    dim, of_base = model.target_table.shape[1], base.target_table.shape[1]
    if dim != of_base:
        raise InputError(
            f"the vectors of {base.name} have {of_base} dimensions and trainer.dim is {dim}: set "
            f"trainer.dim={of_base}, or trainer.warm_start=none to begin anew"
        )
    if not in_both:
        raise InputError(
            f"none of the {base.num_tokens:,} tokens of {base.name} is in the vocabulary of this "
            "corpus: see that both are of one language and one preprocessing.tokenizer, or set "
            "trainer.warm_start=none to begin anew"
        )


def _put(variable: tf.Variable, rows: Rows, values: Table) -> None:
    """Replaces some rows of a variable of the strategy; on each worker by the same."""
    table = variable.numpy()
    table[rows] = values
    variable.assign(table)
