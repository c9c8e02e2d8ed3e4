"""What a search gave: its trials as a table, and the configuration of the best one as YAML."""

from collections.abc import Iterator, Mapping

import yaml
from rich import box
from rich.table import Column, Table

from components.embedding_evaluator.metric_list import label
from components.hyperparameter_tuner.records import Search
from components.hyperparameter_tuner.search_space import Value, with_values
from pipeline.config import Config
from pipeline.config_reference import commented, yaml_value
from pipeline.results.summary_tables import add_row, decimal
from pipeline.terminal import shown

# Of a file that a later search may write over.
FIRST_LINE = "# The best configuration that `skipgram tune` has found.\n"
# Standard errors from which on a difference is no chance; as the best of many is taken, three.
_ERRORS = 3


def trials_table(search: Search) -> Table:
    """The trials, the best one first; those of equal measures in their order."""
    table = Table(
        Column("trial", justify="right"),
        Column("measure", no_wrap=True),
        Column("gain", no_wrap=True),
        Column("CPU s", justify="right"),
        Column("by", overflow="fold"),
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    first = search.trials[0]
    numbered = enumerate(search.trials, 1)
    for number, trial in sorted(numbered, key=lambda one: -one[1].measure):
        is_compared = trial is not first and not trial.failure
        add_row(
            table,
            str(number),
            "failed" if trial.failure else decimal(trial.measure),
            "{:+.4f} +- {:.4f}".format(*trial.gain_over(first)) if is_compared else "",
            f"{trial.cpu_seconds:,.0f}",
            _settings(trial.values, {} if trial is first else first.values),
        )
    return table


def _settings(values: Mapping[str, Value], known: Mapping[str, Value]) -> str:
    """The values that are not known, by the names of their fields."""
    return ", ".join(
        f"{name.rpartition('.')[2]} {yaml_value(value)}"
        for name, value in values.items()
        if known.get(name) != value
    )


def failures_of(search: Search) -> Iterator[str]:
    """Yields why trials failed, a line each."""
    for number, trial in enumerate(search.trials, 1):
        if trial.failure:
            yield f"trial {number} failed: {shown(trial.failure)}"


def verdict(search: Search) -> str:
    """One sentence: by how much the best trial is better than what was set."""
    first, best = search.trials[0], search.best
    name = label(search.measure)
    on = f"on {search.pairs:,} held-out pairs"
    if best is first:
        return (
            f"None of {len(search.trials):,} trials is better than what is set, with a {name} of "
            f"{first.measure:.4f} {on}"
        )
    gain, error = best.gain_over(first)
    said = (
        f"{name} {best.measure:.4f} {on}, {first.measure:.4f} as it is set: better by {gain:.4f} "
        f"+- {error:.4f}"
    )
    return said if gain > _ERRORS * error else f"{said}, which may be chance"


def warning(search: Search, name: str) -> Iterator[str]:
    """Yields what a sample leaves open.

    Args:
      search: it.
      name: of the file with the best configuration, and maybe `--output FOLDER`.
    """
    if search.share < 1:
        yield (
            f"Each trial was trained on a share of {search.share:.2g} of the documents. On all of "
            "them training has as many more steps: fewer epochs and lower rates may be better "
            "there, even what is set. To search there, around what was found: skipgram tune "
            f"--config {name} --sample 1"
        )


def as_yaml(search: Search, config: Config, command: str) -> str:
    """The configuration of the best trial, with what else was set, for `skipgram run --config`.

    Args:
      search: with one trial at least.
      config: what was set.
      command: that was given, for the head.
    """
    sections = with_values(config.model_dump(mode="json", exclude_unset=True), search.best.values)
    head = (
        f"Command: {shown(command)}",
        f"Seed {config.seed}; {len(search.trials):,} trials, each trained on "
        f"{search.documents:,} documents, a share of {search.share:.2g}.",
        f"{verdict(search)}.",
    )
    lines = [line for text in head for line in commented(text)]
    body = yaml.safe_dump(sections, sort_keys=False, allow_unicode=True)
    return FIRST_LINE + "\n".join(lines) + "\n" + body
