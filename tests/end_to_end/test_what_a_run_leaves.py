"""One whole run in an empty home and an empty temporary folder, with all that Beam logs."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.end_to_end.commands import run_arguments

pytestmark = pytest.mark.slow

LOUD_LOGGING = Path(__file__).with_name("loud_logging")
BEAM_COMPONENTS = ("TextExampleGen", "StatisticsGen", "Transform", "Evaluator")


class Place(NamedTuple):
    home: Path
    temporary: Path
    output: Path


@pytest.fixture(scope="module")
def place(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    root = tmp_path_factory.mktemp("place")
    place = Place(*(root / name for name in Place._fields))
    for folder in (place.home, place.temporary):
        folder.mkdir()
    ended = subprocess.run(
        [
            Path(sys.executable).with_name("skipgram"),
            *run_arguments(corpus, place.output, "trainer.epochs=12"),
        ],
        env={
            **os.environ,
            "HOME": str(place.home),
            "TMPDIR": str(place.temporary),
            "PYTHONPATH": os.pathsep.join([str(LOUD_LOGGING), os.environ.get("PYTHONPATH", "")]),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return place


def test_nothing_is_left_outside_the_output_folder(place: Place) -> None:
    assert list(place.temporary.iterdir()) == []
    # What Matplotlib and Keras keep once for all runs; Beam would keep the program Prism there.
    assert {path.name for path in place.home.iterdir()} <= {".cache", ".config", ".keras"}
    kept = [path for path in place.home.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) < 1_000_000
    assert not (place.output / ".temporary").exists()


def test_no_component_asks_the_switch_that_would_download_prism(place: Place) -> None:
    logs = {path.stem: path.read_text() for path in place.output.glob("logs/*/*.log")}
    for component in BEAM_COMPONENTS:
        # It is loud enough that the switch would be heard.
        assert "INFO:apache_beam.runners." in logs[component]
    assert [name for name, log in logs.items() if "prism" in log.lower()] == []
