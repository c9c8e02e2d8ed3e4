"""What trials are told apart by: how high a model ranks the held-out contexts of its targets."""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.embedding_evaluator.metric_list import RANK_METRICS
from components.embedding_evaluator.pairs.ranking import rank_figures
from trainer_module.evaluation.cross_entropies import Parameters
from trainer_module.evaluation.ranks import RankCounter, Ranks
from trainer_module.input_pipeline.splits import Pairs

# By corpus.kind, of metric_list.RANK_METRICS. Ranks need no scale, so objectives whose scores are
# no log-probabilities are judged fairly too, and each pair counts for at most 1. Of sessions the
# ten that are recommended matter; elsewhere a context at place 20 is better than one at place 200.
MEASURES: Mapping[str, str] = {
    "text": "mean_reciprocal_rank",
    "sessions": "ndcg_at_10",
    "edges": "mean_reciprocal_rank",
    "pairs": "mean_reciprocal_rank",
}

# Means of so many blocks of pairs give the standard error of a difference to 7 %.
_BLOCKS = 100
_TARGETS_AT_ONCE = 512


def measure(
    name: str, parameters: Parameters, pairs: Pairs, shift: npt.NDArray[np.float32]
) -> tuple[float, list[float]]:
    """A measure of a model on held-out pairs: its mean, and its means over blocks of the pairs.

    Args:
      name: of metric_list.RANK_METRICS.
      parameters: the model.
      pairs: one at least.
      shift: `[classes]`, what is added to the score of each class.
    """
    found = ranks(parameters, pairs, shift)
    figures = rank_figures(found, len(shift))[:, RANK_METRICS.index(name)]
    blocks = np.array_split(figures, min(_BLOCKS, len(figures)))
    return float(figures.mean()), [float(block.mean()) for block in blocks]


def ranks(parameters: Parameters, pairs: Pairs, shift: npt.NDArray[np.float32]) -> Ranks:
    """`[pairs]`, the rank of each context among all classes, by scores that are corrected.

    Args:
      parameters: the model.
      pairs: in any order.
      shift: `[classes]`, what is added to the score of each class.
    """
    biases = parameters.corrected_biases + shift
    weights = tf.convert_to_tensor(parameters.context_weights)
    contexts = pairs.contexts.numpy().astype(np.int64)
    found = np.empty(len(contexts))
    for targets, rows, places in _blocks_of_targets(pairs.targets.numpy()):
        inputs = tf.gather(parameters.target_table, targets) / parameters.temperature
        scores = (tf.matmul(inputs, weights, transpose_b=True) + biases).numpy()
        counter = RankCounter(rows, contexts[places], scores[rows, contexts[places]])
        counter.add(scores, 0)
        found[places] = counter.ranks()
    return found


def _blocks_of_targets(
    targets: npt.NDArray[np.int32],
) -> Iterator[tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Yields distinct targets, with their pairs: rows among these targets, and places.

    Those with the most pairs come first, as RankCounter wants them.
    """
    distinct, of_pairs, numbers = np.unique(targets, return_inverse=True, return_counts=True)
    order = np.argsort(-numbers, kind="stable")
    row_of = np.argsort(order, kind="stable")
    rows = row_of[of_pairs]
    places = np.argsort(rows, kind="stable")
    ends = np.cumsum(numbers[order])
    for first in range(0, len(distinct), _TARGETS_AT_ONCE):
        last = min(first + _TARGETS_AT_ONCE, len(distinct))
        some = places[ends[first] - numbers[order[first]] : ends[last - 1]]
        yield distinct[order[first:last]], rows[some] - first, some
