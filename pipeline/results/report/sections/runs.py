"""How figures went over the last runs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.results.records import RunRecord
from pipeline.results.report import charts
from pipeline.results.report.contents import Chart, Section, Spec, Table, decimal
from pipeline.results.report.figures import ALL, OF_RUNS, Figure

# Those that a page can show side by side: a month of nights.
_SHOWN_RUNS = 30
_LOSS, _UNIGRAM = "full_softmax_cross_entropy", "unigram_cross_entropy"
_ALLOWS_CHANCE = " By evaluator.allow_chance a run is withheld whose whole line is above that."


def section(records: Sequence[RunRecord]) -> Section:
    """Of the runs that came to figures.

    Args:
      records: of the run and the ones before it, the last one first.
    """
    judged = [record for record in records if _LOSS in record.result][:_SHOWN_RUNS][::-1]
    title = "Over the last runs"
    if len(judged) < 2:
        return Section("runs", title, "This is the first run here: lines begin with the second.")
    rows = [_row(record, label) for record, label in zip(judged, _labels(judged), strict=True)]
    intro = (
        f"The last {len(judged)} runs with figures. Cross-entropies are of each run's own held-out "
        "pairs and vocabulary; the gate compares by the second chart."
    )
    return Section("runs", title, intro, [_losses(rows), *_increases(rows), *_others(rows)])


def _labels(records: Sequence[RunRecord]) -> list[str]:
    """When each began; those of one minute are numbered."""
    labels: list[str] = []
    for record in records:
        label = f"{record.started:%d %b %H:%M}"
        same = sum(one.partition(" #")[0] == label for one in labels)
        labels.append(f"{label} #{same + 1}" if same else label)
    return labels


def _row(record: RunRecord, label: str) -> dict[str, Any]:
    return {**record.result, "when": label, "run": record.name, "status": record.status}


def _x() -> Spec:
    return charts.names("when", "", labelAngle=-40, labelOverlap=True)


def _losses(rows: Sequence[Mapping[str, Any]]) -> Chart:
    series = {_LOSS: "this pipeline's models", _UNIGRAM: "unigram model"}
    long = [
        {"when": row["when"], "series": label, "value": row[name], "status": row["status"]}
        for row in rows
        for name, label in series.items()
        if name in row
    ]
    colors = dict(zip(series.values(), (charts.BLUE, charts.ORANGE), strict=True))
    y = charts.quantity("value", "nats", ".2f", zero=False)
    spec = charts.lines(long, _x(), y, colors, *_withheld(long, y))
    first, last = rows[0], rows[-1]
    says = (
        f"The full softmax cross-entropy went from {first[_LOSS]:.4f} to {last[_LOSS]:.4f} nats, "
        f"and that of the unigram model is {last.get(_UNIGRAM, float('nan')):.4f}. Lower is "
        "better. A cross marks a model that is not blessed."
    )
    cells = [
        (row["when"], row["run"], row["status"], decimal(row[_LOSS]), _cell(row, _UNIGRAM))
        for row in rows
    ]
    table = Table(("began", "run", "result", "full softmax CE", "unigram CE"), cells)
    return Chart("losses-of-runs", "Held-out cross-entropy", says, spec, table, is_wide=True)


def _withheld(long: Sequence[Mapping[str, Any]], y: Spec) -> Iterator[Spec]:
    """A layer: crosses on models that are not blessed, if there are any."""
    values = [
        row for row in long if row["status"] != "blessed" and row["series"] != "unigram model"
    ]
    mark = {"type": "point", "shape": "cross", "size": 240, "filled": True, "angle": 45}
    encoding = {"color": {"value": charts.RED}, "x": _x(), "y": y}
    if values:
        yield {"data": {"values": values}, "mark": mark, "encoding": encoding}


def _increases(rows: Sequence[Mapping[str, Any]]) -> Iterator[Chart]:
    """By how much each was above the last blessed model, with two standard errors."""
    found = [row for row in rows if row.get("increase") is not None]
    if not found:
        return
    values = [
        {
            "when": row["when"],
            "increase": row["increase"],
            "low": row["increase"] - 2 * row.get("increase_error", 0.0),
            "high": row["increase"] + 2 * row.get("increase_error", 0.0),
        }
        for row in found
    ]
    y = charts.quantity("increase", "nats", "+.3f", zero=False)
    layers = [charts.rule(y, 0.0)]
    evaluator = found[-1].get("configuration", {}).get("evaluator", {})
    gate = evaluator.get("max_increase")
    if gate is not None:
        layers.append(charts.rule(y, gate))
    bars = charts.error_bars(_x(), "low", "high")
    spec = charts.points(values, _x(), y, *layers, bars)
    says = (
        "Below zero lie runs that were better than the last blessed model before them, on the same "
        f"pairs: {sum(row['increase'] < 0 for row in found)} of {len(found)}. The lines through "
        "the points are two standard errors to each side"
        + (f"; the upper dashed line is evaluator.max_increase, {gate}." if gate else ".")
        + (_ALLOWS_CHANCE if evaluator.get("allow_chance") else "")
    )
    cells = [
        (row["when"], f"{row['increase']:+.4f}", decimal(row.get("increase_error", 0.0)))
        for row in found
    ]
    table = Table(("began", "increase", "standard error"), cells)
    yield Chart("increases-of-runs", "Against the last blessed model", says, spec, table)


def _others(rows: Sequence[Mapping[str, Any]]) -> Iterator[Chart]:
    for figure in (ALL[name] for name in OF_RUNS):
        values = [
            {"when": row["when"], "series": figure.label, "value": row[figure.name]}
            for row in rows
            if row.get(figure.name) is not None
        ]
        if len(values) > 1:
            yield _other(figure, values)


def _other(figure: Figure, values: Sequence[Mapping[str, Any]]) -> Chart:
    form = ".3s" if figure.is_count else "~%" if figure.unit == "share" else ""
    y = charts.quantity("value", figure.unit_if_any, form, zero=False)
    spec = charts.lines(values, _x(), y, {figure.label: charts.BLUE}, is_low=True)
    better = f" {figure.better.capitalize()} is better." if figure.better else ""
    says = f"From {figure.text(values[0]['value'])} to {figure.text(values[-1]['value'])}.{better}"
    table = Table(
        ("began", figure.label), [(one["when"], figure.text(one["value"])) for one in values]
    )
    return Chart(f"{figure.name}-of-runs", _capital(figure.label), says, spec, table)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _cell(row: Mapping[str, Any], name: str) -> str:
    return decimal(row[name]) if name in row else ""
