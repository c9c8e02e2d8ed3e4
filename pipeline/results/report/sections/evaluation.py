"""Where the model is good and where not: ranks, frequency bands, calibration, sets of people."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.embedding_evaluator.metric_list import BY_NAME
from pipeline.results.report import charts
from pipeline.results.report.contents import (
    Chart,
    Listing,
    Result,
    Section,
    Table,
    decimal,
    share,
    whole,
)
from pipeline.results.report.contents import (
    band as band_name,
)
from pipeline.results.report.figures import ALL, METRIC_NAMES, Figure

_CROSS_ENTROPY, _UNIGRAM = "full_softmax_cross_entropy", "unigram_cross_entropy"
_RANKS = {"recall_at_1": "1", "recall_at_10": "10", "recall_at_100": "100"}
_KINDS = {"target_frequency": "target", "context_frequency": "context"}
# Of bands those that have a chart; the table has all.
_CHARTED = (_CROSS_ENTROPY, "recall_at_10")


def section(result: Result) -> Section:
    """Of one run; charts of what was not asked for, or of older versions, are not there."""
    found = [*_ranks(result), *_bands(result), *_calibration(result), *_sets(result)]
    classes = result.get("num_contexts") or result.get("vocabulary_size", 0)
    intro = (
        f"On {whole(result.get('pairs_eval', 0))} held-out pairs, over all "
        f"{whole(classes)} classes: exact, not sampled. A nat is a unit "
        "of surprise, by natural logarithms; the unigram model knows how often each context comes, "
        "and nothing of its target. A rank is the place of the context that came among all "
        "classes."
    )
    listings = [
        _figures(result, is_folded=bool(found)),
        *_bands_in_full(result),
        *_sections(result),
    ]
    return Section("evaluation", "Where it is good, and where not", intro, found, listings)


def _figures(result: Result, *, is_folded: bool) -> Listing:
    rows = [
        (
            figure.label,
            figure.text(result[figure.name]),
            figure.unit_if_any,
            figure.better or "",
            BY_NAME[figure.name].formula,
        )
        for figure in (ALL[name] for name in METRIC_NAMES)
        if figure.name in result
    ]
    table = Table(("figure", "value", "unit", "better", "what it is"), rows)
    return Listing("All figures", table, is_folded=is_folded)


def _ranks(result: Result) -> Iterator[Chart]:
    found = {label: result[name] for name, label in _RANKS.items() if name in result}
    values = [{"k": f"first {label}", "recall": recall} for label, recall in found.items()]
    if not values:
        return
    said = ", ".join(f"{share(recall)} among the first {label}" for label, recall in found.items())
    mean = result.get("mean_reciprocal_rank")
    says = f"The context that came stands {said}." + (
        f" Its mean reciprocal rank is {mean:.4f}." if mean is not None else ""
    )
    spec = charts.bars(
        values, charts.names("k", "ranks"), charts.quantity("recall", "share of pairs", "~%")
    )
    rows = [(one["k"], share(one["recall"])) for one in values]
    rows += [
        (ALL[name].label, decimal(result[name]))
        for name in ("mean_reciprocal_rank", "mean_rank")
        if name in result
    ]
    yield Chart("ranks", "Ranks of held-out contexts", says, spec, Table(("figure", "value"), rows))


def _bands(result: Result) -> Iterator[Chart]:
    for kind, name in _KINDS.items():
        bands = result.get("slices", {}).get(kind, ())
        for figure in (ALL[metric] for metric in _CHARTED):
            if sum(figure.name in band for band in bands) > 1:
                yield _band_chart(name, kind, figure, bands)


def _band_chart(name: str, kind: str, figure: Figure, bands: Sequence[Mapping[str, Any]]) -> Chart:
    values = [
        {
            "band": band_name(band["slice"]),
            **{k: band[k] for k in (figure.name, _UNIGRAM) if k in band},
        }
        for band in bands
        if figure.name in band
    ]
    category = charts.names("band", f"rank of the {name}")
    form = "~%" if figure.unit == "share" else "~f"
    value = charts.quantity(figure.name, figure.unit, form)
    has_unigram = figure.name == _CROSS_ENTROPY and all(_UNIGRAM in one for one in values)
    unigram = charts.quantity(_UNIGRAM, figure.unit, form)
    layers = [charts.ticks(category, unigram, "unigram model")] if has_unigram else []
    said = ", ".join(f"{figure.text(one[figure.name])} for {one['band']}" for one in values)
    says = f"{said}." + (" The orange marks are the unigram model's." if has_unigram else "")
    spec = charts.bars(values, category, value, *layers)
    title = f"{figure.label.capitalize()} by frequency of the {name}"
    columns = [figure, *([ALL[_UNIGRAM]] if has_unigram else [])]
    rows = [(one["band"], *(of.text(one[of.name]) for of in columns)) for one in values]
    head = (f"rank of the {name}", *(of.label for of in columns))
    return Chart(f"{kind}-{figure.name}", title, says, spec, Table(head, rows))


def _bands_in_full(result: Result) -> Iterator[Listing]:
    for kind, name in _KINDS.items():
        bands = result.get("slices", {}).get(kind, ())
        if bands:
            head = list(dict.fromkeys(key for band in bands for key in band))
            rows = [[_cell(key, band.get(key)) for key in head] for band in bands]
            labels = ["rank" if key == "slice" else key.replace("_", " ") for key in head]
            title = f"All figures by frequency of the {name}"
            yield Listing(title, Table(labels, rows), is_folded=True)


def _cell(name: str, value: Any) -> str:
    if not isinstance(value, int | float):
        return str(value if value is not None else "")
    return ALL[name].text(value) if name in ALL else whole(value)


def _calibration(result: Result) -> Iterator[Chart]:
    bins = [one for one in result.get("calibration", ()) if one["share"] > 0]
    if not bins:
        return
    # A logarithm has no place for what never came.
    values = [one for one in bins if one["predicted"] > 0 and one["observed"] > 0]
    log = {"type": "log", "nice": False}
    x = charts.quantity("predicted", "predicted probability", "~e", **log)
    y = charts.quantity("observed", "observed frequency", "~e", **log)
    ends = [one[side] for one in values for side in ("predicted", "observed")]
    diagonal = [(end, end) for end in (min(ends), max(ends))] if ends else []
    size = charts.quantity("share", "share of predictions") | {"legend": None}
    size |= {"scale": {"type": "sqrt", "range": [50, 350]}}
    spec = charts.points(values, x, y, charts.straight_line(x, y, diagonal), size=size)
    error = result.get("expected_calibration_error")
    says = (
        "On the dashed line, what is predicted is what comes; below it, predictions are too high."
    )
    if error is not None:
        says += f" The expected calibration error is {decimal(error)}."
    rows = [
        (
            f"{one['from']:.3g} to {one['to']:.3g}",
            *(f"{one[name]:.3g}" for name in ("predicted", "observed")),
            share(one["share"]),
        )
        for one in bins
    ]
    table = Table(("probability", "predicted", "observed", "share"), rows)
    yield Chart("calibration", "Calibration", says, spec, table)


def _sets(result: Result) -> Iterator[Chart]:
    yield from _similarity(result.get("similarity") or {})
    yield from _analogies(result.get("analogies") or {})


def _similarity(sets: Mapping[str, Mapping[str, Any]]) -> Iterator[Chart]:
    known = {name: one for name, one in sets.items() if math.isfinite(one["spearman"])}
    if not known:
        return
    values = [{"set": name, "spearman": one["spearman"]} for name, one in known.items()]
    category = charts.names("set", "")
    spec = charts.bars(values, category, charts.quantity("spearman", "Spearman's correlation"))
    said = ", ".join(f"{one['spearman']:.3f} on {one['set']}" for one in values)
    rows = [
        (name, f"{one['spearman']:.4f}", whole(one["known_pairs"]), whole(one["pairs"]))
        for name, one in known.items()
    ]
    table = Table(("set", "Spearman", "known pairs", "pairs"), rows)
    yield Chart("similarity", "Similarity, as people judge it", f"Spearman's: {said}.", spec, table)


def _analogies(sets: Mapping[str, Mapping[str, Any]]) -> Iterator[Chart]:
    values = [
        {"set": name, "series": how, "share": one[field]}
        for name, one in sets.items()
        for how, field in (("3CosAdd", "cos_add"), ("3CosMul", "cos_mul"))
        if one.get(field) is not None
    ]
    if not values:
        return
    added = [one for one in values if one["series"] == "3CosAdd"]
    category = charts.names("set", "")
    spec = charts.bars(added, category, charts.quantity("share", "share answered", "~%"))
    said = ", ".join(f"{share(one['share'])} of {one['set']} by {one['series']}" for one in values)
    rows = [
        (name, *_answered(one), whole(one["known_questions"]), whole(one["questions"]))
        for name, one in sets.items()
    ]
    table = Table(("set", "3CosAdd", "3CosMul", "known questions", "questions"), rows)
    yield Chart("analogies", "Analogies", f"Answered: {said}.", spec, table)


def _sections(result: Result) -> Iterator[Listing]:
    """Of sets of analogies."""
    for name, one in (result.get("analogies") or {}).items():
        rows = [
            (title, *_answered(part), whole(part["known_questions"]), whole(part["questions"]))
            for title, part in (one.get("sections") or {}).items()
        ]
        if rows:
            head = ("section", "3CosAdd", "3CosMul", "known questions", "questions")
            yield Listing(f"Analogies of {name}, by section", Table(head, rows), is_folded=True)


def _answered(one: Mapping[str, Any]) -> list[str]:
    return [share(value) if (value := one.get(name)) is not None else "" for name in _COSINES]


_COSINES = ("cos_add", "cos_mul")
