"""Folders of the user's that are named as ours: TFX's templates make a folder `pipeline`."""

import subprocess
import sys
from pathlib import Path

import pytest

from components.multi_worker_trainer import executor, local_workers
from tests import networks
from trainer_module.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
OURS = ("components", "pipeline", "trainer_module")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, in which to import a package named as ours raises."""
    for name in OURS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise RuntimeError('the user has {name}')")
    monkeypatch.chdir(tmp_path)
    # Ours, wherever the tests run.
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


@pytest.mark.parametrize("name", OURS)
def test_without_more_the_working_directory_comes_first(folder: Path, name: str) -> None:
    command = [sys.executable, "-m", f"{name}.errors"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert f"the user has {name}" in ended.stderr


@pytest.mark.slow
def test_a_worker_is_ours(folder: Path) -> None:
    arguments = folder / "arguments.json"
    command = executor.worker_command(arguments)
    with pytest.raises(InputError) as refused:
        local_workers.run(command, 1, exposed=not networks.ALLOWED)
    # As far as that it has come, with all imported.
    assert f"FileNotFoundError: [Errno 2] No such file or directory: '{arguments}'" in str(
        refused.value
    )


def test_the_command_is_ours(folder: Path) -> None:
    command = [Path(sys.executable).with_name("skipgram"), "--help"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Raw text in, gated skip-gram embeddings out." in ended.stdout
