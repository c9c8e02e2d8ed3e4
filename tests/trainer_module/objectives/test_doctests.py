import doctest
from types import ModuleType

import pytest

from trainer_module.objectives import (
    candidate_sampling,
    distributions,
    full_cross_entropies,
    losses,
    sigmoid_family,
    softmax_family,
)
from trainer_module.objectives.candidate_sampling import Sampler


@pytest.mark.parametrize(
    "module",
    [candidate_sampling, distributions, full_cross_entropies, sigmoid_family, softmax_family],
)
def test_examples_run(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


def test_every_loss_sampler_and_distribution_has_an_example() -> None:
    functions = [getattr(losses, name) for name in losses.__all__ if name.islower()]
    assert len(functions) == 8
    probabilities = [
        distributions.log_uniform_probabilities,
        distributions.unigram_probabilities,
        distributions.uniform_probabilities,
    ]
    for documented in (*functions, *probabilities, Sampler):
        assert ">>> " in documented.__doc__, documented
