"""The examples in docstrings give what they say."""

import doctest
from types import ModuleType

import pytest

from trainer_module.text import (
    given_pairs,
    near_copies,
    skip_grams,
    split,
    subsampling,
    tokenization,
    words,
)


@pytest.mark.parametrize(
    "module", [given_pairs, near_copies, skip_grams, split, subsampling, tokenization, words]
)
def test_examples(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
