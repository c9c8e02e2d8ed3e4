from pathlib import Path

import pytest


@pytest.fixture
def yaml_file(tmp_path: Path):
    def write(content: str | bytes) -> Path:
        path = tmp_path / "config.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
