"""Shapes of charts, as Vega-Lite takes them: plain dicts, made of rows and the names of fields.

Colours are names of the page's own, so that one drawing serves by day, by night and on paper. They
are those of Okabe and Ito, which colour-blind people can tell apart.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.results.report.contents import Spec

BLUE, ORANGE, GREEN, RED, MUTED = (
    f"var(--{name})" for name in ("blue", "orange", "green", "red", "muted")
)
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_HEIGHT = 230
_LOW_HEIGHT = 150
_BAR_HEIGHT = 26  # of each, with its gap
_AXIS_HEIGHT = 45

Rows = Sequence[Mapping[str, Any]]


def lines(
    rows: Rows, x: Spec, y: Spec, colors: Mapping[str, str], *more: Spec, is_low: bool = False
) -> Spec:
    """A line for each `series` of the rows, with a point at each row.

    Args:
      rows: with the fields of x and y, and `series`.
      x: the channel.
      y: the channel.
      colors: of the series.
      more: layers above it.
      is_low: whether it is one of many.
    """
    color = _series(colors)
    line = {"mark": {"type": "line", "strokeWidth": 2}, "encoding": {"color": color}}
    point = {
        "mark": {"type": "point", "filled": True, "size": 55, "opacity": 1},
        "encoding": {"color": color, "tooltip": _tooltips(x, y, "series")},
    }
    spec = _layers(rows, line, point, *more)
    return spec | {"encoding": {"x": x, "y": y}, "height": _LOW_HEIGHT if is_low else _HEIGHT}


def bars(rows: Rows, category: Spec, value: Spec, *more: Spec, color: str = BLUE) -> Spec:
    """A horizontal bar for each row, in the order of the rows. Their names need no title."""
    bar = {
        "mark": {"type": "bar", "color": color, "cornerRadiusEnd": 2, "height": {"band": 0.7}},
        "encoding": {"x": value, "tooltip": _tooltips(category, value)},
    }
    spec = _layers(rows, bar, *more)
    height = _BAR_HEIGHT * len({row[category["field"]] for row in rows}) + _AXIS_HEIGHT
    untitled = category | {"axis": {**category["axis"], "title": None}}
    return spec | {"encoding": {"y": untitled}, "height": height}


def columns(rows: Rows, category: Spec, value: Spec) -> Spec:
    """An upright bar for each row, in the order of the rows, with hardly a gap: a histogram."""
    mark = {"type": "bar", "color": BLUE, "width": {"band": 0.94}}
    encoding = {"x": category, "y": value, "tooltip": _tooltips(category, value)}
    return _layers(rows, {"mark": mark, "encoding": encoding}) | {"height": _HEIGHT}


def points(rows: Rows, x: Spec, y: Spec, *more: Spec, size: Spec | None = None) -> Spec:
    """A point for each row, above the layers of `more`."""
    mark = {"type": "point", "filled": True, "color": BLUE, "size": 60, "opacity": 0.9}
    encoding = {"x": x, "y": y, "tooltip": _tooltips(x, y)}
    point = {"mark": mark, "encoding": encoding | ({"size": size} if size else {})}
    return _layers(rows, *more, point) | {"height": _HEIGHT}


def straight_line(x: Spec, y: Spec, ends: Sequence[tuple[float, float]]) -> Spec:
    """A layer: what would be if all were well."""
    values = [{x["field"]: a, y["field"]: b} for a, b in ends]
    mark = {"type": "line", "color": MUTED, "strokeDash": [5, 4], "strokeWidth": 1.5}
    return {"data": {"values": values}, "mark": mark, "encoding": {"x": x, "y": y}}


def rule(y: Spec, at: float) -> Spec:
    """A layer: a dashed line across."""
    mark = {"type": "rule", "color": MUTED, "strokeDash": [5, 4], "strokeWidth": 1.5}
    return {"data": {"values": [{y["field"]: at}]}, "mark": mark, "encoding": {"x": None, "y": y}}


def ticks(category: Spec, value: Spec, tooltip: str) -> Spec:
    """A layer of bars: a mark across each, for a second figure of the same unit."""
    mark = {"type": "tick", "color": ORANGE, "thickness": 3, "opacity": 1, "height": {"band": 0.9}}
    tooltips = [{"field": value["field"], "type": "quantitative", "title": tooltip}]
    return {"mark": mark, "encoding": {"x": value, "tooltip": tooltips}}


def error_bars(x: Spec, low: str, high: str) -> Spec:
    """A layer: a line from one field to the other at each row."""
    encoding = {"x": x, "y": {"field": low, "type": "quantitative"}, "y2": {"field": high}}
    return {"mark": {"type": "rule", "color": BLUE, "strokeWidth": 2}, "encoding": encoding}


def quantity(field: str, title: str, form: str = "", **scale: Any) -> Spec:
    """The channel of a number; `form` is d3's. Of scale what is not as Vega-Lite has it."""
    axis: Spec = {"format": form} if form else {}
    channel: Spec = {"field": field, "type": "quantitative", "title": title, "axis": axis}
    return channel | ({"scale": scale} if scale else {})


def names(field: str, title: str, **axis: Any) -> Spec:
    """The channel of what is in the order of the rows."""
    axis = {"labelLimit": 150, **axis}
    return {"field": field, "type": "ordinal", "title": title, "sort": None, "axis": axis}


def _layers(rows: Rows, *layers: Spec) -> Spec:
    return {
        "$schema": _SCHEMA,
        "width": "container",
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": [dict(row) for row in rows]},
        "layer": list(layers),
    }


def _series(colors: Mapping[str, str]) -> Spec:
    scale = {"domain": list(colors), "range": list(colors.values())}
    legend = {"title": None, "orient": "top"} if len(colors) > 1 else None
    return {"field": "series", "type": "nominal", "scale": scale, "legend": legend}


def _tooltips(*channels: Spec | str) -> list[Spec]:
    return [
        {"field": channel, "type": "nominal"}
        if isinstance(channel, str)
        else {
            "field": channel["field"],
            "type": channel["type"],
            "title": channel["title"],
            **({"format": form} if (form := channel.get("axis", {}).get("format")) else {}),
        }
        for channel in channels
    ]
