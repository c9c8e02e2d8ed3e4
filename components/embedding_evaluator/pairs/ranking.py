"""The second pass: a block of targets is summed, and what needs all their scores is taken with it.

That is the ranks of their contexts, and how probable their classes are. Both come out by cell.
"""

import threading
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.embedding_evaluator.metric_list import BAND_ENDS, BANDS, RANK_METRICS
from components.embedding_evaluator.pairs.cells import (
    NUM_CELLS,
    Cells,
    bands_of,
    cells_of,
    sums_by,
)
from components.embedding_evaluator.pairs.collecting import Block
from components.embedding_evaluator.pairs.sampling import Sampling
from components.embedding_evaluator.totals import (
    CALIBRATED,
    CALIBRATED_OF,
    CLASSES,
    MASS,
    RANK_ERROR_SQUARES,
    RANK_ERROR_SUMS,
    RANK_SUMS,
    RANKED,
    RANKED_ERROR,
)
from trainer_module.evaluation import calibration
from trainer_module.evaluation.judged_model import JudgedModel
from trainer_module.evaluation.ranks import RankCounter

Numbers = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]


class Summed(NamedTuple):
    """What stands for the sums of some targets."""

    targets: Ids
    standing: npt.NDArray[np.float32]  # [targets, sums]


class TargetJudge:
    """Sums blocks of targets."""

    def __init__(self, model: JudgedModel, sampling: Sampling):
        """Takes a model whose targets are drawn, with what is drawn beside."""
        self._model, self._sampling = model, sampling
        self._num_targets = len(model.vocabulary.tokens)
        self._num_classes = len(model.contexts.tokens)
        self._standing = tf.function(
            model.targets.standing,
            input_signature=[tf.TensorSpec([None], tf.int64)],
            autograph=False,
        )
        self._binned = tf.function(
            lambda *arguments: calibration.binned(model.parameters, *arguments),
            input_signature=[
                tf.TensorSpec([None], tf.int64),
                tf.TensorSpec([None]),
                tf.TensorSpec([], tf.int32),
                tf.TensorSpec([], tf.int32),
            ],
            autograph=False,
        )
        self._lock = threading.Lock()  # the visitor shows scores to one counter at a time

    def judge(self, block: Block) -> tuple[Summed, Cells]:
        """Sums the drawn targets of a block.

        Returns:
          The sums; and what the cells get by it, see `cells_of_block`.
        """
        # Those with the most pairs first, as RankCounter wants them.
        targets = block.targets[self._sampling.summed[block.targets]]
        numbers = np.bincount(block.pair_targets, minlength=self._num_targets)
        targets = targets[np.argsort(-numbers[targets], kind="stable")]
        places = np.zeros(self._num_targets, np.int64)
        places[targets] = np.arange(len(targets))
        order = np.argsort(places[block.pair_targets], kind="stable")
        block = block._replace(
            pair_targets=block.pair_targets[order],
            pair_contexts=block.pair_contexts[order],
            occurrences=block.occurrences[order],
        )
        rows = places[block.pair_targets]
        standing, ranks = self._ranked(targets, rows, block)
        found = self._of_ranks(block, ranks) | self._of_classes(block, targets, standing)
        return Summed(targets, standing), Cells(found)

    def cells_of_block(self, block: Block) -> Iterator[int]:
        """The cells that a block says something about: of its targets' bands and all classes'."""
        of_targets = np.unique(bands_of(block.targets)).tolist()
        num_bands = int(bands_of(np.array(self._num_classes - 1))) + 1
        return (band * len(BANDS) + context for band in of_targets for context in range(num_bands))

    def _ranked(
        self, targets: Ids, rows: Ids, block: Block
    ) -> tuple[npt.NDArray[np.float32], Numbers]:
        """The sums of targets, and the ranks of the block's pairs, which are `rows` of them."""
        scores = self._model.corrected_scores(block.pair_targets, block.pair_contexts).numpy()
        visitor = self._model.visitor
        assert visitor is not None
        with self._lock:
            visitor.counter = counter = RankCounter(rows, block.pair_contexts, scores)
            standing = self._standing(targets).numpy()
            visitor.counter = None
        # Where a score of the target is no number, or infinite, its classes have no order.
        return standing, np.where(np.isfinite(standing[rows, 0]), counter.ranks(), np.nan)

    def _of_ranks(self, block: Block, ranks: Numbers) -> dict[str, Numbers]:
        cells = cells_of(block.pair_targets, block.pair_contexts)
        drawn_with = self._sampling.drawn_with(block.pair_targets)
        weights = (block.occurrences / drawn_with)[:, np.newaxis]
        of_error = weights * (1 / drawn_with - 1)[:, np.newaxis]
        figures = rank_figures(ranks, self._num_classes)
        return {
            RANKED: sums_by(cells, weights[:, 0]),
            RANKED_ERROR: sums_by(cells, of_error[:, 0]),
            RANK_SUMS: sums_by(cells, figures * weights),
            RANK_ERROR_SUMS: sums_by(cells, figures * of_error),
            RANK_ERROR_SQUARES: sums_by(cells, figures**2 * of_error),
        }

    def _of_classes(
        self, block: Block, targets: Ids, standing: npt.NDArray[np.float32]
    ) -> dict[str, Numbers]:
        """The probabilities of classes, of those targets that were drawn for it."""
        numbers = np.zeros(self._num_targets)
        numbers[block.targets] = block.num_pairs
        drawn = self._sampling.calibrated[targets]
        targets, standing = targets[drawn], standing[drawn]
        weights = numbers[targets] / self._sampling.calibrated_with[targets]
        bands = bands_of(targets)
        found = {MASS: np.zeros([NUM_CELLS, calibration.NUM_BINS])}
        found[CLASSES] = np.zeros_like(found[MASS])
        log_partitions = self._log_partitions(targets, standing)
        for context, (first, end) in enumerate(_class_bands(self._num_classes)):
            by_target = self._binned(targets, log_partitions, first, end)
            for name, of_targets in zip((MASS, CLASSES), by_target, strict=True):
                weighted = of_targets.numpy() * weights[:, np.newaxis]
                found[name][context :: len(BANDS)] = sums_by(bands, weighted, len(BANDS))
        # Each class was asked about by all pairs, whatever their context: so in all its cells.
        of_calibrated = sums_by(bands, weights, len(BANDS))
        of_all = sums_by(bands_of(block.targets), block.num_pairs.astype(float), len(BANDS))
        return found | {
            CALIBRATED: np.repeat(of_calibrated, len(BANDS)),
            CALIBRATED_OF: np.repeat(of_all, len(BANDS)),
        }

    def _log_partitions(
        self, targets: Ids, standing: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """log Z itself, of which `standing` is weighted; see target_sample."""
        typical = self._model.targets.typical.numpy()[0]
        drawn_with = self._sampling.summed_with[targets]
        found = typical + drawn_with * (standing[:, 0] - typical)
        return np.asarray(found, np.float32)


def rank_figures(ranks: Numbers, num_classes: int) -> Numbers:
    """What each pair adds to the metrics of ranks.

    Args:
      ranks: `[pairs]`, not a number where there is none.
      num_classes: that contexts are ranked among.

    Returns:
      `[pairs, metrics]`, by RANK_METRICS.
    """
    recall_at_1, recall_at_10, recall_at_100 = (
        np.where(np.isnan(ranks), np.nan, ranks <= most) for most in (1, 10, 100)
    )
    figures = {
        "recall_at_1": recall_at_1,
        "recall_at_10": recall_at_10,
        "recall_at_100": recall_at_100,
        "ndcg_at_10": recall_at_10 / np.log2(1 + ranks),
        "mean_reciprocal_rank": 1 / ranks,
        "mean_rank": ranks,
        # A rank counts the classes above and half of the equal ones, so what is left is below.
        "auc": (num_classes - ranks) / max(num_classes - 1, 1),  # of a single class 0
    }
    return np.stack([figures[name] for name in RANK_METRICS], 1)


def _class_bands(num_classes: int) -> Iterator[tuple[int, int]]:
    """Where the classes of each band begin and end, of those bands that there are."""
    ends = [*BAND_ENDS, num_classes]
    for first, end in zip([0, *BAND_ENDS], ends, strict=True):
        if first < num_classes:
            yield first, min(end, num_classes)
