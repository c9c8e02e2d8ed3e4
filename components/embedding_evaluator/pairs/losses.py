"""The third pass: the cross-entropies of all pairs, and what else is cheap, by cell."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.embedding_evaluator.pairs.cells import NUM_CELLS, Cells, cells_of, sums_by
from components.embedding_evaluator.pairs.collecting import Pairs
from components.embedding_evaluator.pairs.sampling import Sampling
from components.embedding_evaluator.totals import (
    HITS,
    LOG_PARTITION,
    LOG_PARTITION_DEVIATION,
    LOG_PARTITION_SQUARE,
)
from trainer_module import features
from trainer_module.evaluation import calibration, cross_entropies
from trainer_module.evaluation.cross_entropies import TargetSums
from trainer_module.evaluation.judged_model import JudgedModel

Numbers = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

_CROSS_ENTROPIES = (
    features.SOFTMAX_CROSS_ENTROPY,
    features.SIGMOID_CROSS_ENTROPY,
    features.RAW_SOFTMAX_CROSS_ENTROPY,
    features.RAW_SIGMOID_CROSS_ENTROPY,
)


class PairLosses:
    """What the evaluate signature adds up by document, and log Z, added up by cell."""

    def __init__(self, model: JudgedModel, unigram: tf.Variable, sampling: Sampling):
        """Takes a model whose targets are drawn, its unigram model, and what is drawn beside."""
        self._model, self._unigram, self._sampling = model, unigram, sampling
        ids = tf.TensorSpec([None], tf.int64)
        self._traced = tf.function(self._of_pairs, input_signature=[ids] * 3, autograph=False)

    def sums(self, pairs: Pairs) -> Cells:
        """Sums of the pairs of documents, of which there are some."""
        cells = cells_of(pairs.targets, pairs.contexts)
        losses, sketches = self._traced(pairs.targets, pairs.contexts, cells)
        by_pair = {name: values.numpy().astype(np.float64) for name, values in losses.items()}
        by_pair |= self._of_log_partitions(pairs, by_pair[LOG_PARTITION])
        found = {name: sums_by(cells, values) for name, values in by_pair.items()}
        found[features.NUM_PAIRS] = np.bincount(cells, minlength=NUM_CELLS).astype(float)
        found[HITS] = self._hits(pairs, cells, by_pair)
        # Of each cell a sketch of either loss.
        by_sum = np.moveaxis(sketches.numpy().astype(np.float64), 2, 0)
        return Cells(found | dict(zip(features.SKETCHES.values(), by_sum, strict=False)))

    def _of_pairs(
        self, targets: tf.Tensor, contexts: tf.Tensor, cells: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Figures of pairs, `[pairs]` each, and the sketches of cells."""
        standing = self._model.targets(targets)
        found = cross_entropies.cross_entropies(
            self._model.parameters, TargetSums(*tf.unstack(standing, axis=1)), targets, contexts
        )
        losses = dict(zip(_CROSS_ENTROPIES, found, strict=True))
        losses[features.UNIGRAM_CROSS_ENTROPY] = -tf.gather(self._unigram, contexts)
        losses[LOG_PARTITION] = standing[:, 0]
        return losses, self._model.targets.sketch(standing, targets, cells, NUM_CELLS)

    def _of_log_partitions(self, pairs: Pairs, standing: Numbers) -> dict[str, Numbers]:
        """How far what stands for log Z is from the typical one, and its square, `[pairs]` each.

        A drawn target's distance d stands there as d / p. For d^2 stands d^2 / p, its average over
        draws too.
        """
        deviation = standing - float(self._model.targets.typical.numpy()[0])
        square = self._sampling.summed_with[pairs.targets] * deviation**2
        return {LOG_PARTITION_DEVIATION: deviation, LOG_PARTITION_SQUARE: square}

    def _hits(self, pairs: Pairs, cells: Ids, by_pair: dict[str, Numbers]) -> Numbers:
        """How many pairs of each cell have their context in each bin, `[cells, bins]`.

        Of sampled targets those that were drawn stand for the others.
        """
        drawn_with = self._sampling.summed_with[pairs.targets]
        summed = self._sampling.summed[pairs.targets]
        typical = float(self._model.targets.typical.numpy()[0])
        # The score, and log Z itself rather than what stands for it.
        score = by_pair[LOG_PARTITION] - by_pair[features.SOFTMAX_CROSS_ENTROPY]
        log_partition = typical + drawn_with * by_pair[LOG_PARTITION_DEVIATION]
        bins = calibration.bin_of(np.exp(np.minimum(score - log_partition, 0.0)))
        places = cells * calibration.NUM_BINS + bins
        weights = np.where(summed, 1 / drawn_with, 0.0)
        size = NUM_CELLS * calibration.NUM_BINS
        return sums_by(places, weights, size).reshape(NUM_CELLS, calibration.NUM_BINS)
