"""Reports and cards of runs that a real metadata store knows."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.config import Config
from pipeline.failures import WrongCommandError
from pipeline.local import metadata_store, report_command, run_command
from pipeline.local.releases.bless_command import bless
from pipeline.results.report import page
from tests.pipeline.local.releases.nights import Nights
from tests.pipeline.results.report.made_up import result
from trainer_module.errors import InputError

A, B, C = (f"2026112{number}03000{number}" for number in range(1, 4))


def run(nights: Nights, name: str, *, passes: bool = True) -> None:
    """One with figures."""
    nights.run(name, passes=passes)
    status = metadata_store.BLESSED if passes else metadata_store.NOT_BLESSED
    figures = result(run=name, model_of=name, blessed=passes, verdict=f"said of {name}")
    metadata_store.end_run(nights.store, name, status, figures)


def report(nights: Nights, said: str, to: Path | None = None) -> Path:
    return report_command.report(Config(), nights.output, said, to)


def test_the_last_run_has_report_html_and_an_earlier_one_a_file_of_its_name(
    nights: Nights,
) -> None:
    run(nights, A)
    run(nights, B, passes=False)
    assert report(nights, "last") == nights.output.root / "report.html"
    assert f"Not blessed: run {B}" in nights.output.report.read_text()
    # It has the runs before it and none after.
    earlier = report(nights, A)
    assert earlier == nights.output.root / "reports" / f"{A}.html"
    assert f"Blessed: run {A}" in earlier.read_text()
    assert B not in earlier.read_text()


def test_a_file_of_any_name(nights: Nights, tmp_path: Path) -> None:
    run(nights, A)
    assert report(nights, A, tmp_path / "new" / "a.html").exists()
    assert not nights.output.report.exists()


def test_last_is_the_last_run_with_figures(nights: Nights) -> None:
    run(nights, A)
    nights.begin(B)
    assert report(nights, "last") == nights.output.report
    assert A in nights.output.report.read_text()


def test_a_run_without_figures(nights: Nights) -> None:
    run(nights, A)
    nights.begin(B)
    metadata_store.end_run(nights.store, B, "failed", {"error": "the disk is full"})
    with pytest.raises(InputError, match=f"^run {B} came to no figures, it is failed .the disk"):
        report(nights, B)
    with pytest.raises(WrongCommandError, match=r"^x is no run; the nearest is 2026"):
        report(nights, "x")


def test_the_card_is_that_of_the_model_whose_vectors_lie_there(nights: Nights) -> None:
    run(nights, A)
    report_command.after_run(nights.location, nights.output)
    card = nights.output.vectors / "MODEL_CARD.md"
    assert f"skipgram-{A}" in card.read_text()
    assert "`vectors.bin`" in card.read_text()
    assert "`MODEL_CARD.md`" not in card.read_text()
    run(nights, B, passes=False)
    report_command.after_run(nights.location, nights.output)
    assert f"skipgram-{A}" in card.read_text()
    assert f"Not blessed: run {B}" in nights.output.report.read_text()
    run(nights, C)
    report_command.after_run(nights.location, nights.output)
    assert f"skipgram-{C}" in card.read_text()


def test_what_a_person_has_blessed_is_said_and_has_a_card(nights: Nights) -> None:
    run(nights, A)
    run(nights, B, passes=False)
    bless(Config(), nights.output, B, "ann", "it is fine")
    assert f"skipgram-{B}" in (nights.output.vectors / "MODEL_CARD.md").read_text()
    text = report(nights, B).read_text()
    assert f"<title>Blessed: run {B}</title>" in text
    assert "It was blessed by ann on " in text


def test_without_a_blessed_model_there_is_no_card(nights: Nights) -> None:
    run(nights, A, passes=False)
    report_command.after_run(nights.location, nights.output)
    assert nights.output.report.exists()
    assert not nights.output.vectors.exists()


def test_a_page_that_cannot_be_drawn_loses_no_run(
    nights: Nights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(nights, A)

    def fail(*_: object) -> None:
        raise ValueError("no pen")

    monkeypatch.setattr(page, "write", fail)
    console = Console(file=io.StringIO(), width=200)
    run_command._leave_report(nights.location, nights.output, tmp_path, console)
    assert console.file.getvalue() == (  # type: ignore[attr-defined]
        "Report ...\n"
        "  warning: no report was written, `skipgram report` tries again: ValueError: no pen\n"
    )


def test_two_runs_side_by_side(nights: Nights) -> None:
    run(nights, A)
    run(nights, B)
    found = report_command.compare(Config(), nights.output, A, "last")
    assert (found.first.name, found.second.name) == (A, B)
