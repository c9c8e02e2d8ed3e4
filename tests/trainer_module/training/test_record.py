"""training.json."""

import json
from types import SimpleNamespace

import numpy as np

from trainer_module.input_pipeline.splits import Counts
from trainer_module.training.record import (
    Evaluation,
    TrainingRecord,
    TrainingResult,
    WarmStart,
)

FITTED = SimpleNamespace(
    train=Counts(90, 900, 400, 1600, np.array([800, 800])),
    held_out=Counts(10, 100, 40, 160, np.array([80, 80])),
    model=SimpleNamespace(num_targets=2),
    unigram=np.zeros(2),
    training=TrainingResult(
        train_loss=1.5,
        steps=20,
        kept_step=16,
        resumed_at_step=0,
        seconds=2.0,
        pairs_per_second=[1e5, 2e5],
        evaluations=[Evaluation(16, 7.0, 8.0)],
        threads=4,
    ),
    sampled_losses={5: 3.5},
    full_loss=7.0,
    warm_start=None,
)


def test_what_training_gave_is_written_and_read_as_json() -> None:
    record = TrainingRecord.of(FITTED, distinct_tokens=10)
    assert TrainingRecord.from_json(record.to_json()) == record
    assert json.loads(record.to_json()) == {
        "documents": 100,
        "tokens": 1000,
        "vocabulary_size": 2,
        "distinct_tokens_left_out": 8,
        "pairs_train": 1600,
        "pairs_eval": 160,
        "train_loss": 1.5,
        "steps": 20,
        "kept_step": 16,
        "resumed_at_step": 0,
        "pairs_per_second": 3e5,
        "pairs_per_second_of_workers": [1e5, 2e5],
        "threads": 4,
        "evaluations": [{"step": 16, "softmax": 7.0, "sigmoid": 8.0}],
        "sampled_losses": {"5": 3.5},
        "full_loss": 7.0,
        "warm_start": None,
        "num_contexts": None,
    }


def test_contexts_of_their_own_are_counted() -> None:
    of_pairs = SimpleNamespace(**{**vars(FITTED), "model": SimpleNamespace(num_targets=7)})
    record = TrainingRecord.of(of_pairs, distinct_tokens=10)
    found = (record.vocabulary_size, record.num_contexts, record.distinct_tokens_left_out)
    assert found == (7, 2, 3)


def test_what_was_taken_over_is_written_and_read_as_json() -> None:
    warm = SimpleNamespace(**{**vars(FITTED), "warm_start": WarmStart(3, 2, 1)})
    record = TrainingRecord.of(warm, distinct_tokens=10)
    assert TrainingRecord.from_json(record.to_json()) == record
    written = json.loads(record.to_json())["warm_start"]
    assert written == {"taken_over": 3, "new": 2, "dropped": 1}
