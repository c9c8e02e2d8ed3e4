import datetime
import io
import time
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from pipeline.results import display
from pipeline.results.records import ComponentProgress, ComponentRun, ComponentWarning, RunRecord
from tests.pipeline.results.screens import CONTROLS, SHOWN, printed


class TestControlCharacters:
    """Of tokens, names of files, settings and messages: at no door do they reach the terminal."""

    def test_of_runs(self):
        started, error = datetime.datetime(2026, 7, 1), {"error": CONTROLS}
        failed = RunRecord("1", started, CONTROLS, "failed", error)
        assert SHOWN in printed(display.runs_table([failed], None))
        assert "\x1b" not in printed(display.runs_table([failed], None))
        assert display.why_failed([failed])[0].plain == f"1 failed: {SHOWN}"

    def test_of_what_a_component_prints(self):
        console = Console(file=io.StringIO(), width=200, force_terminal=True, color_system=None)
        with display.ProgressDisplay(console) as progress:
            progress.show(ComponentProgress("Trainer", 1.0, CONTROLS))
        assert SHOWN in console.file.getvalue()
        assert "\x1b[2J" not in console.file.getvalue()


def record(**changes: Any) -> RunRecord:
    given = {
        "run_id": "20260701090503",
        "started": datetime.datetime(2026, 7, 1, 9, 5, 3),
        "corpus": "books/*.txt",
        "status": "blessed",
        "result": {},
    }
    return RunRecord(**{**given, **changes})


RESULT = {
    "objective": "sampled_softmax",
    "full_softmax_cross_entropy": 7.12345,
    "unigram_cross_entropy": 8.0,
}


class TestRunsTable:
    def test_shows_which_on_what_and_with_which_result(self):
        [*_, row, _] = printed(display.runs_table([record(result=RESULT)], None)).splitlines()
        shown = ["20260701090503", "books/*.txt", "sampled_softmax", "7.1235", "8.0000"]
        assert row.split() == [*shown, "blessed"]

    def test_shows_whose_model_is_served(self):
        records = [record(run_id="20260702030000-0123456789ab"), record()]
        text = printed(display.runs_table(records, "20260702030000"))
        [*_, first, second, _] = text.splitlines()
        assert first.split() == ["20260702030000", "books/*.txt", "blessed,", "served"]
        assert second.split() == ["20260701090503", "books/*.txt", "blessed"]

    def test_shows_that_a_run_failed_and_below_why(self):
        failed = record(status="failed", result={"error": "no pairs"})
        [*_, row, _] = printed(display.runs_table([failed], None)).splitlines()
        assert row.split() == ["20260701090503", "books/*.txt", "failed"]
        [line] = display.why_failed([failed, record(result=RESULT)])
        assert line.plain == "20260701090503 failed: no pairs"

    def test_what_needs_a_person_stands_out(self):
        console = Console(
            file=io.StringIO(), width=99, force_terminal=True, color_system="standard"
        )
        states = ["blessed", "not blessed", "failed"]
        console.print(display.runs_table([record(status=status) for status in states], None))
        [_, _, _, *lines, _] = console.file.getvalue().splitlines()
        assert ["\x1b[31m" in line or "\x1b[1;31m" in line for line in lines] == [False, True, True]

    def test_keeps_the_order(self):
        text = printed(display.runs_table([record(corpus="b.txt"), record(corpus="a.txt")], None))
        assert text.index("b.txt") < text.index("a.txt")

    def test_loses_nothing_in_eighty_columns(self):
        path = "/".join("abcdefghijklmnopqrstuvwxyz")
        shown = record(corpus=path, status="not blessed", result=RESULT)
        text = printed(display.runs_table([shown], shown.name), width=80)
        assert max(map(len, text.splitlines())) <= 80
        header, *lines = [line.ljust(80) for line in text.splitlines() if line.strip()]
        start, end = header.index("corpus"), header.index("objective")
        assert "".join(line[start:end].strip() for line in lines[1:]) == path
        for word in ("20260701090503", "7.1235", "8.0000", "not blessed", "served"):
            assert word in text


@pytest.mark.parametrize("token", ["[b]", "[/b]", "[/]", "[red]x[/red]", ":heart:", "a[0]", "\\["])
def test_paths_are_shown_as_they_are(token):
    assert f" {token} " in printed(display.runs_table([record(corpus=token)], None))


def ended(component: str, seconds: float, *, cached: bool) -> ComponentRun:
    return ComponentRun(component, cached, seconds, peak_memory_bytes=1)


class TestProgressDisplayWithoutATerminal:
    @pytest.fixture
    def console(self) -> Console:
        return Console(file=io.StringIO(), width=80)

    @pytest.fixture
    def clock(self, monkeypatch):
        """A clock that stands still until it is set."""
        now = SimpleNamespace(seconds=1000.0)
        monkeypatch.setattr(time, "monotonic", lambda: now.seconds)
        return now

    def test_writes_a_line_when_a_component_has_ended(self, console):
        with display.ProgressDisplay(console) as progress:
            progress.show(ended("Transform", 12.34, cached=False))
            progress.show(ended("Trainer", 0.5, cached=True))
        lines = console.file.getvalue().splitlines()
        assert [line.split() for line in lines] == [
            ["Transform", "12.3", "s"],
            ["Trainer", "cached"],
        ]

    def test_writes_a_warning_whatever_follows(self, console):
        with display.ProgressDisplay(console) as progress:
            progress.show(
                ComponentWarning("Trainer", "the checkpoint /c [b] is damaged " + "x" * 99)
            )
            progress.show(ComponentProgress("Trainer", 1, "step 1"))
        assert console.file.getvalue() == (
            "  warning: Trainer: the checkpoint /c [b] is damaged " + "x" * 99 + "\n"
        )

    def test_says_little_while_a_component_runs(self, console, clock):
        with display.ProgressDisplay(console) as progress:
            for second in range(45):
                clock.seconds = 1000 + second
                progress.show(ComponentProgress("Trainer", second, f"step {second}"))
        lines = console.file.getvalue().splitlines()
        assert [line.split() for line in lines] == [
            ["Trainer", "15", "s", "step", "15"],
            ["Trainer", "30", "s", "step", "30"],
        ]

    def test_writes_nothing_that_only_a_terminal_understands(self, console, clock):
        with display.ProgressDisplay(console) as progress:
            clock.seconds += 100
            progress.show(
                ComponentProgress("Trainer", 100, "loss 1.5 [b]pairs[/b] :heart: " + "x" * 100)
            )
        text = console.file.getvalue()
        assert "\x1b" not in text
        assert text.endswith("loss 1.5 [b]pairs[/b] :heart: " + "x" * 100 + "\n")
        assert text.count("\n") == 1


class TestProgressDisplayOnATerminal:
    @pytest.fixture
    def console(self, monkeypatch) -> Console:
        monkeypatch.setenv("TERM", "xterm")
        return Console(file=io.StringIO(), width=80, force_terminal=True)

    def test_leaves_the_lines_of_what_has_ended(self, console):
        with display.ProgressDisplay(console) as progress:
            progress.show(ComponentProgress("Trainer", 1, "step 1"))
            progress.show(ended("Trainer", 2.0, cached=False))
        text = console.file.getvalue()
        assert text.index("step 1") < text.index("2.0 s")
        assert "\x1b[?25h" in text  # the cursor is shown again

    def test_gives_the_terminal_back_after_a_failure(self, console):
        def fail() -> None:
            with display.ProgressDisplay(console) as progress:
                progress.show(ComponentProgress("Trainer", 1, "step 1"))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
        text = console.file.getvalue()
        assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is shown again
