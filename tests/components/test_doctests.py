"""The examples in docstrings, of modules that import in no time."""

import doctest
import types

import pytest

from components import processes
from components.embedding_evaluator import metric_list, thresholds
from components.rising_pusher import versions
from components.text_example_gen import account, files
from components.text_example_gen.rows import headers, looks, records
from trainer_module.evaluation import word2vec_format


@pytest.mark.parametrize(
    ("module", "at_least"),
    [
        *((processes, 2), (files, 8), (word2vec_format, 5), (versions, 4)),
        *((metric_list, 3), (thresholds, 2), (account, 2), (looks, 2), (records, 5)),
        (headers, 2),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_examples_run(module: types.ModuleType, at_least: int) -> None:
    found = doctest.testmod(module)
    assert found.failed == 0
    assert found.attempted >= at_least  # examples are there
