"""The executor as TFX calls it."""

import time
from datetime import datetime
from pathlib import Path

import pytest
from google.protobuf import json_format
from tfx.types import standard_artifacts

from components.rising_pusher.component import Executor
from pipeline.graph import push_to

NOON = 20261124120000


def pushed(
    folder: Path, blessed: int = 1, run_id: str | None = None
) -> standard_artifacts.PushedModel:
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
    Executor(Executor.Context(pipeline_run_id=run_id)).Do(
        {"model": [model], "model_blessing": [blessing]},
        {"pushed_model": [found]},
        {"push_destination": json_format.MessageToJson(push_to(str(folder / "serving")))},
    )
    return found


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", datetime(2026, 11, 24, 12, 0, 0, 900_000).timestamp)


@pytest.mark.parametrize(
    ("there", "version"),
    [
        ([], NOON),
        ([1_795_608_000], NOON),  # seconds since 1970, by an older Pusher
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


@pytest.mark.parametrize(
    ("run_id", "there", "version"),
    [
        ("20261124030000", [], 20261124030000),
        ("20261124030000-0123456789ab", [1_795_608_000], 20261124030000),
        ("20261124030000", [20261124030000], NOON),
        ("skipgram-20261124030000", [], NOON),  # of a cluster
    ],
)
def test_a_version_has_the_name_of_its_run_if_it_is_higher(
    tmp_path: Path, run_id: str, there: list[int], version: int
) -> None:
    for name in there:
        (tmp_path / "serving" / str(name)).mkdir(parents=True)
    found = pushed(tmp_path, run_id=run_id)
    assert found.get_string_custom_property("pushed_version") == str(version)


def test_a_model_that_is_not_blessed_is_not_pushed(tmp_path: Path) -> None:
    assert pushed(tmp_path, blessed=0).get_int_custom_property("pushed") == 0
    assert not (tmp_path / "serving").exists()
