"""The sections `evaluator` and `exporter` of the configuration: how a model is judged, and used."""

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from components.embedding_evaluator.metric_list import metric_of_set
from components.embedding_evaluator.thresholds import EXAMPLE, Threshold
from components.embedding_exporter.format_list import (
    ALWAYS,
    FORMATS,
    FormatName,
    require_libraries,
    with_always,
)
from trainer_module.evaluation.intrinsic import sets
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
    allow_chance: bool = Field(
        default=False,
        description="whether compared_metric may be above that by two of its standard errors too: "
        "then only a model that is surely worse is withheld. For few held-out pairs, where two "
        "nights differ by chance",
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
        "more the run is withheld before training, and so it is with no token in common. Half is "
        "more than quiet nights lose and less than a feed that broke; 1 lets all pass",
    )
    thresholds: tuple[str, ...] = Field(
        default=(),
        strict=False,  # YAML has lists, no tuples
        description=f"more that a model must reach, each as {EXAMPLE!r} or without the slice, of "
        "the metrics in docs/evaluation.md; a slice without a held-out pair reaches nothing",
    )
    similarity: tuple[str, ...] = Field(
        default=(),
        strict=False,  # YAML has lists, no tuples
        description="files of word similarity, in which a line is two words and people's score, "
        "between tabs: WS-353, SimLex-999, MEN, as gensim reads them; measured is Spearman's rank "
        "correlation of cosines with the scores",
    )
    analogies: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="files of analogies, in which a line is `: ` and the name of a section, or "
        "four words: questions-words.txt, as gensim reads it; measured is the share answered by "
        "3CosAdd and by 3CosMul",
    )

    @field_validator("thresholds")
    @classmethod
    def _can_be_read(cls, thresholds: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(Threshold.parse(threshold)) for threshold in thresholds)

    @property
    def sets(self) -> sets.Named:
        """The files of intrinsic sets by their kind."""
        return {sets.SIMILARITY: self.similarity, sets.ANALOGIES: self.analogies}

    @model_validator(mode="after")
    def _sets_are_named(self) -> Self:
        problems = [*self._sets_without_a_name_of_their_own()]
        known = sets.metric_names(self.sets)
        for threshold in map(Threshold.parse, self.thresholds):
            if metric_of_set(threshold.metric) and threshold.metric not in known:
                there = f"there are {', '.join(known)}" if known else "no set is named"
                problems.append(
                    f"thresholds has {str(threshold)!r}, and there is no such set: {there}"
                )
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _sets_without_a_name_of_their_own(self) -> Iterator[str]:
        for kind, paths in self.sets.items():
            by_name: dict[str, str] = {}
            for path in paths:
                name = sets.set_name(path)
                if not name:
                    yield f"{kind} has {path!r}, which names no file: write the name of one"
                elif name in by_name:
                    yield (
                        f"{kind} has {by_name[name]!r} and {path!r}, and a set goes by the name of "
                        f"its file, {name!r}: rename one of them"
                    )
                by_name.setdefault(name, path)


class ExporterConfig(StrictModel):
    """What becomes of a model before it is judged, pushed and exported."""

    align: Literal["last_blessed", "none"] = Field(
        default="last_blessed",
        description="last_blessed: the vectors are turned, all alike, so that they lie where the "
        "last blessed model's do, and can be used beside those; no score changes; a new space "
        "begins where the dimension is another, or fewer tokens are common than dimensions; none: "
        "each model has a space of its own",
    )
    formats: tuple[FormatName, ...] = Field(
        default=(ALWAYS,),
        strict=False,  # YAML has lists, no tuples
        description="what vectors/ holds (docs/exports.md): "
        + "; ".join(f"{name}: for {one.read_by}" for name, one in FORMATS.items())
        + f". {ALWAYS} is always there, as the commands read it",
    )
    min_recall: float = Field(
        default=0.95,
        ge=0,
        le=1,
        description="share of the 10 nearest neighbours, of 1,000 tokens, that the index of faiss "
        "must find: it looks at as many vectors as that takes, up to 1,024; where these are too "
        "few, the run fails before anything is pushed",
    )

    @field_validator("formats")
    @classmethod
    def _can_be_written(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        require_libraries(names)
        return with_always(names)
