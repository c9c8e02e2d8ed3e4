"""The runner, in a process that has imported TFX but not used TensorFlow, as the command is."""

import multiprocessing
import tempfile
from pathlib import Path
from typing import Any

import pytest

from pipeline.results.records import ComponentProgress, ComponentRun, ComponentWarning
from tests.pipeline.local import toy_pipeline

pytestmark = pytest.mark.slow

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(
    ["pipeline.graph", "pipeline.local.runner", "pipeline.results.summary"]
)


def run(folder: Path, how: str) -> tuple[str, str, list[Any]]:
    answer, sender = _server.Pipe(duplex=False)
    process = _server.Process(target=toy_pipeline.run, args=(folder, how, sender))
    process.start()
    sender.close()
    received: tuple[str, str, list[Any]] = answer.recv()
    process.join()
    return received


def test_a_component_ends_and_comes_from_the_cache_the_next_time(tmp_path: Path) -> None:
    how, _, reports = run(tmp_path, "well")
    assert how == "ended"
    *progress, done = reports
    assert all(isinstance(report, ComponentProgress) for report in progress)
    assert "on its way" in {report.line for report in progress}
    assert isinstance(done, ComponentRun)
    assert (done.component, done.cached) == ("Toy", False)
    assert 100e6 < done.peak_memory_bytes < 4e9  # with all that is imported
    _, _, [*_, again] = run(tmp_path, "well")
    assert again.cached
    assert (tmp_path / "logs" / "Toy.log").exists()


def test_what_a_component_leaves_in_its_temporary_folder_is_in_the_runs(tmp_path: Path) -> None:
    outside = tempfile.gettempdir()
    how, said, _ = run(tmp_path, "temporary_files")
    assert how == "ended", said
    assert len(list(tmp_path.glob("temporary/*/python"))) == 1
    assert len(list(tmp_path.glob("temporary/program.*"))) == 1
    # Of the components alone: not of the process that starts them.
    assert tempfile.gettempdir() == outside


def test_a_warning_is_passed_on_whatever_follows(tmp_path: Path) -> None:
    _, _, reports = run(tmp_path, "warning")
    assert [report for report in reports if isinstance(report, ComponentWarning)] == [
        ComponentWarning("Toy", "mind the toy")
    ]


def test_a_look_up_that_raises_has_not_found_nothing(tmp_path: Path) -> None:
    """TFX says so, and a gate that is given nothing to compare with lets all pass."""
    ended, sentence, _ = run(tmp_path, "broken_look_up")
    assert ended == "failed"
    assert sentence.endswith("LookUp did not find out what it was to look up")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("input_error", "the toy is broken: mend it"),
        ("killed", "the process of Toy was ended by SIGKILL"),
        ("long_trace", "RuntimeError: xxx"),
    ],
)
def test_a_component_that_fails_is_said_in_one_sentence(
    how: str, said: str, tmp_path: Path
) -> None:
    ended, sentence, reports = run(tmp_path, how)
    assert ended == "failed"
    assert sentence.startswith(said)
    assert len(sentence) < 400
    assert not any(isinstance(report, ComponentRun) for report in reports)
    # What it had begun is not taken for finished: the next run does not come from the cache.
    _, _, [*_, done] = run(tmp_path, "well")
    assert not done.cached
