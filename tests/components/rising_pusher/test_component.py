"""The executor as TFX calls it."""

import time
from pathlib import Path

import pytest
from google.protobuf import json_format
from tfx.types import standard_artifacts

from components.rising_pusher.component import Executor
from pipeline.graph import push_to

NOON = 1_795_608_000


def pushed(folder: Path, blessed: int = 1) -> standard_artifacts.PushedModel:
    """What the Pusher says of a model, which it puts below `serving`."""
    model, blessing = standard_artifacts.Model(), standard_artifacts.ModelBlessing()
    model.uri = str(folder / "model")
    saved = folder / "model" / "Format-Serving"
    (saved / "assets").mkdir(parents=True, exist_ok=True)
    (saved / "saved_model.pb").write_text("graph")
    (saved / "assets" / "vocabulary").write_text("words")
    blessing.set_int_custom_property("blessed", blessed)
    found = standard_artifacts.PushedModel()
    found.uri = str(folder / "pushed")
    Executor().Do(
        {"model": [model], "model_blessing": [blessing]},
        {"pushed_model": [found]},
        {"push_destination": json_format.MessageToJson(push_to(str(folder / "serving")))},
    )
    return found


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON + 0.9)


@pytest.mark.parametrize(
    ("there", "version"),
    [
        ([], NOON),
        ([NOON - 60], NOON),
        ([NOON], NOON + 1),  # in the same second
        ([NOON + 3600, NOON - 60], NOON + 3601),  # the clock went back
        (["notes", NOON + 5], NOON + 6),
    ],
)
def test_a_version_is_the_time_and_higher_than_all_before_it(
    tmp_path: Path, there: list[object], version: int
) -> None:
    for name in there:
        (tmp_path / "serving" / str(name)).mkdir(parents=True)
    found = pushed(tmp_path)
    assert found.get_string_custom_property("pushed_version") == str(version)
    folder = tmp_path / "serving" / str(version)
    assert found.get_string_custom_property("pushed_destination") == str(folder)
    for copy in (folder, tmp_path / "pushed"):
        assert (copy / "saved_model.pb").read_text() == "graph"
        assert (copy / "assets" / "vocabulary").read_text() == "words"


def test_a_model_that_is_not_blessed_is_not_pushed(tmp_path: Path) -> None:
    assert pushed(tmp_path, blessed=0).get_int_custom_property("pushed") == 0
    assert not (tmp_path / "serving").exists()
