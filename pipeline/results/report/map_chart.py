"""The map of the words as Vega draws it: few labels at first, more where it is zoomed in.

Vega's `label` transform places the labels, the most frequent words first, and leaves out what would
lie on another one. The page sets four signals: `view`, what is looked at; `query`, what was typed;
`exact`, the word that this is, if it is one; `near`, that word's neighbours.
"""

from collections.abc import Sequence

from pipeline.results.report.contents import Spec
from pipeline.results.report.word_map import MappedWord

_SCHEMA = "https://vega.github.io/schema/vega/v6.json"
_MOST_ZOOM = 40
# Candidates for a label; of more the picture is full.
_LABELS = 250
_MARGIN = 1.04  # around the words, which lie between -1 and 1
# A page that is not laid out yet has no width, and labels have no place in such a picture.
_WIDTH = "max(300, containerSize()[0] || 0)"
_FONT = "system-ui, sans-serif"

_IS_FOUND = (
    "length(exact) ? datum.t == exact : length(query) && indexof(lower(datum.t), query) >= 0"
)
# Lowest first: what was looked for, then its neighbours, then the most frequent.
_ORDER = "datum.r - (datum.found ? 2e6 : 0) - (datum.close ? 1e6 : 0)"
_ZOOMED = f"clamp(view.z * pow(1.002, -event.deltaY), 1, {_MOST_ZOOM})"
_IN_SIGHT = "inrange(datum.x, domain('x')) && inrange(datum.y, domain('y'))"


def map_chart(words: Sequence[MappedWord]) -> Spec:
    """Vega's spec, with the words in it."""
    values = [
        {"t": word.token, "x": word.x, "y": word.y, "r": rank, "c": word.occurrences}
        for rank, word in enumerate(words)
    ]
    return {
        "$schema": _SCHEMA,
        "autosize": "none",
        "padding": 0,
        "signals": _signals(),
        "data": _data(values),
        "scales": [_scale("x", "width", "cx"), _scale("y", "height", "cy")],
        "marks": [_dots(), _anchors(), _labels()],
    }


def _signals() -> list[Spec]:
    """The size of the picture; what is looked at, by its middle and how many times it is zoomed."""
    dragged = (
        "{z: view.z,"
        f" cx: {_kept('down.cx - (x() - down.x) * 2 / width / view.z', 'view.z')},"
        f" cy: {_kept('down.cy + (y() - down.y) * 2 / height / view.z', 'view.z')}}}"
    )
    return [
        {"name": "width", "init": _WIDTH, "on": [{"events": "window:resize", "update": _WIDTH}]},
        {"name": "height", "update": "clamp(width * 0.72, 380, 640)"},
        {"name": "query", "value": ""},
        {"name": "exact", "value": ""},
        {"name": "near", "value": []},
        {"name": "down", "value": None,
         "on": [{"events": "pointerdown", "update": "{x: x(), y: y(), cx: view.cx, cy: view.cy}"}]},
        {"name": "view", "value": {"z": 1, "cx": 0, "cy": 0}, "on": [
            {"events": "[pointerdown, window:pointerup] > window:pointermove", "update": dragged},
            # A page scrolls by the wheel: with Ctrl, or two fingers on a pad, it zooms.
            {"events": {"source": "view", "type": "wheel", "consume": True,
                        "filter": ["event.ctrlKey || event.metaKey"]},
             "update": _around_pointer(_ZOOMED)},
            {"events": "dblclick", "update": _around_pointer(f"min(view.z * 2, {_MOST_ZOOM})")},
        ]},
        {"name": "picked", "value": None,
         "on": [{"events": "@dots:click, @labels:click", "force": True,
                 "update": "datum.datum ? datum.datum.t : datum.t"}]},
    ]  # fmt: skip


def _around_pointer(zoom: str) -> str:
    """The view with another zoom, where what is below the pointer stays there."""
    moved = {
        axis: f"invert('{axis}', {axis}()) + (view.c{axis} - invert('{axis}', {axis}())) "
        f"* view.z / ({zoom})"
        for axis in ("x", "y")
    }
    return f"{{z: {zoom}, cx: {_kept(moved['x'], zoom)}, cy: {_kept(moved['y'], zoom)}}}"


def _kept(center: str, zoom: str) -> str:
    """A middle with nothing beyond the words in sight."""
    return f"clamp({center}, 1 / ({zoom}) - 1, 1 - 1 / ({zoom}))"


def _scale(name: str, side: str, center: str) -> Spec:
    half = f"{_MARGIN} / view.z"
    domain = f"[view.{center} - {half}, view.{center} + {half}]"
    kind = {"name": name, "type": "linear", "zero": False, "nice": False}
    return kind | {"range": side, "domain": {"signal": domain}}


def _data(values: Sequence[Spec]) -> list[Spec]:
    marked = [
        {"type": "formula", "as": "found", "expr": _IS_FOUND},
        {"type": "formula", "as": "close", "expr": "indexof(near, datum.t) >= 0"},
        {"type": "formula", "as": "order", "expr": _ORDER},
    ]
    labelled = [
        {"type": "filter", "expr": _IN_SIGHT},
        {"type": "window", "sort": {"field": "order"}, "ops": ["row_number"], "as": ["place"]},
        {"type": "filter", "expr": f"datum.place <= {_LABELS}"},
    ]
    return [
        {"name": "words", "values": list(values), "transform": marked},
        {"name": "labelled", "source": "words", "transform": labelled},
    ]


def _color(datum: str) -> list[Spec]:
    return [
        {"test": f"{datum}.found", "value": "var(--orange)"},
        {"test": f"{datum}.close", "value": "var(--green)"},
    ]


def _dots() -> Spec:
    size = "(datum.found || datum.close ? 70 : datum.r < 100 ? 26 : 13)"
    size += " * pow(view.z, 0.5) * clamp(width / 900, 0.5, 1)"
    faint = "length(query) && !datum.found && !datum.close ? 0.25 : 0.6"
    tooltip = "{word: datum.t, rank: datum.r + 1, occurrences: datum.c}"
    return {
        "type": "symbol",
        "name": "dots",
        "from": {"data": "words"},
        "clip": True,
        "aria": False,
        "encode": {
            "enter": {"tooltip": {"signal": tooltip}, "cursor": {"value": "pointer"}},
            "update": {
                "x": {"scale": "x", "field": "x"},
                "y": {"scale": "y", "field": "y"},
                "size": {"signal": size},
                "fill": [*_color("datum"), {"value": "var(--blue)"}],
                "opacity": {"signal": f"datum.found ? 1 : {faint}"},
            },
        },
    }


def _anchors() -> Spec:
    """What labels stand beside: unseen marks, so that all dots need not be looked at."""
    return {
        "type": "symbol",
        "name": "anchors",
        "from": {"data": "labelled"},
        "aria": False,
        "interactive": False,
        "encode": {
            "update": {
                "x": {"scale": "x", "field": "x"},
                "y": {"scale": "y", "field": "y"},
                "size": {"value": 16},
                "opacity": {"value": 0},
            }
        },
    }


def _labels() -> Spec:
    return {
        "type": "text",
        "name": "labels",
        "from": {"data": "anchors"},
        "clip": True,
        "aria": False,
        "encode": {
            "update": {
                "text": {"field": "datum.t"},
                "font": {"value": _FONT},
                "fontSize": {"signal": "datum.datum.r < 100 ? 13 : 11.5"},
                "fontWeight": {"signal": "datum.datum.found ? 'bold' : 'normal'"},
                "fill": [*_color("datum.datum"), {"value": "var(--text)"}],
                "cursor": {"value": "pointer"},
            }
        },
        "transform": [
            {
                "type": "label",
                "size": {"signal": "[width, height]"},
                "anchor": ["right", "left", "top", "bottom"],
                "offset": [4],
                "padding": 0,
                "sort": {"field": "datum.datum.order", "order": "ascending"},
            }
        ],
    }
