"""`skipgram tune` on a small corpus: killed, again, undisturbed, and what `run` makes of it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from components.hyperparameter_tuner.records import SEARCH_FILE
from pipeline import config_file
from pipeline.config import Config
from tests.end_to_end.commands import Skipgram
from tests.end_to_end.test_run_again import kill, wait_until, wait_until_gone

pytestmark = pytest.mark.slow

SETTINGS = (
    "preprocessing.subsample=0",
    "trainer.dim=16",
    "trainer.batch_size=256",
    "trainer.epochs=4",
    "trainer.learning_rate=0.025",
)


def tune(corpus: Path, output: Path, trials: int = 3) -> list[str]:
    given = [word for setting in SETTINGS for word in ("--set", setting)]
    options = ["--output", str(output), "--trials", str(trials), "--sample", "0.5"]
    return ["tune", "--corpus", str(corpus), *options, *given]


def search_in(output: Path) -> dict[str, Any]:
    """What the last Tuner wrote, but for how long it took."""
    paths = (output / "artifacts" / "Tuner" / "tuner_results").glob(f"*/{SEARCH_FILE}")
    last = max(paths, key=lambda path: int(path.parent.name))
    found: dict[str, Any] = json.loads(last.read_text())
    for trial in found["trials"]:
        assert trial.pop("cpu_seconds") > 0
    return found


def found_in(output: Path) -> Config:
    return config_file.load(output / "tuned.yaml")


def records(output: Path) -> dict[str, tuple[int, int]]:
    """The trials that have ended, and what changes with a file that is written again."""
    paths = output.glob("tuning/*/trial-*.json")
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def test_a_killed_search_goes_on_and_a_run_takes_what_it_found(
    corpus: Path, skipgram: Skipgram, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    killed = skipgram.start(*tune(corpus, output))
    wait_until(lambda: bool(records(output)), killed)
    kill(killed)
    wait_until_gone(output)
    ended_before = records(output)
    assert 1 <= len(ended_before) < 3
    assert not (output / "tuned.yaml").exists()

    ended = skipgram(*tune(corpus, output))
    assert ended.code == 0, ended.stderr
    assert "held-out pairs" in ended.stdout
    assert len(records(output)) == 3
    assert ended_before.items() <= records(output).items()
    search, found = search_in(output), found_in(output)

    # The first trial is what is set, and the best one is what was written.
    first, *_ = search["trials"]
    assert first["values"]["trainer.learning_rate"] == 0.025
    assert first["values"]["preprocessing.window"] == 5
    best = max(search["trials"], key=lambda trial: trial["measure"])
    for name, value in best["values"].items():
        section, _, field = name.partition(".")
        assert getattr(getattr(found, section), field) == value
    assert found.trainer.dim == 16

    # As it would have been without the kill; what comes before the Tuner is cached.
    shutil.rmtree(output / "tuning")
    shutil.rmtree(output / "artifacts" / "Tuner")
    ended = skipgram(*tune(corpus, output))
    assert ended.code == 0, ended.stderr
    assert search_in(output) == search
    assert found_in(output) == found

    ran = skipgram("run", "--config", str(output / "tuned.yaml"), "--output", str(output))
    assert ran.code in (0, 3), ran.stderr
    summary = json.loads((output / "summary.json").read_text())
    assert "TextExampleGen" in summary["cached"]
    assert summary["configuration"]["trainer"]["learning_rate"] == found.trainer.learning_rate
    # A search is no run.
    runs = skipgram("runs", "--output", str(output)).stdout
    assert "tune" not in runs
