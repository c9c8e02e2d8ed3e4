import sys
from collections.abc import Iterator

import hypothesis
import pytest

from tests import mariadb

# Tests time nothing: an example that takes long on a busy machine is not wrong.
hypothesis.settings.register_profile("untimed", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _no_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beam would take pytest's arguments for its own wherever a test makes a small pipeline."""
    monkeypatch.setattr(sys, "argv", sys.argv[:1])


@pytest.fixture(scope="session")
def server() -> Iterator[mariadb.Server]:
    with mariadb.running() as started:
        yield started
