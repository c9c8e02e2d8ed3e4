"""The summary of a run as tables: what a person needs, and nothing that is as it should be."""

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from components.embedding_evaluator.metric_list import METRICS, Unit, label
from pipeline.results.records import READ_OF_KIND, Summary, copies_label
from pipeline.terminal import shown
from trainer_module.objective_table import OBJECTIVES
from trainer_module.training.record import Evaluation

if TYPE_CHECKING:
    from pipeline.results.embeddings import Embeddings

_SHOWN_WORDS = 8
_SHOWN_NEIGHBORS = 6
_SHOWN_EVALUATIONS = 10
# The Evaluator's metrics that people see, in their order; summary.json has all. A standard error
# stands beside what it is of.
_SEEN = tuple(one for one in METRICS if one.on_screen and one.shown and not one.is_error)

# A label and what stands beside it.
Row = tuple[str, str]


def whole(number: float) -> str:
    """A count."""
    return f"{number:,.0f}"


def decimal(number: float) -> str:
    """A loss."""
    return f"{number:,.4f}"


def add_row(table: Table, *cells: str | Text) -> None:
    """Adds cells as they are: rich would take [b] and :heart: in a token or a path for its own."""
    table.add_row(*(cell if isinstance(cell, Text) else Text(shown(cell)) for cell in cells))


def summary_table(summary: Summary) -> Table:
    """A summary, one line a figure; the time is that of all components together."""
    table = _two_columns("Summary")
    parts = _corpus(summary), _training(summary), _figures(summary.metrics), _sets(summary)
    _add_parts(table, [[("run", summary.run)], *map(list, parts)])
    # It stands out on a screen without colours too.
    no = Text("NO, and not pushed", "bold red")
    add_row(table, "blessed", Text("yes", "green") if summary.blessed else no)
    return table


def metrics_table(metrics: Mapping[str, float]) -> Table:
    """What the Evaluator found."""
    table = _two_columns("Evaluation")
    _add_parts(table, [list(_figures(metrics))])
    return table


def _two_columns(title: str) -> Table:
    return Table(title=title, show_header=False, title_justify="left")


def _add_parts(table: Table, parts: Sequence[Sequence[Row]]) -> None:
    """With a line below each."""
    for part in filter(None, parts):
        for row in part:
            add_row(table, *row)
        table.add_section()


def _corpus(summary: Summary) -> Iterator[Row]:
    yield (
        "documents",
        f"{whole(summary.documents)}, {whole(summary.documents_eval)} of them held out",
    )
    yield from ((READ_OF_KIND[name], whole(n)) for name, n in (summary.read or {}).items())
    yield "tokens", whole(summary.tokens)
    left_out = summary.distinct_tokens_left_out
    rarer = f", {whole(left_out)} rarer ones left out" if left_out else ""
    contexts = summary.num_contexts
    known = f"targets, {whole(contexts)} contexts" if contexts else "tokens"
    yield "vocabulary", f"{whole(summary.vocabulary_size)} {known}{rarer}"
    unusual = {
        copies_label(summary.read or {}): summary.copies_eval,
        "replaced characters": summary.replaced_characters,
        "empty lines": summary.empty_lines,
    }
    yield from ((name, whole(number)) for name, number in unusual.items() if number)


def _training(summary: Summary) -> Iterator[Row]:
    yield "objective", summary.objective
    if taken := summary.warm_start:
        counts = f"{whole(taken.taken_over)} taken over, {whole(taken.new)} new"
        yield "warm start", f"{counts}, {whole(taken.dropped)} dropped"
    several = {"seed": summary.seed, "workers": summary.workers, "threads": summary.threads}
    yield from ((name, whole(number)) for name, number in several.items() if number != 1)
    yield "training pairs", whole(summary.pairs_train)
    yield "held-out pairs", whole(summary.pairs_eval)
    yield "training loss", f"{decimal(summary.train_loss)} nats"
    yield "speed", f"{whole(summary.pairs_per_second)} pairs/s"
    yield "time", f"{sum(summary.seconds.values()):,.1f} s"


def _figures(metrics: Mapping[str, float]) -> Iterator[Row]:
    """Those that people see, with their standard errors where they have one."""
    for one in _SEEN:
        if one.name in metrics:
            error = metrics.get(f"{one.name}_error", 0.0)
            yield label(one.name), figure(metrics[one.name], one.unit, error)


def figure(value: float, unit: Unit, error: float = 0.0) -> str:
    """A metric's value for people, with its standard error unless that is 0.

    >>> figure(7.12345, "nats"), figure(-0.054, "nats", 0.00304), figure(1881.734, "contexts")
    ('7.1235 nats', '-0.0540 +- 0.0030 nats', '1,881.7')
    >>> figure(0.12345, "share"), figure(0.5, "share", 0.0123), figure(1234.0, "pairs")
    ('12.3%', '50.0% +- 1.2%', '1,234')
    """
    form, ending = _FORMS[unit]
    margin = f" +- {form.format(error)}" if error else ""
    return f"{form.format(value)}{margin}{ending}"


# By unit: how a number is written, and what follows it.
_FORMS: Mapping[Unit, tuple[str, str]] = {
    "nats": ("{:,.4f}", " nats"),
    "share": ("{:.1%}", ""),
    "rank": ("{:,.1f}", ""),
    "contexts": ("{:,.1f}", ""),
    "pairs": ("{:,.0f}", ""),
    "1": ("{:,.4f}", ""),
}


def _sets(summary: Summary) -> Iterator[Row]:
    """Of sets of word pairs, of analogies and of exports, where these were asked for."""
    content = summary.as_json()
    for name, found in content.get("similarity", {}).items():
        known = f"{whole(found['known_pairs'])} of {whole(found['pairs'])} pairs known"
        yield f"similarity {name}", f"{found['spearman']:.3f} Spearman, {known}"
    for name, found in content.get("analogies", {}).items():
        known = f"{whole(found['known_questions'])} of {whole(found['questions'])} questions known"
        right = {"3CosAdd": found["cos_add"], "3CosMul": found["cos_mul"]}
        shares = [f"{by} {share:.1%}" for by, share in right.items() if share is not None]
        yield f"analogies {name}", ", ".join([*shares, known])
    for name, found in content.get("exports", {}).items():
        if "recall_at_10" in found:
            yield f"{name} recall at 10", f"{found['recall_at_10']:.2%}"


def evaluations_table(summary: Summary) -> Table:
    """The held-out full cross-entropies at points during training; ten at most."""
    taken = summary.evaluations
    kept = [at for at, found in enumerate(taken) if found.step == summary.kept_step]
    softmax = OBJECTIVES[summary.objective].family == "softmax"
    best = min(range(len(taken)), key=lambda at: taken[at].of_family(softmax=softmax))
    marks = {best: " (best)"} | dict.fromkeys(kept, " (kept)")
    chosen = evenly(len(taken), _SHOWN_EVALUATIONS, marks.keys())
    some = f", {len(chosen)} of {len(taken)} evaluations" if len(chosen) < len(taken) else ""
    table = Table(
        *("step", "full softmax CE", "full sigmoid CE"),
        title=f"Held out (nats){some}",
        title_justify="left",
    )
    for at in chosen:
        _add_evaluation(table, taken[at], marks.get(at, ""))
    return table


def _add_evaluation(table: Table, found: Evaluation, mark: str) -> None:
    add_row(table, whole(found.step) + mark, decimal(found.softmax), decimal(found.sigmoid))


def evenly(length: int, most: int, always: Set[int]) -> list[int]:
    """Positions in a list: the first, the last, some that are wanted, and others evenly between.

    A wanted one takes the place of the nearest that is not.

    >>> evenly(9, 5, {7}), evenly(3, 5, {1})
    ([0, 2, 4, 7, 8], [0, 1, 2])
    """
    if length <= most:
        return list(range(length))
    chosen = {round(nth * (length - 1) / (most - 1)) for nth in range(most)}
    wanted = always | {0, length - 1}
    for position in sorted(wanted - chosen):
        chosen.remove(min(chosen - wanted, key=lambda other: (abs(other - position), other)))
        chosen.add(position)
    return sorted(chosen)


def approximation_table(summary: Summary) -> Table:
    """The sampled loss at several numbers of candidates, beside the full one."""
    table = Table("candidates", "loss (nats)", title="What sampling gives", title_justify="left")
    for number, loss in summary.sampled_losses.items():
        add_row(table, number, decimal(loss))
    classes = summary.num_contexts or summary.vocabulary_size
    add_row(table, f"all {whole(classes)}", decimal(summary.full_loss))
    return table


def neighbors_table(vectors: "Embeddings") -> Table:
    """The nearest neighbours of a few frequent tokens."""
    table = Table("token", "nearest neighbours", title="Neighbours", title_justify="left")
    for word in vectors.frequent_words(_SHOWN_WORDS):
        found = vectors.neighbors(word, _SHOWN_NEIGHBORS)
        add_row(table, word, ", ".join(neighbor.token for neighbor in found))
    return table
