"""What can be set of Transform and Trainer: immutable, typed, each field with its unit and reason.

Light on purpose: the command line reads it before TensorFlow is imported.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from trainer_module import conflicting_fields
from trainer_module.objective_table import OBJECTIVES, described
from trainer_module.sizes import FRAME_HEIGHT, LARGEST_WINDOW, STEPS_PER_CHUNK, Window

Tokenizer = Literal["unicode_words", "whitespace"]
Normalization = Literal["nfc", "nfkc", "none"]
SamplerName = Literal["log_uniform", "unigram", "uniform", "in_batch"]
BiasInitializer = Literal["log_frequency", "zeros", "none"]
# What trainer.warm_start may be beside a path.
COLD = "none"
LAST_BLESSED = "last_blessed"
BASES = (
    "vectors in word2vec's text or binary format or GloVe's, the folder vectors/ of a run, or a "
    "SavedModel of serving/"
)
if TYPE_CHECKING:
    ObjectiveName = str  # a checker wants the names written out, and the table has them
else:
    ObjectiveName = Literal[tuple(OBJECTIVES)]


class StrictModel(BaseModel):
    """Base of every section: frozen, no unknown field, no silent conversion of a wrong type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _window(given: Any) -> Window:
    # One sentence: pydantic's own has an error for each of the two types.
    is_size = isinstance(given, int) and not isinstance(given, bool)
    if given == "all" or (is_size and 1 <= given <= LARGEST_WINDOW):
        return given  # type: ignore[no-any-return]
    raise PydanticCustomError("window", f"write a number from 1 to {LARGEST_WINDOW}, or all")


class PreprocessingHyperparameters(StrictModel):
    """From text to pairs."""

    tokenizer: Tokenizer = Field(
        default="unicode_words",
        description="unicode_words: runs of letters, digits and _, lower-cased; "
        "whitespace: what stands between blanks, as it is",
    )
    normalization: Normalization = Field(
        default="nfc",
        description="nfc: é is one token in either encoding; nfkc: so are ﬁ, full width...; none",
    )
    min_count: int = Field(
        default=5,
        ge=1,
        description="occurrences; rarer tokens are dropped (word2vec's default)",
    )
    vocab_size: int = Field(
        default=100_000,
        ge=2,
        description="tokens; the most frequent ones are kept, so that two tables of 100 "
        "dimensions stay below 100 MB",
    )
    subsample: float = Field(
        default=1e-4,
        ge=0,
        le=1,
        description="share of the corpus above which a token's occurrences are thinned out "
        "(Mikolov et al. 2013, who advise 1e-5 to 1e-3); 0 keeps all",
    )
    window: Annotated[Window, PlainValidator(_window)] = Field(
        default=5,
        description="tokens to each side at most, 1 to 100; each target draws its own from 1 to "
        "this (word2vec's default). all: every target takes all of its document, for sessions "
        "whose order says nothing; of long documents 100 tokens to each side",
    )
    emit: Literal["windows", "pairs"] = Field(
        default="windows",
        description="what Transform writes. windows: half of the bytes, drawn anew in each epoch "
        "as by word2vec, and better for it; pairs: for any trainer, the same in each epoch",
    )


class TrainerHyperparameters(StrictModel):
    """From pairs to a model. Fields that are not given take the objective's own default."""

    objective: ObjectiveName = Field(default="nce", description=described())
    dim: int = Field(
        default=100, ge=1, le=4096, description="numbers per vector (word2vec's default)"
    )
    sampler: SamplerName = Field(
        default="log_uniform",
        description="where candidates come from. log_uniform: Zipf's law (tf.nn's default); "
        "unigram: the frequencies to sampler_power; uniform; in_batch: contexts of the batch",
    )
    sampler_power: float = Field(
        default=0.75,
        ge=-1,
        le=1,
        description="of the unigram sampler (Mikolov et al. 2013); below 0 rare classes are drawn "
        "more often, which can suit sessions (Caselles-Dupré et al. 2018)",
    )
    replacement: bool = Field(
        default=False,
        description="whether a candidate may be drawn twice; tf.nn's samplers draw distinct ones",
    )
    negatives: Literal["per_batch", "per_pair"] = Field(
        default="per_batch",
        description="candidates shared by a batch, or num_sampled for each pair: some twenty "
        "times slower, and needs replacement",
    )
    num_sampled: int = Field(
        default=256,
        ge=1,
        description="candidates of a batch (or pair), at most the vocabulary; with nce 64 are "
        "worse (held-out loss 7.55 after 5 epochs where 256 give 7.43 after 3)",
    )
    num_negatives: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="negatives a pair of negative_sampling: the weight of its candidates together "
        "(word2vec's default)",
    )
    logq_correction: bool = Field(
        default=True,
        description="whether the log of the expected counts is taken off the scores; without it "
        "evaluation adds it back",
    )
    remove_accidental_hits: bool = Field(
        default=False,
        description="whether candidates equal to a pair's context are left out (tf.nn's default: "
        "for sampled_softmax, not for nce)",
    )
    temperature: float = Field(
        default=1.0,
        gt=0,
        le=100,
        description="of softmax_cross_entropy: inner products are divided by it",
    )
    batch_size: int = Field(
        default=192,
        ge=FRAME_HEIGHT,
        le=1 << 16,
        multiple_of=FRAME_HEIGHT,
        description="targets per step, of all workers together where they synchronise each step, "
        "each with some 6 contexts at a window of 5. More are faster "
        "and worse, as a step sums over all: with nce 1,024 end at a held-out loss of 7.63 where "
        "192 give 7.43; with negative_sampling 512 are as good as gensim, 2,048 are not",
    )
    learning_rate: float = Field(
        default=0.05,
        gt=0,
        le=10,
        description="step per pair at the start, falling linearly to 0; a batch's gradients are "
        "summed, so it does not depend on batch_size. With nce on 3.5 million words 2 epochs at "
        "0.05 reach the held-out loss of 3 at word2vec's 0.025 (7.44, 7.43); 0.1 is worse (7.48)",
    )
    epochs: int = Field(
        default=2,
        ge=1,
        le=1000,
        description="passes over the train split; skip-gram models overfit after a few",
    )
    max_row_step: float = Field(
        default=1.0,
        gt=0,
        description="bound on the norm of one row's summed step; without it large batches "
        "diverge on frequent rows",
    )
    bias_initializer: BiasInitializer = Field(
        default="log_frequency",
        description="of the context biases; log_frequency starts from the unigram model; none: "
        "zero, and not trained",
    )
    warm_start: str = Field(
        default=COLD,
        min_length=1,
        description="what training begins with, token by token. none: nothing, so that a model is "
        "its corpus' alone; last_blessed: the last blessed model in --output, if there is one; "
        f"or a path of {BASES}",
    )
    threads: int = Field(
        default=1,
        ge=1,
        le=256,
        description="that step on the same tables without waiting for each other, as gensim's "
        "do: as many as there are cores. With 16 each figure of quality is within .01 of one "
        "thread's. But two runs of the same seed then differ a little; with 1 they are the same "
        "to the last bit",
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=256,
        description="processes on this machine that train together, each with its share of the "
        "cores and of the documents; where TF_CONFIG is set, its cluster trains instead",
    )
    expose_workers: bool = Field(
        default=False,
        description="whether workers of one machine use its network, where whoever reaches them "
        "reads and writes files as you; else they have their own, if the kernel lets them",
    )
    sync_every: int = Field(
        default=1,
        ge=1,
        le=1 << 16,
        description="steps after which workers add up what each has changed of the 4,096 most "
        "frequent tokens' rows, and of all rows after half a million targets; 1: they add up the "
        f"gradients of every step. A multiple of {STEPS_PER_CHUNK} otherwise, for 2 workers: 128 "
        "is nearly as good as one worker, 256 is worse; 4 workers lose too much at 16 already",
    )
    checkpoint_seconds: float = Field(
        default=30.0,
        ge=0,
        description="seconds between checkpoints: the most that a killed run does again",
    )
    evaluations_per_epoch: int = Field(
        default=2,
        ge=0,
        le=1000,
        description="how often the full cross-entropies of held-out pairs are taken during "
        "training, half a second to two each; 0: never",
    )
    keep: Literal["last", "best"] = Field(
        default="last",
        description="the model of the end, or the one with the lowest held-out full cross-entropy "
        "of the objective's family",
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="evaluations without a new lowest one after which training ends; none: never",
    )

    @model_validator(mode="before")
    @classmethod
    def _take_defaults_of_objective(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        # An unknown objective is the field's own error.
        own = [spec for name, spec in OBJECTIVES.items() if name == given.get("objective")]
        return {**(own[0].defaults if own else {}), **given}

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        _raise_if_any(
            [
                *conflicting_fields.problems(self),
                *conflicting_fields.problems_of(self, self.workers),
            ]
        )
        return self

    @property
    def base_path(self) -> str | None:
        """What warm_start names by its path, if it does."""
        return None if self.warm_start in (COLD, LAST_BLESSED) else self.warm_start

    def require_for(self, workers: int) -> None:
        """Raises ValueError where so many workers cannot train by these hyperparameters."""
        _raise_if_any([*conflicting_fields.problems_of(self, workers)])


def _raise_if_any(problems: list[str]) -> None:
    if problems:
        raise ValueError("; ".join(problems))
