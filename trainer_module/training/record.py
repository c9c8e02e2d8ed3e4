"""What the Trainer writes down of a training, as JSON: the file training.json."""

import dataclasses
import json
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from trainer_module.training.fit import Fitted


@dataclasses.dataclass(frozen=True)
class TrainingRecord:
    """What training gave, without the model."""

    documents: int  # of both splits, and so are the tokens
    tokens: int
    vocabulary_size: int
    pairs_train: int
    pairs_eval: int
    train_loss: float  # nats, and so are all losses
    steps: int
    kept_step: int
    resumed_at_step: int
    pairs_per_second: float
    pairs_per_second_of_workers: list[float]
    evaluations: list[dict[str, float]]  # step, softmax, sigmoid
    sampled_losses: dict[str, float]  # by number of candidates
    full_loss: float

    @classmethod
    def of(cls, fitted: "Fitted") -> Self:
        """What is known of a fitted model."""
        result = fitted.training
        return cls(
            documents=fitted.train.documents + fitted.held_out.documents,
            tokens=fitted.train.tokens + fitted.held_out.tokens,
            vocabulary_size=len(fitted.unigram),
            pairs_train=fitted.train.pairs,
            pairs_eval=fitted.held_out.pairs,
            train_loss=result.train_loss,
            steps=result.steps,
            kept_step=result.kept_step,
            resumed_at_step=result.resumed_at_step,
            pairs_per_second=sum(result.pairs_per_second),
            pairs_per_second_of_workers=result.pairs_per_second,
            evaluations=[found._asdict() for found in result.evaluations],
            sampled_losses={str(number): loss for number, loss in fitted.sampled_losses.items()},
            full_loss=fitted.full_loss,
        )

    def to_json(self) -> str:
        """The content of the file."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what to_json wrote."""
        return cls(**json.loads(text))
