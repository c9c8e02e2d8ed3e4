import pytest

from trainer_module.workers import group
from trainer_module.workers.group import WorkerGroup


@pytest.fixture(scope="session")
def alone() -> WorkerGroup:
    """A worker that trains on its own."""
    return group.join()
