"""The examples in docstrings give what they say."""

import doctest
from types import ModuleType

import pytest

from trainer_module.text import given_pairs, skip_grams, subsampling, tokenization, words


@pytest.mark.parametrize("module", [given_pairs, skip_grams, subsampling, tokenization, words])
def test_examples(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
