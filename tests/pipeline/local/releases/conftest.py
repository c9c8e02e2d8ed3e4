from pathlib import Path

import pytest

from tests.pipeline.local.releases.nights import Nights


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each night's model is kept: TensorFlow writes it once for all tests."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def nights(tmp_path: Path, models: Path) -> Nights:
    return Nights(tmp_path / "output", models)
