"""Which pairs are ranked and which targets are calibrated, where all would take too long.

Every worker decides alone and alike, by hashes. What is drawn with the probability p stands for
1 / p of its kind, so no mean has a bias.
"""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module.evaluation import target_sample
from trainer_module.evaluation.judged_model import JudgedModel
from trainer_module.text import hashing

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ids = npt.NDArray[np.int64]

# With no more scores than this in the sums, all pairs are ranked: it takes some seconds.
_SCORES_ALL_RANKED = 1 << 28
# All the same no more than so many: a pair takes some 12 bytes until it is ranked.
_MOST_RANKED = 1 << 23
# Of more, one pair a target: to hold it against all classes takes less than a third of the time
# of the target's sums. With few targets more of them, as long as it takes seconds.
_COMPARISONS = 1 << 32
# Targets whose classes are binned by probability: that takes some four times as long as the sums.
_CALIBRATED = 1 << 10
# Targets that are summed together.
_BLOCK = 1 << 10
# Which of a pair's random numbers is drawn.
_PAIR_STREAM = 3


class Sampling(NamedTuple):
    """What is drawn of a model's pairs and targets."""

    seed: int
    num_blocks: int  # of targets that are summed together
    ranked_with: float  # the probability with which a pair is ranked
    summed: Flags  # [vocab]: the targets that were drawn to be summed
    summed_with: Numbers  # [vocab], the probability
    calibrated: Flags  # [vocab]: those of them whose classes are binned too
    calibrated_with: Numbers  # [vocab]

    @classmethod
    def of_model(cls, model: JudgedModel, max_targets: int) -> Self:
        """Of a model whose targets are drawn and not yet met.

        Args:
          model: it.
          max_targets: how many of its targets may be summed.
        """
        settings, tokens = model.settings, model.vocabulary.tokens
        expected = target_sample.expected_occurrences(model.vocabulary, settings)
        summed_with = model.targets.probabilities.numpy().astype(np.float64)
        summed = np.isnan(model.targets.sums.numpy()[:, 0])
        calibrated_with = np.minimum(
            summed_with, target_sample.probabilities(expected, _CALIBRATED)
        )
        num_summed = min(float(-np.expm1(-expected).sum()), max_targets)
        return cls(
            seed=settings.seed,
            num_blocks=max(round(num_summed / _BLOCK), 1),
            ranked_with=_ranked_with(
                num_pairs=settings.held_out_pairs,
                num_targets=num_summed,
                num_classes=len(model.contexts.tokens),
            ),
            summed=summed,
            summed_with=summed_with,
            calibrated=summed & (target_sample.draws(tokens, settings.seed) < calibrated_with),
            calibrated_with=calibrated_with,
        )

    def draw(self, hashes: tf.Tensor, documents: Ids, positions: Ids, targets: Ids) -> Flags:
        """Which pairs are ranked: those of summed targets, or a share of them.

        Args:
          hashes: `[batch]`, hashing.document_hashes.
          documents: `[pairs]`, which one each pair is of.
          positions: `[pairs]`, of each pair in its document.
          targets: `[pairs]` ids.
        """
        if self.ranked_with >= 1:
            return self.summed[targets]
        drawn = np.asarray(
            hashing.uniform(hashes, documents, positions, seed=self.seed, stream=_PAIR_STREAM)
        )
        is_drawn: Flags = drawn * self.summed_with[targets] < self.ranked_with
        return self.summed[targets] & is_drawn

    def drawn_with(self, targets: Ids) -> Numbers:
        """The probabilities with which pairs of targets were drawn to be ranked, `[pairs]`."""
        return np.minimum(self.summed_with[targets], self.ranked_with)


def _ranked_with(*, num_pairs: int, num_targets: float, num_classes: int) -> float:
    most = max(num_targets, _COMPARISONS / num_classes)
    if num_targets * num_classes <= _SCORES_ALL_RANKED:
        most = _MOST_RANKED
    return min(most / num_pairs, 1.0) if num_pairs else 1.0
