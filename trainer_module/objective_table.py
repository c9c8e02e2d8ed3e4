"""The objectives, one row each: what validator, help and dispatch know of them they read here.

Light on purpose: the command line reads it before TensorFlow is imported.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from trainer_module.hyperparameters import TrainerHyperparameters

Weight = Callable[["TrainerHyperparameters", int], float]


@dataclass(frozen=True)
class ObjectiveSpec:
    """What distinguishes an objective from the others."""

    summary: str  # for the help
    family: Literal["sigmoid", "softmax"]
    # The loss of one pair: the function of objectives.losses whose gradient training follows.
    pair_loss: Literal["nce", "negative_sampling", "sampled_softmax"]
    samples: bool = True  # candidates; else every class is a candidate once
    # The fields of TrainerHyperparameters that mean something for it, beyond those that mean
    # something for all.
    uses: frozenset[str] = frozenset()
    # What differs from the fields' own defaults, those of nce.
    defaults: Mapping[str, Any] = field(default_factory=dict)
    # Of a candidate's term beside the true one's, by hyperparameters and number of candidates.
    candidate_weight: Weight = lambda hyperparameters, num_sampled: 1.0


_SAMPLING = frozenset(
    {
        "sampler",
        "sampler_power",
        "replacement",
        "negatives",
        "num_sampled",
        "remove_accidental_hits",
    }
)
# word2vec draws its negatives from unigram^0.75 and has no biases; as its candidates weigh less, a
# step may hold more targets.
_WORD2VEC = {
    "sampler": "unigram",
    "replacement": True,
    "num_sampled": 64,
    "logq_correction": False,
    "bias_initializer": "none",
    "batch_size": 512,
    "learning_rate": 0.025,
}

OBJECTIVES: Mapping[str, ObjectiveSpec] = {
    "nce": ObjectiveSpec(
        summary="as tf.nn has them",
        family="sigmoid",
        pair_loss="nce",
        uses=_SAMPLING | {"logq_correction"},
    ),
    "sampled_softmax": ObjectiveSpec(
        summary="as tf.nn has them",
        family="softmax",
        pair_loss="sampled_softmax",
        uses=_SAMPLING | {"logq_correction"},
        defaults={"remove_accidental_hits": True},
    ),
    "negative_sampling": ObjectiveSpec(
        summary="word2vec's, the fastest",
        family="sigmoid",
        pair_loss="negative_sampling",
        uses=_SAMPLING | {"num_negatives"},
        defaults=_WORD2VEC,
        # However many candidates there are, they stand for k negatives a pair.
        candidate_weight=lambda given, num_sampled: given.num_negatives / num_sampled,
    ),
    "sigmoid_cross_entropy": ObjectiveSpec(
        summary="on inner products",
        family="sigmoid",
        pair_loss="negative_sampling",
        uses=_SAMPLING,
        defaults=_WORD2VEC,
        # The mean over the negative logits: one negative a pair.
        candidate_weight=lambda given, num_sampled: 1 / num_sampled,
    ),
    "softmax_cross_entropy": ObjectiveSpec(
        summary="on inner products",
        family="softmax",
        pair_loss="sampled_softmax",
        uses=_SAMPLING | {"logq_correction", "temperature"},
        defaults=_WORD2VEC,
    ),
    "full_softmax": ObjectiveSpec(
        summary="no sampling, for small vocabularies",
        family="softmax",
        pair_loss="sampled_softmax",
        samples=False,
    ),
    "full_sigmoid": ObjectiveSpec(
        summary="no sampling, for small vocabularies",
        family="sigmoid",
        pair_loss="nce",
        samples=False,
    ),
}


def users(name: str) -> list[str]:
    """The objectives for which the field `name` means something; none where it does for all."""
    return [objective for objective, spec in OBJECTIVES.items() if name in spec.uses]


def described() -> str:
    """Names and summaries; neighbours in the table that share a summary stand together."""
    groups = itertools.groupby(OBJECTIVES, lambda name: OBJECTIVES[name].summary)
    return "; ".join(f"{', '.join(names)}: {summary}" for summary, names in groups)


def listed(names: list[str]) -> str:
    """Names for a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
