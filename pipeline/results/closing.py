"""What people see of a run in the morning: what became of it, and who had a hand in it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.text import Text

from components.embedding_exporter.format_list import ALWAYS
from pipeline.results.records import COMPARED, Blessing, RunRecord, Summary
from pipeline.terminal import shown

REPORT_FILE = "report.html"


def closing_lines(summary: Summary, output: Path) -> list[Text]:
    """What matters in the morning: tonight beside the last blessed run, and where things lie."""
    if summary.last_blessed is None:
        beside = "beside no other run: there was no blessed model to compare this one with"
    else:
        changes = ", ".join(_changes(summary))
        beside = f"beside run {summary.last_blessed['run']}" + (changes and f": {changes}")
    kept = "" if summary.blessed else " as before"
    formats = ", ".join(name for name in summary.exports or () if name != ALWAYS)
    vectors = f"vectors/ (also for {formats})" if formats else "vectors/"
    version = f"{vectors} and serving/{summary.version}{kept}; " if summary.version else ""
    cached = "" if summary.model_of == summary.run else f", its model from run {summary.model_of}"
    curves = f"tensorboard/{summary.model_of}"
    curves = f", {curves}" if (output / curves).is_dir() else ""
    places = f"in {output}: {version}logs/{summary.run}{curves}{cached}"
    report = [f"report: {output / REPORT_FILE}"] if (output / REPORT_FILE).is_file() else []
    return [Text(shown(line)) for line in (beside, places, *report)]


def _changes(summary: Summary) -> Iterator[str]:
    content, last = summary.as_json(), summary.last_blessed or {}
    for name in COMPARED:
        if name in last:
            yield f"{name} {content[name]:,} ({content[name] - last[name]:+,})"
    common, increase = content.get("common_cross_entropy"), content.get("increase", math.nan)
    if common is not None and math.isfinite(increase):
        error = content["increase_error"]
        yield f"common_cross_entropy {common:.4f} ({increase:+.4f} +- {error:.4f})"
    moved = content.get("moved") or {}
    for name in ("neighbor_overlap", "mean_cosine"):
        if moved.get(name) is not None:
            yield f"{name} {moved[name]:.3f}"


def runs_as_json(
    records: Sequence[RunRecord], served: str | None, blessings: Sequence[Blessing]
) -> list[dict[str, Any]]:
    """The same for programs, with all that is known of each."""
    return [
        {
            **record.result,
            "run": record.name,
            "started": record.started.isoformat(timespec="seconds"),
            "corpus_files": record.corpus,
            "status": record.status,
            "served": record.name == served,
            "blessings": [asdict(one) for one in blessings if one.run == record.name],
        }
        for record in records
    ]


def by_hand(blessings: Sequence[Blessing]) -> list[Text]:
    """A line for each time that a person blessed a run, the last one first."""
    return [Text(shown(f"{one.run} blessed {one.sentence}")) for one in reversed(blessings)]
