"""What people see: progress and runs."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Column, Table
from rich.text import Text

from pipeline.results.records import (
    ComponentProgress,
    ComponentRun,
    ComponentWarning,
    RunRecord,
)
from pipeline.results.summary_tables import add_row, decimal
from pipeline.terminal import shown

# Between two lines of progress where no terminal can redraw one.
_SECONDS_BETWEEN_LINES = 15.0


class ProgressDisplay:
    """Shows the components as they run: redrawn on a terminal, line by line elsewhere.

    Without a thread of its own, because components are forked from the process that shows them.
    """

    def __init__(self, console: Console):
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, news: ComponentProgress | ComponentWarning | ComponentRun) -> None:
        """Shows how a component stands, what it warns of, or that it has ended."""
        if isinstance(news, ComponentRun):
            how = "cached" if news.cached else f"{news.seconds:.1f} s"
            self._print(Text(f"  {news.component:<18}{how:>10}"))
            return
        if isinstance(news, ComponentWarning):
            self._print(warning(f"{news.component}: {news.sentence}"))
            return
        text = Text(f"  {news.component:<18}{news.seconds:8.0f} s  {shown(news.line)}")
        if self._console.is_terminal:
            self._live.update(text, refresh=True)
        elif time.monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._print(text)

    def _print(self, text: Text) -> None:
        self._last_line = time.monotonic()
        if self._console.is_terminal:
            self._live.update(Text(""), refresh=True)
        self._console.print(text, highlight=False, soft_wrap=True)


def warning(sentence: str) -> Text:
    """What people must see of a run that goes on."""
    return Text(f"  warning: {shown(sentence)}")


def runs_table(records: Sequence[RunRecord], served: str | None) -> Table:
    """Runs, the last one first.

    Args:
      records: of them.
      served: the name of the run whose model is the last blessed one.
    """
    table = Table(
        Column("run", no_wrap=True),
        Column("corpus", overflow="fold"),  # a long path is broken; rich would cut it off
        Column("objective", overflow="fold"),
        "softmax CE",
        "unigram CE",
        Column("result", min_width=len("not blessed"), overflow="fold"),
        box=box.SIMPLE_HEAD,  # fits into 80 columns
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for record in records:
        add_row(
            table,
            record.name,
            record.corpus,
            record.objective or "",
            _decimal_if_any(record.full_softmax_cross_entropy),
            _decimal_if_any(record.unigram_cross_entropy),
            _result(record.status, is_served=record.name == served),
        )
    return table


def _result(status: str, *, is_served: bool) -> Text:
    """How a run ended; what needs a person stands out."""
    style = {"not blessed": "bold red", "failed": "red"}.get(status, "")
    return Text(shown(status + (", served" if is_served else "")), style)


def _decimal_if_any(number: float | None) -> str:
    return "" if number is None else decimal(number)


def why_failed(records: Sequence[RunRecord]) -> list[Text]:
    """A line for each failed run: in a column of the table a sentence would be a ribbon."""
    return [
        Text(shown(f"{record.name} {record.status}: {record.error}"))
        for record in records
        if record.error is not None
    ]
