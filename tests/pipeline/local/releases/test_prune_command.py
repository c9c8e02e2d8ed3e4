"""What goes when few runs are kept, and that nothing does that is needed."""

from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.config import Config
from pipeline.local import artifact_files
from pipeline.local.releases import blessings, prune_command
from tests.pipeline.local.releases.nights import Night, Nights
from trainer_module.errors import InputError

A, B, C, D = (f"2026112{number}03000{number}" for number in range(1, 5))


def prune(nights: Nights, keep: int, *, only_say: bool = False) -> dict[str, set[Path]]:
    """What was said to go."""
    said: list[prune_command.Plan] = []
    prune_command.prune(Config(), nights.output, keep, only_say=only_say, say=said.append)
    [plan] = said
    return {kind.name: set(kind.folders) for kind in plan.kinds}


def folders_of(night: Night, *keys: str) -> set[Path]:
    return {Path(one.uri) for (_, key), one in night.outputs.items() if key in keys}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_the_last_runs_do_not_need_goes(nights: Nights) -> None:
    a, b, c = nights.run(A), nights.run(B), nights.run(C)
    said = prune(nights, 1)
    # B's model is what C's was compared with: the cache needs it. A's goes with all that is A's.
    assert said["artifacts"] == (
        folders_of(a, "examples", "aligned_model", "pushed_model", "vectors")
        | folders_of(b, "examples", "pushed_model", "vectors")
    )
    assert not any(folder.exists() for folder in said["artifacts"])
    assert all(folder.exists() for folder in folders_of(c, *(key for _, key in c.outputs)))
    assert folders_of(b, "aligned_model") <= set(
        (nights.output.artifacts / "EmbeddingAligner/aligned_model").iterdir()
    )
    assert names(nights.output.serving) == [C]
    assert names(nights.output.logs) == [C]
    # The curves of a model that stays stay.
    assert names(nights.output.tensorboard) == [B, C]
    assert (nights.output.vectors / "vectors.txt").exists()


def test_what_went_is_deleted_in_the_store_and_missed_by_no_run(nights: Nights) -> None:
    a = nights.run(A)
    nights.run(B)
    c = nights.run(C)
    prune(nights, 1)
    [model] = nights.store.get_artifacts_by_id([a.model.id])
    assert model.state == mlmd.Artifact.DELETED
    executions = nights.store.get_executions()
    assert artifact_files.disown_damaged(nights.store, executions) == []
    assert nights.last().model.id == c.model.id
    assert nights.run(D, of=c).outcome.version == C


def test_a_dry_run_says_the_same_and_removes_nothing(nights: Nights) -> None:
    nights.run(A), nights.run(B), nights.run(C)
    before = sorted(nights.output.root.rglob("*"))
    said = prune(nights, 1, only_say=True)
    assert sorted(nights.output.root.rglob("*")) == before
    assert prune(nights, 1) == said
    assert all(found == set() for found in prune(nights, 1).values())


def test_few_runs_stay_all(nights: Nights) -> None:
    nights.run(A), nights.run(B)
    assert all(found == set() for found in prune(nights, 2).values())


def test_the_last_blessed_model_stays_however_old(nights: Nights) -> None:
    a = nights.run(A)
    nights.run(B, passes=False)
    c = nights.run(C, passes=False)
    said = prune(nights, 1)
    kept = folders_of(a, "aligned_model", "pushed_model", "vectors")
    assert not said["artifacts"] & kept
    assert all(folder.exists() for folder in kept)
    assert nights.last().model.id == a.model.id
    assert names(nights.output.serving) == [A]
    assert nights.run(D, of=c, passes=False).outcome.version == A


def test_what_stays_in_serving_can_be_blessed_again(nights: Nights) -> None:
    a, b = nights.run(A), nights.run(B)
    nights.run(C, passes=False)
    nights.run(D, passes=False)
    prune(nights, 2)
    assert names(nights.output.serving) == [A, B]
    noted = {"run": A, "by": "ann", "reason": "back"}
    blessings.bless(nights.store, nights.location, nights.output, a.model, noted)
    last, _ = blessings.settle(nights.store, nights.location, nights.output, A)
    assert last is not None
    assert last.model.id == a.model.id
    assert b.model.id != a.model.id


def test_runs_that_failed_do_not_count_and_newer_ones_stay(nights: Nights) -> None:
    nights.run(A)
    nights.begin(B)
    nights.run(C)
    nights.begin(D)
    prune(nights, 1)
    assert names(nights.output.logs) == [C, D]


def test_what_is_not_of_runs_stays(nights: Nights) -> None:
    nights.run(A), nights.run(B), nights.run(C)
    mine = [
        nights.output.serving / "7",
        nights.output.logs / "mine",
        nights.output.artifacts / "mine" / "aligned_model" / "1",
        nights.output.tensorboard / "mine",
    ]
    for folder in mine:
        folder.mkdir(parents=True)
    prune(nights, 1)
    assert all(folder.exists() for folder in mine)


def test_artifacts_of_the_folder_that_this_one_is_a_copy_of_stay(nights: Nights, tmp_path) -> None:
    nights.run(A), nights.run(B), nights.run(C)
    nights.output.root.rename(tmp_path / "moved")
    (tmp_path / "output").mkdir()
    elsewhere = tmp_path / "output" / "artifacts"
    (tmp_path / "moved" / "artifacts").rename(elsewhere)
    before = sorted(elsewhere.rglob("*"))
    folder = type(nights.output)(tmp_path / "moved")
    prune_command.prune(Config(), folder, 1, only_say=False, say=lambda _: None)
    assert sorted(elsewhere.rglob("*")) == before


@pytest.mark.parametrize("when", ["after the store was told", "while folders went"])
def test_killed_and_given_again(nights: Nights, monkeypatch, when: str) -> None:
    nights.run(A), nights.run(B)
    c = nights.run(C)
    expected = prune(nights, 1, only_say=True)["artifacts"]
    moved = []

    def die(folder: Path, target: Path) -> None:
        moved.append(folder)
        if when == "after the store was told" or len(moved) > 2:
            raise KeyboardInterrupt
        folder.replace(target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", die)
        with pytest.raises(KeyboardInterrupt):
            prune(nights, 1)
    # A run in between takes nothing of it.
    executions = nights.store.get_executions()
    assert artifact_files.disown_damaged(nights.store, executions) == []
    assert nights.run(D, of=c).outcome.version == C
    prune(nights, 1)
    assert not any(folder.exists() for folder in expected)


def test_during_a_run_it_is_refused(nights: Nights) -> None:
    nights.run(A)
    with nights.output.locked(), pytest.raises(InputError, match="in use by another run"):
        prune(nights, 1)
