"""Steps as the Trainer takes them, held beside plain SGD on pairs written out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainer_module.runs import (
    Corpus,
    Run,
    assert_is_sgd_written_out,
    corpus_of,
    walks,
    with_windows,
)
from trainer_module.errors import InputError
from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.objective_table import OBJECTIVES
from trainer_module.workers.group import WorkerGroup

VARIANTS: dict[str, dict[str, Any]] = {
    "nce": {"objective": "nce"},
    "nce raw unigram": {
        "objective": "nce",
        "sampler": "unigram",
        "logq_correction": False,
        "bias_initializer": "zeros",
        "learning_rate": 0.02,
        "max_row_step": 0.1,
    },
    "nce per pair": {
        "objective": "nce",
        "sampler": "unigram",
        "replacement": True,
        "negatives": "per_pair",
        "remove_accidental_hits": True,
    },
    "sampled softmax uniform with replacement": {
        "objective": "sampled_softmax",
        "sampler": "uniform",
        "replacement": True,
        "num_sampled": 9,
    },
    "negative sampling": {"objective": "negative_sampling", "num_sampled": 6},
    "sigmoid per pair": {"objective": "sigmoid_cross_entropy", "negatives": "per_pair"},
    "softmax in batch": {
        "objective": "softmax_cross_entropy",
        "sampler": "in_batch",
        "replacement": False,
        "remove_accidental_hits": True,
        "temperature": 0.5,
    },
    "full softmax": {"objective": "full_softmax"},
    "full sigmoid": {"objective": "full_sigmoid", "bias_initializer": "none"},
}


def test_variants_name_every_choice() -> None:
    every = [TrainerHyperparameters(**given) for given in VARIANTS.values()]
    assert {one.objective for one in every} == set(OBJECTIVES)
    assert {one.sampler for one in every} == {"log_uniform", "unigram", "uniform", "in_batch"}
    assert {one.bias_initializer for one in every} == {"log_frequency", "zeros", "none"}


@pytest.mark.parametrize("emit", ["windows", "pairs"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_training_is_sgd_on_the_pairs_written_out(
    alone: WorkerGroup, tmp_path: Path, variant: str, emit: str
) -> None:
    # 4 whole blocks and one of 9 targets an epoch, in a chunk that has room for 16.
    run = Run(
        alone,
        walks(1, 73)._replace(emit=emit),
        walks(2, 200),
        **{"epochs": 12, "learning_rate": 0.2, **VARIANTS[variant]},
    )
    before = run.measure()
    result = run.train(tmp_path)
    after = run.measure()
    assert result.steps == 60
    assert after < before
    assert len(result.evaluations) == 12
    last = result.evaluations[-1]
    assert (last.softmax if run.step.objective.softmax else last.sigmoid) == pytest.approx(after)
    assert_is_sgd_written_out(run, 60)


@pytest.mark.parametrize("emit", ["windows", "pairs"])
@pytest.mark.parametrize(
    "settings",
    [
        {"objective": "nce"},
        {"objective": "nce", "sampler": "in_batch"},
        {"objective": "sigmoid_cross_entropy", "negatives": "per_pair"},
    ],
    ids=["nce", "in_batch", "per_pair"],
)
def test_steps_of_padding_alone_change_nothing_but_the_rate(
    alone: WorkerGroup, tmp_path: Path, settings: dict[str, Any], emit: str
) -> None:
    # The second epoch has the most: 5 steps. The last two steps of the first, and all but one of
    # the third, have no pair.
    corpora = [walk._replace(emit=emit) for walk in (walks(1, 41), walks(2, 73), walks(3, 7))]
    run = Run(alone, corpora, **{"epochs": 3, "learning_rate": 0.2, **settings})
    result = run.train(tmp_path)
    assert result.steps == 15
    losses = [loss for one in result.evaluations for loss in (one.softmax, one.sigmoid)]
    assert np.isfinite([result.train_loss, *losses]).all()
    assert_is_sgd_written_out(run, 15)


@pytest.mark.parametrize("objective", ["nce", "sampled_softmax"])
def test_huge_batches_and_rates_on_a_skewed_corpus_stay_finite(
    alone: WorkerGroup, tmp_path: Path, objective: str
) -> None:
    random = np.random.default_rng(9)
    # 99 of 100 tokens are the same one.
    ids = np.where(random.random(25_000) < 0.99, 0, random.integers(0, 12, 25_000))
    corpus = corpus_of(with_windows(ids.reshape(-1, 50), 5), 5, 12)
    held_out = corpus_of(with_windows(ids[:500].reshape(-1, 50), 5), 5, 12)
    run = Run(
        alone,
        corpus,
        held_out,
        objective=objective,
        batch_size=1 << 14,
        learning_rate=1.0,
        num_sampled=1000,
        epochs=4,
    )
    result = run.train(tmp_path)
    assert result.steps == 8
    assert all(np.isfinite(table).all() for table in run.tables)
    assert np.isfinite([(one.softmax, one.sigmoid) for one in result.evaluations]).all()
    assert np.isfinite(result.train_loss)


def one_edge(vocabulary_size: int) -> Corpus:
    return corpus_of([[(0, 1), (1, 1)]], 1, vocabulary_size)


@pytest.mark.parametrize("objective", ["full_softmax", "full_sigmoid"])
def test_scores_that_do_not_fit_into_memory_are_refused(alone: WorkerGroup, objective: str) -> None:
    def make(vocabulary_size: int) -> Run:
        corpus = one_edge(vocabulary_size)
        return Run(alone, corpus, objective=objective, batch_size=1 << 16, dim=1)

    make(4096)
    message = f"{objective} takes 4,097 classes per batch .*batch_size = 65,536 .* 1.1 GB: lower"
    with pytest.raises(InputError, match=message):
        make(4097)


def test_candidates_of_each_pair_that_do_not_fit_into_memory_are_refused(
    alone: WorkerGroup,
) -> None:
    # 65,536 targets, 32 candidates of 100 numbers for each of 1 + 1 contexts:
    # 65,536 * 32 * 2 * 100 * 4 bytes = 1.7 GB.
    with pytest.raises(InputError, match=r"32 classes per pair .* 1\.7 GB"):
        Run(
            alone,
            one_edge(32),
            objective="negative_sampling",
            negatives="per_pair",
            num_sampled=32,
            batch_size=1 << 16,
            dim=100,
        )


def test_the_number_of_candidates_counts_and_not_the_vocabulary(
    alone: WorkerGroup,
) -> None:
    run = Run(alone, one_edge(5000), batch_size=1 << 16, num_sampled=256, dim=1)
    assert run.step.objective.num_sampled == 256
