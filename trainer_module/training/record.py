"""What is known of a training, and its form as JSON: the file training.json.

Light on purpose: the summary reads it without TensorFlow.
"""

import dataclasses
import json
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from trainer_module.training.fit import Fitted

# What TensorBoard's charts of evaluations are called.
HELD_OUT_SOFTMAX = "held_out/full_softmax_cross_entropy"
HELD_OUT_SIGMOID = "held_out/full_sigmoid_cross_entropy"


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The held-out full cross-entropies at a point of training, nats."""

    step: int
    softmax: float
    sigmoid: float

    def of_family(self, *, softmax: bool) -> float:
        """The full cross-entropy of an objective's family."""
        return self.softmax if softmax else self.sigmoid


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """What the training loop gave."""

    train_loss: float  # mean over the last epoch's pairs that were looked at, nats
    steps: int
    kept_step: int  # of the model that is kept
    resumed_at_step: int
    seconds: float  # since the last restart
    pairs_per_second: list[float]  # of each worker, since then
    evaluations: list[Evaluation]
    threads: int  # of each worker


@dataclasses.dataclass(frozen=True)
class WarmStart:
    """What a model took over from an earlier one, in tokens."""

    taken_over: int
    new: int  # of this model alone
    dropped: int  # of the earlier one alone


@dataclasses.dataclass(frozen=True)
class TrainingRecord:
    """What training gave, without the model."""

    documents: int  # of both splits, and so are the tokens
    tokens: int
    vocabulary_size: int  # of targets
    distinct_tokens_left_out: int  # of the corpus, by min_count and vocab_size
    pairs_train: int
    pairs_eval: int
    train_loss: float  # nats, and so are all losses
    steps: int
    kept_step: int
    resumed_at_step: int
    pairs_per_second: float  # of all workers
    pairs_per_second_of_workers: tuple[float, ...]
    threads: int  # of each worker
    evaluations: tuple[Evaluation, ...]
    sampled_losses: dict[str, float]  # by number of candidates
    full_loss: float  # what they estimate
    warm_start: WarmStart | None  # None: a cold one
    num_contexts: int | None = None  # where they are not as many as the targets

    @classmethod
    def of(cls, fitted: "Fitted", distinct_tokens: int) -> Self:
        """What is known of a fitted model, and of how many different tokens the corpus holds."""
        result = fitted.training
        num_targets, num_contexts = fitted.model.num_targets, len(fitted.unigram)
        return cls(
            documents=fitted.train.documents + fitted.held_out.documents,
            tokens=fitted.train.tokens + fitted.held_out.tokens,
            vocabulary_size=num_targets,
            distinct_tokens_left_out=distinct_tokens - num_targets,
            pairs_train=fitted.train.pairs,
            pairs_eval=fitted.held_out.pairs,
            train_loss=result.train_loss,
            steps=result.steps,
            kept_step=result.kept_step,
            resumed_at_step=result.resumed_at_step,
            pairs_per_second=sum(result.pairs_per_second),
            pairs_per_second_of_workers=tuple(result.pairs_per_second),
            threads=result.threads,
            evaluations=tuple(result.evaluations),
            sampled_losses={str(number): loss for number, loss in fitted.sampled_losses.items()},
            full_loss=fitted.full_loss,
            warm_start=fitted.warm_start,
            num_contexts=num_contexts if num_contexts != num_targets else None,
        )

    def to_json(self) -> str:
        """The content of the file."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what to_json wrote."""
        content = json.loads(text)
        content["evaluations"] = tuple(Evaluation(**found) for found in content["evaluations"])
        content["pairs_per_second_of_workers"] = tuple(content["pairs_per_second_of_workers"])
        if taken := content["warm_start"]:
            content["warm_start"] = WarmStart(**taken)
        return cls(**content)
