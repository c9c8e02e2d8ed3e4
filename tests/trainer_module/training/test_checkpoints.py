"""Checkpoints that a killed run left and something else damaged; whose files are removed."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.trainer_module.runs import Array, KilledError, Run, walks
from trainer_module.errors import InputError
from trainer_module.training import checkpoints
from trainer_module.training.progress import BegunAnew
from trainer_module.workers.group import WorkerGroup


class Killed(NamedTuple):
    """A training with keep=best, what it gives undisturbed, and what its kill left behind."""

    run: Run
    tables: list[Array]
    steps: int
    folder: Path


@pytest.fixture(scope="module")
def killed(alone: WorkerGroup, tmp_path_factory: pytest.TempPathFactory) -> Killed:
    root = tmp_path_factory.mktemp("checkpoints")
    run = Run(alone, walks(1, 300), epochs=3, keep="best", checkpoint_seconds=0.0)
    steps = run.train(root / "undisturbed").steps
    tables = run.tables
    run.begin_anew()
    with pytest.raises(KilledError):
        run.train(root / "killed", kill_at=5)
    return Killed(run, tables, steps, root / "killed")


def again(killed: Killed, folder: Path) -> tuple[int, list[str]]:
    """Where training went on, and what it said of damage; its result is that of an undisturbed."""
    news: list[Any] = []
    killed.run.begin_anew()
    result = killed.run.train(folder, report=news.append)
    assert result.steps == killed.steps
    for one, other in zip(killed.run.tables, killed.tables, strict=True):
        np.testing.assert_array_equal(one, other)
    return result.resumed_at_step, [one.damage for one in news if isinstance(one, BegunAnew)]


def only(folder: Path, pattern: str) -> Path:
    [path] = folder.glob(pattern)
    return path


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "data cut": lambda folder: cut(only(folder, "ckpt-*.data-*")),
    "data flipped": lambda folder: flip(only(folder, "ckpt-*.data-*")),
    "data gone": lambda folder: only(folder, "ckpt-*.data-*").unlink(),
    "data empty": lambda folder: only(folder, "ckpt-*.data-*").write_bytes(b""),
    "index cut": lambda folder: cut(only(folder, "ckpt-*.index")),
    "index flipped": lambda folder: flip(only(folder, "ckpt-*.index")),
    "index gone": lambda folder: only(folder, "ckpt-*.index").unlink(),
    "index empty": lambda folder: only(folder, "ckpt-*.index").write_bytes(b""),
    "state gone": lambda folder: (folder / "checkpoint").unlink(),
    "state empty": lambda folder: (folder / "checkpoint").write_bytes(b""),
    "state no text": lambda folder: (folder / "checkpoint").write_bytes(b"\xff\xfe\x00"),
    "state of another": lambda folder: (folder / "checkpoint").write_text("hello: 1"),
    "state of no file": lambda folder: (folder / "checkpoint").write_text(
        'model_checkpoint_path: "ckpt-999"'
    ),
    "best cut": lambda folder: cut(only(folder, "best/ckpt-*.data-*")),
    "best gone": lambda folder: shutil.rmtree(folder / "best"),
}


def test_a_whole_one_is_gone_on_from(killed: Killed, tmp_path: Path) -> None:
    folder = shutil.copytree(killed.folder, tmp_path / "x")
    resumed_at, damages = again(killed, move_state(folder, killed.folder))
    assert resumed_at > 0
    assert damages == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_said_and_training_begins_anew(
    killed: Killed, tmp_path: Path, damage: str
) -> None:
    folder = move_state(shutil.copytree(killed.folder, tmp_path / "x"), killed.folder)
    DAMAGES[damage](folder)
    resumed_at, [said] = again(killed, folder)
    assert resumed_at == 0
    assert str(folder) in said
    assert "\n" not in said
    # What was saved anew is whole, and nothing is left of the damaged one.
    assert again(killed, folder) == (killed.steps, [])


def move_state(folder: Path, from_folder: Path) -> Path:
    """A copy names its own files: TensorFlow may write their whole path."""
    for state in folder.rglob("checkpoint"):
        state.write_text(state.read_text().replace(str(from_folder), str(folder)))
    return folder


def test_a_best_model_that_is_damaged_at_the_end_is_said_and_trained_anew(
    killed: Killed, tmp_path: Path
) -> None:
    def damage(news: Any) -> None:
        if getattr(news, "step", 0) == killed.steps:
            for file in tmp_path.glob("x/best/ckpt-*.data-*"):
                cut(file)

    killed.run.begin_anew()
    with pytest.raises(InputError, match=r"is damaged .*: the same command trains anew"):
        killed.run.train(tmp_path / "x", report=damage)
    assert again(killed, tmp_path / "x")[0] == 0


class TestRemoveAll:
    def saved(self, folder: Path) -> Path:
        for name in ("checkpoint", "ckpt-7.index", "ckpt-7.data-00000-of-00001"):
            for place in (folder, folder / "best"):
                place.mkdir(parents=True, exist_ok=True)
                (place / name).touch()
        return folder

    def test_leaves_nothing_where_nothing_else_was(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            self.saved(Path(checkpoints.folder_of(str(tmp_path / "c"), name)))
        checkpoints.remove_all(tmp_path / "c")
        assert not (tmp_path / "c").exists()

    def test_leaves_what_is_somebody_elses(self, tmp_path: Path) -> None:
        own = self.saved(Path(checkpoints.folder_of(str(tmp_path), "a")))
        others = (
            self.saved(tmp_path / "my-model") / "checkpoint",
            tmp_path / "model.pt",
            tmp_path / "ckpt-7.index",
            own / "notes.txt",
        )
        for file in others:
            file.write_text("mine")
        checkpoints.remove_all(tmp_path)
        assert [file.read_text() for file in others] == ["mine"] * 4
        assert list(own.iterdir()) == [own / "notes.txt"]

    def test_of_no_folder_or_a_link_is_nothing(self, tmp_path: Path) -> None:
        checkpoints.remove_all(tmp_path / "no")
        self.saved(Path(checkpoints.folder_of(str(tmp_path / "disk"), "a")))
        (tmp_path / "c").symlink_to("disk")
        checkpoints.remove_all(tmp_path / "c")
        assert list((tmp_path / "disk").iterdir()) == []
        assert (tmp_path / "c").is_symlink()
