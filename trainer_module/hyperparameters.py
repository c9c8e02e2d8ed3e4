"""What can be set of Transform and Trainer: immutable, typed, each field with its unit and reason.

Light on purpose: the command line reads it before TensorFlow is imported.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Tokenizer = Literal["unicode_words", "whitespace"]
Objective = Literal["nce", "sampled_softmax"]
BiasInitializer = Literal["log_frequency", "zeros"]


class Hyperparameters(BaseModel):
    """Base of every section: frozen, no unknown field, no silent conversion of a wrong type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class PreprocessingHyperparameters(Hyperparameters):
    """From text to pairs."""

    tokenizer: Tokenizer = Field(
        default="unicode_words",
        description="unicode_words: runs of letters, digits and _, lower-cased; "
        "whitespace: what stands between blanks, as it is",
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
    window: int = Field(
        default=5,
        ge=1,
        le=100,
        description="tokens to each side at most; each target draws its own from 1 to this "
        "(word2vec's default)",
    )


class TrainerHyperparameters(Hyperparameters):
    """From pairs to a model."""

    objective: Objective = Field(
        default="nce",
        description="nce: tf.nn.nce_loss; sampled_softmax: tf.nn.sampled_softmax_loss",
    )
    dim: int = Field(
        default=100, ge=1, le=4096, description="numbers per vector (word2vec's default)"
    )
    num_sampled: int = Field(
        default=256,
        ge=1,
        description="candidates shared by a batch, distinct, at most the vocabulary; 64 are "
        "faster and worse (held-out loss 7.55 after 5 epochs where 256 give 7.43 after 3)",
    )
    batch_size: int = Field(default=1024, ge=1, le=1 << 20, description="pairs per step")
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
        description="of the context biases; log_frequency starts from the unigram model",
    )
    checkpoint_seconds: float = Field(
        default=30.0,
        ge=0,
        description="seconds between checkpoints: the most that a killed run does again",
    )
