"""Our Trainer on given pairs, as the Trainer of the pipeline has them from Transform."""

import os
import tempfile
from typing import Any

import numpy as np

from benchmarks import trainers
from benchmarks.given_pairs.held_out import HeldOut, Scorer, Side
from benchmarks.sessions.next_item import Ids, Scores
from benchmarks.sessions.vectors import mean_gain


class Ours:
    """A model of two vocabularies, with all its tables."""

    def __init__(self, held: HeldOut, *, seed: int = 1, **settings: Any):
        """Trains.

        Args:
          held: what to train on. With keep=best a fiftieth of it is not: it says which is the best,
            so that the asked pairs do not.
          seed: of the model.
          settings: of TrainerHyperparameters.
        """
        keeps_best = settings.get("keep") == "best"
        train, evaluated = held.train, held.asked
        if keeps_best:
            evaluated, train = np.split(train, [len(train) // 50])
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        group = trainers.begin()
        # After TensorFlow was told how many threads it may take.
        from trainer_module.hyperparameters import (
            PreprocessingHyperparameters,
            TrainerHyperparameters,
        )
        from trainer_module.training import fit

        made_by = PreprocessingHyperparameters(emit="pairs", min_count=1, subsample=0.0)
        targets, contexts = (_vocabulary(side) for side in (held.targets, held.contexts))
        with tempfile.TemporaryDirectory() as folder:
            fitted = fit.fit(
                targets,
                _split(train, contexts, made_by),
                _split(evaluated, contexts, made_by),
                made_by,
                TrainerHyperparameters(
                    **{
                        "checkpoint_seconds": 1e9,
                        "evaluations_per_epoch": 2 * keeps_best,
                        **settings,
                    }
                ),
                seed=seed,
                group=group,
                checkpoint_folder=folder,
                contexts=contexts,
            )
        found = fitted.parameters
        self._vectors = found.target_table.numpy() / found.temperature
        self._outputs, self._biases = (
            table.numpy() for table in (found.context_weights, found.corrected_biases)
        )
        self._unigram = fitted.unigram

    def scores(self, targets: Ids) -> Scores:
        """See Scorer."""
        scores = self._vectors[targets] @ self._outputs.T + self._biases
        return np.asarray(scores, np.float32)

    def gain_over_unigram(self, held: HeldOut) -> float:
        """What the gate asks for: nats by which a context is likelier than by its share."""
        targets, answers = held.asked.T
        return mean_gain(
            self._vectors[targets], self._outputs, self._biases, answers, self._unigram
        )


def _vocabulary(side: Side) -> Any:
    from trainer_module.vocabulary import Vocabulary

    return Vocabulary([name.encode() for name in side.names], side.counts)


def _split(pairs: Ids, contexts: Any, made_by: Any) -> Any:
    """Of documents that are one pair each."""
    import tensorflow as tf

    from trainer_module import features
    from trainer_module.input_pipeline.documents import DocumentsInMemory
    from trainer_module.training import fit

    targets, context_ids = (
        tf.RaggedTensor.from_uniform_row_length(side, 1).with_row_splits_dtype(tf.int64)
        for side in pairs.T
    )
    documents = DocumentsInMemory(
        {
            features.TARGET: targets,
            features.CONTEXT: context_ids,
            features.NUM_TOKENS: tf.fill([len(pairs)], tf.constant(2, tf.int64)),
        }
    )
    return fit.split_of(documents, contexts, made_by, seed=1)


def ours(held: HeldOut, **settings: Any) -> dict[str, Scorer]:
    """By the inner products with all contexts, and their biases."""
    return {"": Ours(held, **settings).scores}
