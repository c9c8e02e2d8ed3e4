"""Training on pairs of which each side has a vocabulary of its own."""

import math
from pathlib import Path

import numpy as np
import pytest

from tests.trainer_module.transformed import split_of_pairs, write_pairs
from trainer_module.evaluation import cross_entropies
from trainer_module.hyperparameters import PreprocessingHyperparameters, TrainerHyperparameters
from trainer_module.training.fit import fit
from trainer_module.vocabulary import Vocabulary
from trainer_module.workers.group import WorkerGroup

pytestmark = pytest.mark.slow

# Of 40 users the even ones take one of the items 0 to 3, and the odd ones one of 4 to 7.
NUM_USERS, NUM_ITEMS = 40, 8


def pairs(how_many: int, seed: int) -> list[list[tuple[int, int]]]:
    random = np.random.default_rng(seed)
    users, items = random.integers(0, NUM_USERS, how_many), random.integers(0, 4, how_many)
    return [[(int(u), int(i + 4 * (u % 2)))] for u, i in zip(users, items, strict=True)]


def vocabulary(name: str, size: int) -> Vocabulary:
    return Vocabulary([f"{name}{n}".encode() for n in range(size)], np.full(size, 9, np.int64))


@pytest.mark.parametrize("objective", ["nce", "softmax_cross_entropy", "full_softmax"])
def test_it_learns_who_takes_what(tmp_path: Path, alone: WorkerGroup, objective: str) -> None:
    train, held_out = (
        split_of_pairs(
            [write_pairs(tmp_path / f"{name}.gz", pairs(number, number))],
            vocabulary_size=NUM_ITEMS,
        )
        for name, number in (("train", 4000), ("eval", 400))
    )
    sampled = {} if objective == "full_softmax" else {"num_sampled": 8}
    fitted = fit(
        vocabulary("u", NUM_USERS),
        train,
        held_out,
        PreprocessingHyperparameters(emit="pairs", window=3, subsample=0.0, min_count=1),
        TrainerHyperparameters(
            objective=objective, dim=4, epochs=15, batch_size=16, learning_rate=0.1, **sampled
        ),
        seed=1,
        group=alone,
        checkpoint_folder=str(tmp_path / "checkpoints"),
        contexts=vocabulary("i", NUM_ITEMS),
    )
    assert fitted.model.target_table.shape == (NUM_USERS, 4)
    assert fitted.model.context_weights.shape == (NUM_ITEMS, 4)
    assert fitted.unigram.shape == (NUM_ITEMS,)
    assert (fitted.train.pairs, fitted.held_out.pairs) == (4000, 400)
    found = cross_entropies.mean_cross_entropies(fitted.parameters, *fitted.held_out_pairs)
    # One of four items alike, of eight without knowing the user.
    assert float(found.softmax) == pytest.approx(math.log(4), abs=0.1)
