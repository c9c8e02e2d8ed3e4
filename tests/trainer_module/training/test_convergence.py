"""Trained to the end, every objective gives the same figures: those of the distribution."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.trainer_module.runs import Corpus, Run, corpus_of, with_windows
from trainer_module.objective_table import OBJECTIVES
from trainer_module.workers.group import WorkerGroup

pytestmark = pytest.mark.slow


@functools.cache
def edges() -> Corpus:
    """Documents of two tokens from a joint distribution in which no p(c|t) is large."""
    random, size = np.random.default_rng(0), 16
    logits = random.normal(size=[size, size]) - 0.15 * np.add.outer(np.arange(size), range(size))
    joint = np.exp((logits + logits.T) / 2)
    drawn = random.choice(size * size, 2048, p=(joint / joint.sum()).ravel())
    documents = [divmod(edge, size) for edge in drawn.tolist()]
    return corpus_of(with_windows(documents, 1), 1, size)


class Truth(NamedTuple):
    softmax: float  # the entropy H(c|t)
    sigmoid: float  # where exp(s) = p
    full_sigmoid: float  # where sigmoid(s) = p


@functools.cache
def truth() -> Truth:
    joint = np.zeros([16, 16])
    np.add.at(joint, edges().pairs(), 1)
    of_target = joint.sum(1) / joint.sum()
    p = joint / joint.sum(1, keepdims=True)
    assert p.max() < 0.5
    entropies = -np.sum(p * np.log(np.where(p > 0, p, 1)), 1)
    entropy = of_target @ entropies
    # sum_j softplus(s_j) - s_c: softplus(log p) = log(1 + p).
    sigmoid = entropy + of_target @ np.log1p(p).sum(1)
    # One binary entropy a class.
    full_sigmoid = entropy - of_target @ ((1 - p) * np.log1p(-p)).sum(1)
    return Truth(entropy, sigmoid, full_sigmoid)


# The first seven: each objective as it is by default, but for the number of candidates.
CONVERGED: dict[str, dict[str, Any]] = {
    **{
        name: {"objective": name, **({"num_sampled": 6} if spec.samples else {})}
        for name, spec in OBJECTIVES.items()
    },
    # Distinct candidates without correction: what a class is expected is far from k q.
    "nce raw": {"objective": "nce", "logq_correction": False, "num_sampled": 10},
}


@pytest.fixture(scope="module")
def converged(alone: WorkerGroup, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    @functools.cache
    def train(name: str) -> Run:
        run = Run(
            alone,
            edges(),
            **{
                "dim": 16,
                "batch_size": 64,
                "epochs": 15,
                "learning_rate": 0.05,
                "evaluations_per_epoch": 0,
                **CONVERGED[name],
            },
        )
        result = run.train(tmp_path_factory.mktemp("converged"))
        assert result.evaluations == []
        return run

    return train


@pytest.mark.parametrize("name", CONVERGED)
def test_every_objective_comes_to_the_entropy(converged: Callable[[str], Run], name: str) -> None:
    found, expected = converged(name).full(), truth()
    # None is below the entropy: no model of p is better than p.
    assert expected.softmax - 1e-4 < found.softmax < 1.02 * expected.softmax
    sigmoid = expected.full_sigmoid if name == "full_sigmoid" else expected.sigmoid
    assert found.sigmoid == pytest.approx(sigmoid, rel=0.02)


@pytest.mark.parametrize(
    "name", ["negative_sampling", "sigmoid_cross_entropy", "softmax_cross_entropy", "nce raw"]
)
def test_raw_figures_of_objectives_without_logq_are_off(
    converged: Callable[[str], Run], name: str
) -> None:
    found, expected = converged(name).full(), truth()
    assert found.raw_softmax > 1.02 * expected.softmax
    assert found.raw_sigmoid > 1.02 * expected.sigmoid
