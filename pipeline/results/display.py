"""What people see: progress, tables."""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

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
    Summary,
)
from pipeline.terminal import shown

if TYPE_CHECKING:
    from pipeline.results.embeddings import Embeddings, Neighbor

# Between two lines of progress where no terminal can redraw one.
_SECONDS_BETWEEN_LINES = 15.0
_SHOWN_WORDS = 8
_SHOWN_NEIGHBORS = 6


def _whole(number: int) -> str:
    return f"{number:,}"


def _decimal(number: float) -> str:
    return f"{number:,.4f}"


def _yes_or_no(answer: bool) -> str:
    return "yes" if answer else "no"


def _tokens(counts: Mapping[str, int]) -> str:
    """Of a warm start."""
    taken_over, new, dropped = (_whole(counts[name]) for name in ("taken_over", "new", "dropped"))
    return f"{taken_over} taken over, {new} new, {dropped} dropped"


_Line = tuple[str, Callable[[Any], str]]
# The lines of the table of a summary, above the metrics and below: the field, and how it is shown.
_ABOVE_METRICS: tuple[_Line, ...] = (
    ("run", str),
    ("documents", _whole),
    ("documents_eval", _whole),
    ("copies_eval", _whole),
    ("tokens", _whole),
    ("vocabulary_size", _whole),
    ("distinct_tokens_left_out", _whole),
    ("pairs_train", _whole),
    ("pairs_eval", _whole),
    ("objective", str),
    ("seed", _whole),
    ("warm_start", _tokens),
    ("train_loss", _decimal),
)
_BELOW_METRICS: tuple[_Line, ...] = (
    ("blessed", _yes_or_no),
    ("replaced_characters", _whole),
    ("empty_lines", _whole),
    ("workers", _whole),
    ("threads", _whole),
    ("pairs_per_second", _whole),
)


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


def summary_table(summary: Summary) -> Table:
    """A summary, one line a figure; the last is the seconds of all components together."""
    table = Table(title="Summary", show_header=False, title_justify="left")
    content = summary.as_json()
    for name, as_text in _ABOVE_METRICS:
        if name in content:
            _add_row(table, name, as_text(content[name]))
    for name, value in summary.metrics.items():
        _add_row(table, name, _metric(name, value))
    for name, as_text in _BELOW_METRICS:
        _add_row(table, name, as_text(content[name]))
    _add_row(table, "seconds", f"{sum(summary.seconds.values()):,.1f}")
    return table


def _add_row(table: Table, *cells: str) -> None:
    """Adds cells as they are: rich would take [b] and :heart: in a token or a path for its own."""
    table.add_row(*(Text(shown(cell)) for cell in cells))


def metrics_table(metrics: Mapping[str, float]) -> Table:
    """What the Evaluator found."""
    table = Table(title="Evaluation", show_header=False, title_justify="left")
    for name, value in metrics.items():
        _add_row(table, name, _metric(name, value))
    return table


def _metric(name: str, value: float) -> str:
    # All that the Evaluator finds it writes as floats.
    return _whole(int(value)) if name.startswith("num_") else _decimal(value)


def evaluations_table(summary: Summary) -> Table:
    """The held-out full cross-entropies at points during training."""
    table = Table(
        "step", "full softmax CE", "full sigmoid CE", title="Held out", title_justify="left"
    )
    for found in summary.evaluations:
        kept = " (kept)" if found.step == summary.kept_step else ""
        _add_row(table, _whole(found.step) + kept, _decimal(found.softmax), _decimal(found.sigmoid))
    return table


def approximation_table(summary: Summary) -> Table:
    """The sampled loss at several numbers of candidates, beside the full one."""
    table = Table("candidates", "loss", title="What sampling gives", title_justify="left")
    for number, loss in summary.sampled_losses.items():
        _add_row(table, number, _decimal(loss))
    _add_row(table, f"all {_whole(summary.vocabulary_size)}", _decimal(summary.full_loss))
    return table


def neighbors_table(vectors: "Embeddings") -> Table:
    """The nearest neighbours of a few frequent words."""
    table = Table("word", "nearest neighbours", title="Neighbours", title_justify="left")
    for word in vectors.frequent_words(_SHOWN_WORDS):
        found = vectors.neighbors(word, _SHOWN_NEIGHBORS)
        _add_row(table, word, ", ".join(neighbor.token for neighbor in found))
    return table


def ranking(heading: str, found: "Sequence[Neighbor]") -> Table:
    """Tokens with their cosines."""
    table = Table(Column(Text(shown(heading))), "cosine")
    for neighbor in found:
        _add_row(table, neighbor.token, f"{neighbor.cosine:.3f}")
    return table


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
        _add_row(
            table,
            record.name,
            record.corpus,
            record.objective or "",
            _decimal_if_any(record.full_softmax_cross_entropy),
            _decimal_if_any(record.unigram_cross_entropy),
            record.status + (", served" if record.name == served else ""),
        )
    return table


def _decimal_if_any(number: float | None) -> str:
    return "" if number is None else _decimal(number)


def why_failed(records: Sequence[RunRecord]) -> list[Text]:
    """A line for each failed run: in a column of the table a sentence would be a ribbon."""
    return [
        Text(shown(f"{record.name} {record.status}: {record.error}"))
        for record in records
        if record.error is not None
    ]
