"""What a run refuses before anything is imported or read."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipeline.config import Config, MetadataConfig
from pipeline.failures import WrongCommandError
from pipeline.local import metadata_store, run_command
from pipeline.local.output_folder import OutputFolder


def noted(output: OutputFolder, *runs: tuple[str, str | None]) -> None:
    """Runs by their status and kind, in their order."""
    location = metadata_store.store_location(MetadataConfig(), output)
    store = metadata_store.open_store(location.connection)
    for number, (status, kind) in enumerate(runs):
        run_id = f"2026112{number}030000"
        result = {"configuration": {"corpus": {"kind": kind}}} if kind else {"error": "it failed"}
        metadata_store.begin_run(store, location.pipeline_name, run_id, "a.txt")
        metadata_store.end_run(store, run_id, status, result)


def run(output: OutputFolder, **settings: Any) -> None:
    config = Config.model_validate({"corpus": settings})
    run_command.run(config, None, output, Console(file=io.StringIO()))


def test_a_corpus_of_another_kind_than_the_last_blessed_one(tmp_path: Path) -> None:
    output = OutputFolder(tmp_path / "out")
    with output.locked():
        noted(output, ("blessed", "text"), ("blessed", "edges"), ("failed", None))
    with pytest.raises(WrongCommandError) as caught:
        run(output, kind="sessions")
    assert str(caught.value) == (
        "this corpus is of corpus.kind=sessions, and the last blessed run's was of "
        "corpus.kind=edges: give each kind an --output of its own"
    )
    assert not output.artifacts.exists()
