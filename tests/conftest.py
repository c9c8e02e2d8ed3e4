import sys
from collections.abc import Iterator

import pytest

from tests import mariadb


@pytest.fixture(autouse=True)
def _no_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beam would take pytest's arguments for its own wherever a test makes a small pipeline."""
    monkeypatch.setattr(sys, "argv", sys.argv[:1])


@pytest.fixture(scope="session")
def server() -> Iterator[mariadb.Server]:
    with mariadb.running() as started:
        yield started
