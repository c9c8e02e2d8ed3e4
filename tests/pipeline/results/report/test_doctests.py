import doctest
from types import ModuleType

import pytest

from pipeline.results.report import answers, contents
from pipeline.results.report.sections import corpus, lineage


@pytest.mark.parametrize("module", [answers, contents, corpus, lineage], ids=lambda m: m.__name__)
def test_examples_in_docstrings(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
