"""What somebody removed or damaged in an output folder is there again when a run says so."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.end_to_end.commands import Ended, run_arguments
from tests.end_to_end.test_run_again import wait_until, wait_until_gone

pytestmark = pytest.mark.slow

SETTINGS = ("trainer.epochs=2", "evaluator.min_gain_over_unigram=-10")


class Finished(NamedTuple):
    """A run that has ended well, and what it must leave after each other one."""

    output: Path
    again: Callable[[], Ended]
    vectors: dict[str, bytes]
    model: dict[str, bytes]
    version: str


def exported(output: Path) -> dict[str, bytes]:
    """The vectors, without the names of their run and of their version."""
    files = files_below(output / "vectors")
    assert b"model-index:" in files.pop("MODEL_CARD.md")  # it names the run
    assert set(json.loads(files.pop("run.json"))) == {"run", "version"}
    return files


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def finished(corpus: Path, skipgram, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    output = tmp_path_factory.mktemp("finished") / "output"
    arguments = run_arguments(corpus, output, *SETTINGS)
    assert skipgram(*arguments).code == 0
    [version] = (output / "serving").iterdir()
    return Finished(
        output,
        lambda: skipgram(*arguments),
        exported(output),
        files_below(version),
        version.name,
    )


def assert_all_is_there(finished: Finished) -> None:
    assert exported(finished.output) == finished.vectors
    newest = max((finished.output / "serving").iterdir(), key=lambda folder: int(folder.name))
    assert files_below(newest).keys() == finished.model.keys()
    assert files_below(newest / "assets") == {
        name.removeprefix("assets/"): content
        for name, content in finished.model.items()
        if name.startswith("assets/")
    }


def test_a_served_model_is_restored_as_it_was_pushed(finished: Finished) -> None:
    shutil.rmtree(finished.output / "serving")
    own = finished.output / "checkpoints" / "mine" / "model.pt"
    own.parent.mkdir(parents=True)
    own.write_text("weeks of work")
    ended = finished.again()
    assert ended.code == 0, ended.stderr
    assert "All components are cached" in ended.stdout
    version = finished.output / "serving" / finished.version
    assert f"warning: {version} was not as it was pushed" in ended.stdout
    assert files_below(finished.output / "serving") == {
        f"{finished.version}/{name}": content for name, content in finished.model.items()
    }
    # A user's own, where the Trainer had its own.
    assert own.read_text() == "weeks of work"
    shutil.rmtree(finished.output / "checkpoints")


def test_what_made_a_damaged_artifact_runs_again(finished: Finished) -> None:
    [examples, *_] = finished.output.glob(
        "artifacts/Transform/transformed_examples/*/Split-train/*.gz"
    )
    os.truncate(examples, examples.stat().st_size // 2)
    (finished.output / "vectors" / "vectors.bin").unlink()
    ended = finished.again()
    assert ended.code == 0, ended.stderr
    warned = [line for line in ended.stdout.splitlines() if "warning: " in line]
    assert [line.split("/artifacts/")[1].split("/")[0] for line in warned] == [
        "Transform",
        "EmbeddingExporter",
    ]
    summary = json.loads((finished.output / "summary.json").read_text())
    assert {"TextExampleGen", "StatisticsGen", "CuratedSchema"} <= set(summary["cached"])
    assert not {"Transform", "EmbeddingExporter"} & set(summary["cached"])
    assert exported(finished.output) == finished.vectors


def test_what_a_disk_has_lost_is_named_and_made_anew(
    finished: Finished, corpus: Path, skipgram
) -> None:
    [examples] = finished.output.glob("artifacts/TextExampleGen/examples/*/Split-train/*-00000-*")
    content, times = bytearray(examples.read_bytes()), examples.stat()
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    examples.write_bytes(content)
    os.utime(examples, ns=(times.st_atime_ns, times.st_mtime_ns))
    # Another subsampling, so that Transform reads them.
    arguments = run_arguments(corpus, finished.output, *SETTINGS, "preprocessing.subsample=0.5")
    ended = skipgram(*arguments)
    assert ended.code == 1
    assert ended.stderr.startswith("skipgram: Transform failed: ")
    folder = examples.parent.parent
    assert f" {folder} is damaged: Split-train/{examples.name} has another" in ended.stderr
    assert ": the same command makes it anew (log: " in ended.stderr
    ended = skipgram(*arguments)
    assert ended.code == 0, ended.stderr


def test_a_model_that_is_gone_is_no_baseline_and_a_version_is_the_highest(
    finished: Finished, corpus: Path, skipgram
) -> None:
    for folder in finished.output.glob("artifacts/EmbeddingAligner/aligned_model/*"):
        shutil.rmtree(folder)
    # As if the clock had gone back since the last push.
    (finished.output / "serving" / "99999999999999").mkdir()
    ended = skipgram(*run_arguments(corpus, finished.output, *SETTINGS, "trainer.dim=8"))
    assert ended.code == 0, ended.stdout + ended.stderr
    assert (finished.output / "serving" / "100000000000000" / "saved_model.pb").exists()


def test_what_is_not_of_a_run_is_said_before_the_work(
    finished: Finished, corpus: Path, skipgram, tmp_path: Path
) -> None:
    for name in ("vectors", "summary.json"):
        output = tmp_path / name
        (output / name).mkdir(parents=True)
        ended = skipgram(*run_arguments(corpus, output, *SETTINGS))
        assert ended.code == 2
        assert ended.stderr.startswith(f"skipgram: {output / name} is no ")
        assert ended.stdout == ""


@pytest.mark.parametrize(("where", "whom"), [("Transform", "run"), ("Trainer", "all")])
def test_sigterm_ends_a_run_as_ctrl_c_does(
    corpus: Path, skipgram, tmp_path: Path, where: str, whom: str
) -> None:
    output = tmp_path / "output"
    started = skipgram.start(*run_arguments(corpus, output, "trainer.workers=2"))
    log = f"logs/*/{where}.log"
    wait_until(lambda: any(path.stat().st_size for path in output.glob(log)), started)
    if whom == "all":
        for child in children_of(started.process.pid):
            os.kill(child, signal.SIGTERM)
    os.kill(started.process.pid, signal.SIGTERM)
    ended = started.wait()
    assert ended.code == 143
    assert ended.stderr.strip().startswith("skipgram: interrupted; the same command goes on")
    wait_until_gone(output)
    runs = skipgram("runs", "--output", str(output)).stdout
    assert "failed: interrupted" in runs


def children_of(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
