"""The three passes over a model whose contexts have a vocabulary of their own, beside NumPy."""

from pathlib import Path

import numpy as np
import pytest

from components.embedding_evaluator.metric_list import BANDS
from components.embedding_evaluator.metrics import FORMULAS
from components.embedding_evaluator.pairs import cells, ranking
from tests.components.embedding_evaluator.pairs.test_passes import evaluated, totals
from tests.trainer_module.evaluation import test_export
from tests.trainer_module.evaluation.test_two_vocabularies import (
    ITEMS,
    USERS,
    log_probabilities,
    save,
)
from trainer_module.evaluation import saved_model

# The bands of the three users are 0, 1, 1, and those of the four items 0, 1, 1, 2.
ENDS = (1, 3, 10)
BAND_OF = (0, 1, 1, 2)
PAIRS = [("u", "sea"), ("u", "sand"), ("v", "u"), ("w", "sand"), ("w", "sand"), ("v", "sea")]
DOCUMENTS = [f"{user}\t{item}" for user, item in PAIRS] + ["sea\tu", "x\tsea"]


def test_each_slice_has_the_figures_of_its_own_vocabulary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (cells, ranking):
        monkeypatch.setattr(module, "BAND_ENDS", ENDS)
    folder = save(tmp_path)
    rows = evaluated(folder, [np.array([test_export.example(text) for text in DOCUMENTS], object)])
    logs = log_probabilities(saved_model.read(folder))
    ids = [(USERS.index(user), ITEMS.index(item)) for user, item in PAIRS]
    for feature, side in (("target_frequency", 0), ("context_frequency", 1)):
        for band in range(3):
            of_slice = [pair for pair in ids if BAND_OF[pair[side]] == band]
            if of_slice:
                found = totals(rows, feature, BANDS[band])
                check({name: FORMULAS[name](found) for name in CHECKED}, of_slice, logs)
    whole = totals(rows)
    check({name: FORMULAS[name](whole) for name in CHECKED}, ids, logs)


CHECKED = ("num_pairs", "full_softmax_cross_entropy", "recall_at_1", "mean_rank", "auc")


def check(found: dict[str, float], pairs: list[tuple[int, int]], logs: np.ndarray) -> None:
    ranks = np.array([1 + (logs[target] > logs[target, item]).sum() for target, item in pairs])
    assert found == pytest.approx(
        {
            "num_pairs": len(pairs),
            "full_softmax_cross_entropy": -np.mean([logs[pair] for pair in pairs]),
            "recall_at_1": np.mean(ranks == 1),
            "mean_rank": ranks.mean(),
            "auc": np.mean((len(ITEMS) - ranks) / (len(ITEMS) - 1)),
        },
        rel=1e-5,
    )
