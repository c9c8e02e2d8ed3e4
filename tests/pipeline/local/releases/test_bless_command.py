"""What a person is told, and what is left after a kill."""

import shutil
from pathlib import Path

import pytest

from pipeline.config import Config
from pipeline.failures import WrongCommandError
from pipeline.local import metadata_store
from pipeline.local.releases import blessings
from pipeline.local.releases.bless_command import bless
from tests.pipeline.local.releases.nights import Nights
from trainer_module.errors import InputError

A, B, C = (f"2026112{number}03000{number}" for number in range(1, 4))


def given(nights: Nights) -> list[tuple[str, str, str]]:
    found = blessings.by_hand(nights.store, nights.location.pipeline_name)
    return [(one.run, one.by, one.reason) for one in found]


def test_a_withheld_run(nights: Nights) -> None:
    nights.run(A)
    nights.run(B, passes=False)
    assert bless(Config(), nights.output, "last", "ann", " it is fine ") == (
        f"run {B} is blessed: serving/{B} and vectors/ hold its model, and the next one is "
        "compared with it"
    )
    assert given(nights) == [(B, "ann", "it is fine")]
    assert nights.exported()[0] == {"run": B, "version": B}
    shown = (nights.output.tensorboard / "projector_config.pbtxt").read_text()
    assert f'tensor_name: "{B}"' in shown


def test_what_is_the_last_blessed_one_already(nights: Nights) -> None:
    nights.run(A)
    assert bless(Config(), nights.output, A, "ann", "why not").startswith(
        f"run {A} is the last blessed one already: serving/{A} and vectors/ hold its model"
    )
    assert given(nights) == []


def test_a_run_without_a_verdict(nights: Nights) -> None:
    nights.run(A)
    nights.begin(B)
    with pytest.raises(InputError, match=f"^run {B} came to no verdict, it is unfinished: name"):
        bless(Config(), nights.output, B, "ann", "x")


def test_a_run_that_was_withheld_before_training(nights: Nights) -> None:
    nights.begin(A)
    metadata_store.end_run(nights.store, A, "not blessed", {"error": "half of the text is gone"})
    with pytest.raises(InputError, match="no model, it ended before training: half of the text"):
        bless(Config(), nights.output, A, "ann", "x")


def test_a_model_that_is_gone(nights: Nights) -> None:
    nights.run(A)
    b = nights.run(B, passes=False)
    shutil.rmtree(b.model.uri)
    with pytest.raises(InputError, match=f"^the model of run {B} is gone"):
        bless(Config(), nights.output, B, "ann", "x")
    assert nights.last().version == A


def test_no_reason_and_no_such_run(nights: Nights) -> None:
    nights.run(A)
    with pytest.raises(WrongCommandError, match=r"^--reason is empty"):
        bless(Config(), nights.output, A, "ann", "\n")
    with pytest.raises(WrongCommandError, match=f"^1999 is no run; the nearest is {A}$"):
        bless(Config(), nights.output, "1999", "ann", "x")


def test_during_a_run_it_is_refused(nights: Nights) -> None:
    nights.run(A)
    with nights.output.locked(), pytest.raises(InputError, match="in use by another run"):
        bless(Config(), nights.output, A, "ann", "x")


@pytest.mark.parametrize("killed_in", ["write_aside", "replace_link", "serving", "vectors"])
def test_killed_and_given_again(nights: Nights, monkeypatch, killed_in: str) -> None:
    nights.run(A)
    nights.run(B, passes=False)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    where = {
        "serving": "pipeline.local.serving_folder.restore",
        "vectors": "components.embedding_exporter.component.export",
    }.get(killed_in, f"pipeline.local.releases.blessings.{killed_in}")
    with monkeypatch.context() as patch:
        patch.setattr(where, die)
        with pytest.raises(KeyboardInterrupt):
            bless(Config(), nights.output, "last", "ann", "good")
    bless(Config(), nights.output, "last", "ann", "good")
    assert given(nights) == [(B, "ann", "good")]
    assert nights.exported()[0] == {"run": B, "version": B}
    assert nights.served()[0] == B
    # Nothing that was half written is left.
    assert len(list((nights.output.artifacts / "Release" / "vectors").iterdir())) == 1


def test_killed_and_then_a_night_comes(nights: Nights, monkeypatch) -> None:
    nights.run(A)
    nights.run(B, passes=False)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.local.serving_folder.restore", die)
        with pytest.raises(KeyboardInterrupt):
            bless(Config(), nights.output, "last", "ann", "good")
    assert not (nights.output.serving / B).exists()
    c = nights.run(C, passes=False)
    assert c.outcome.restored == Path(nights.output.serving, B)
    assert nights.served()[0] == B
