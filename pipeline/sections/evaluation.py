"""The sections `evaluator` and `exporter` of the configuration: how a model is judged, and used."""

from typing import Literal

from pydantic import Field, field_validator

from components.embedding_evaluator.thresholds import EXAMPLE, Threshold
from trainer_module.hyperparameters import StrictModel


class EvaluatorConfig(StrictModel):
    """The gate that a model must pass, by its figures on the eval split."""

    min_gain_over_unigram: float = Field(
        default=0.05,
        description="nats by which the full softmax cross-entropy must be below the unigram "
        "model's; 0.05 is well above what a model that learnt nothing reaches",
    )
    compared_metric: Literal[
        "common_cross_entropy", "full_softmax_cross_entropy", "full_sigmoid_cross_entropy"
    ] = Field(
        default="common_cross_entropy",
        description="the figure, in nats, that is compared with the last blessed model's. "
        "common_cross_entropy: softmax, on the same pairs over all tokens that either model knows; "
        "the full ones are of each model's own pairs and tokens, and cannot tell nights of "
        "different vocabularies apart",
    )
    max_increase: float = Field(
        default=0.02,
        ge=0,
        description="nats by which compared_metric may be above the last blessed model's on "
        "documents that both held out; two seeds differ by less",
    )
    max_targets: int = Field(
        default=50_000,
        ge=1_000,
        description="distinct held-out tokens whose scores are summed over the whole vocabulary; "
        "of more a sample is drawn, the summary tells the standard error, and the gate asks for "
        "two of them more. So many take some minutes with a million tokens",
    )
    min_neighbor_overlap: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="share of the 10 nearest neighbours of the 10,000 most frequent common tokens "
        "that must be as in the last blessed model; none: whatever it is, as on a small corpus two "
        "seeds share a tenth of them",
    )
    max_token_loss: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of the last blessed run's tokens that may be gone from the corpus; with "
        "more the run is withheld before training. Half is more than quiet nights lose and less "
        "than a feed that broke; 1 lets all pass",
    )
    thresholds: tuple[str, ...] = Field(
        default=(),
        strict=False,  # YAML has lists, no tuples
        description=f"more that a model must reach, each as {EXAMPLE!r} or without the slice, of "
        "the metrics in docs/evaluation.md; a slice without a held-out pair reaches nothing",
    )

    @field_validator("thresholds")
    @classmethod
    def _can_be_read(cls, thresholds: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(Threshold.parse(threshold)) for threshold in thresholds)


class ExporterConfig(StrictModel):
    """What becomes of a model before it is judged, pushed and exported."""

    align: Literal["last_blessed", "none"] = Field(
        default="last_blessed",
        description="last_blessed: the vectors are turned, all alike, so that they lie where the "
        "last blessed model's do, and can be used beside those; no score changes; a new space "
        "begins where the dimension is another, or fewer tokens are common than dimensions; none: "
        "each model has a space of its own",
    )
