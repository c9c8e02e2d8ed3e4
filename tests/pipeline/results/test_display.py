import datetime
import io
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from pipeline.results import display
from pipeline.results.embeddings import Embeddings, Neighbor
from pipeline.results.records import ComponentProgress, ComponentRun, ComponentWarning, RunRecord
from tests.pipeline.results.summaries import SUMMARY
from trainer_module.training.record import WarmStart


def printed(what: Any, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(what)
    return console.file.getvalue()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("│")[1:-1]]


def rows(table: Any) -> list[list[str]]:
    """The rows of a printed table below its header."""
    return [cells(line) for line in printed(table).splitlines() if line.startswith("│")]


CONTROLS, SHOWN = "\x1b[2Ja\u202eb", r"\x1b[2Ja\u202eb"


class TestControlCharacters:
    """Of tokens, names of files, settings and messages: at no door do they reach the terminal."""

    def test_of_tokens(self):
        table = display.ranking(CONTROLS, [Neighbor(CONTROLS, 0.5)])
        assert rows(table) == [[SHOWN, "0.500"]]
        assert "\x1b" not in printed(table)
        vectors = Embeddings(["word", CONTROLS], np.eye(2), [2, 1])
        assert rows(display.neighbors_table(vectors)) == [["word", SHOWN]]

    def test_of_a_summary(self):
        table = display.summary_table(replace(SUMMARY, run=CONTROLS))
        assert rows(table)[0] == ["run", SHOWN]

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


class TestSummaryTable:
    def test_has_a_line_a_figure_in_the_order_of_the_summary(self):
        assert rows(display.summary_table(SUMMARY)) == [
            ["run", "2026-07-01T10:00:00.000"],
            ["documents", "1,234,567"],
            ["documents_eval", "61,728"],
            ["copies_eval", "1,203"],
            ["tokens", "9,876,543"],
            ["vocabulary_size", "18,984"],
            ["distinct_tokens_left_out", "40,123"],
            ["pairs_train", "50,000,000"],
            ["pairs_eval", "2,600,000"],
            ["objective", "nce"],
            ["seed", "1,001"],
            ["train_loss", "1,234.5679"],
            ["full_softmax_cross_entropy", "7.2500"],
            ["full_sigmoid_cross_entropy", "8.1250"],
            ["raw_full_softmax_cross_entropy", "7.0000"],
            ["raw_full_sigmoid_cross_entropy", "8.0000"],
            ["perplexity", "0.5000"],
            ["unigram_cross_entropy", "7.8000"],
            ["blessed", "yes"],
            ["replaced_characters", "12"],
            ["empty_lines", "0"],
            ["workers", "2"],
            ["threads", "4"],
            ["pairs_per_second", "400,000"],
            ["seconds", "1,061.8"],
        ]

    def test_says_no_where_it_is_not_blessed(self):
        shown = rows(display.summary_table(replace(SUMMARY, blessed=False)))
        assert ["blessed", "no"] in shown

    def test_says_what_a_warm_run_took_over(self):
        warm = replace(SUMMARY, warm_start=WarmStart(taken_over=9000, new=2, dropped=1))
        line = ["warm_start", "9,000 taken over, 2 new, 1 dropped"]
        assert line in rows(display.summary_table(warm))


def test_evaluations_table_shows_the_steps_and_which_is_kept():
    assert rows(display.evaluations_table(SUMMARY)) == [
        ["800", "7.6123", "8.5000"],
        ["1,600 (kept)", "7.5000", "8.4124"],
    ]
    assert rows(display.evaluations_table(replace(SUMMARY, kept_step=800)))[0][0] == "800 (kept)"


def test_evaluations_table_marks_none_where_the_model_of_the_end_is_another():
    assert "kept" not in printed(display.evaluations_table(replace(SUMMARY, kept_step=1700)))


def test_approximation_table_ends_with_the_whole_vocabulary():
    assert rows(display.approximation_table(SUMMARY)) == [
        ["5", "1.2346"],
        ["500", "4.0000"],
        ["all 18,984", "8.4124"],
    ]


def test_approximation_table_of_a_tiny_vocabulary_has_the_full_loss_alone():
    tiny = replace(SUMMARY, vocabulary_size=4, sampled_losses={})
    assert rows(display.approximation_table(tiny)) == [["all 4", "8.4124"]]


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


def test_ranking_shows_tokens_with_cosines():
    table = display.ranking("king", [Neighbor("queen", 0.81266), Neighbor("größe", -1.0)])
    assert rows(table) == [["queen", "0.813"], ["größe", "-1.000"]]
    assert "king" in printed(table).splitlines()[1]


def test_neighbors_table_shows_frequent_words_with_theirs():
    tokens = ["time", "life", "day"]
    vectors = np.array([[1, 0], [1, 1], [0, 1]], np.float32)
    table = display.neighbors_table(Embeddings(tokens, vectors))
    assert rows(table) == [["time", "life, day"], ["life", "time, day"]]


@pytest.mark.parametrize("token", ["[b]", "[/b]", "[/]", "[red]x[/red]", ":heart:", "a[0]", "\\["])
def test_tokens_and_paths_are_shown_as_they_are(token):
    ranking = display.ranking(token, [Neighbor(token, 0.5)])
    assert token in printed(ranking).splitlines()[1]
    assert rows(ranking) == [[token, "0.500"]]
    assert f" {token} " in printed(display.runs_table([record(corpus=token)], None))
    assert rows(display.summary_table(replace(SUMMARY, run=token)))[0] == ["run", token]


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
