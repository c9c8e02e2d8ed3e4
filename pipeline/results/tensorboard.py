"""What TensorBoard shows after the gate: the last blessed model's line, all runs, the projector.

The Trainer writes the curves of a run while it trains, trainer_module/training/progress.py. This is
written at the end, by TensorBoard's own code and without an op of TensorFlow: a process that has
run one cannot fork the components of a next run.
"""

import json
import math
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from google.protobuf import text_format
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.projector.metadata import PROJECTOR_FILENAME
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.record_writer import RecordWriter

from components.embedding_evaluator.metric_list import METRICS
from pipeline.atomic import aside, write_aside
from pipeline.results.embeddings import Embeddings
from pipeline.results.records import COMPARED, RUN_FILE, RunRecord, Summary, set_figures
from trainer_module.evaluation import word2vec_format
from trainer_module.training.record import HELD_OUT_SIGMOID, HELD_OUT_SOFTMAX

# Folders below the one that TensorBoard shows; those of runs have a run's name.
_LAST_BLESSED = "last_blessed"
_ALL_RUNS = "all_runs"
_PROJECTOR = "projector"
_TENSORS, _METADATA = "tensors.tsv", "metadata.tsv"
# Tokens: as many as a browser turns without stumbling, and a file of 8 MB at 100 dimensions.
_PROJECTED = 10_000
# What JavaScript takes for a number, and digits of those that it holds exactly.
_NUMBER = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?Infinity|0([xX][\da-fA-F]+|[oO][0-7]+|[bB][01]+)",
    re.ASCII,
)
_EXACT_DIGITS = 15
# Names of files that TensorBoard reads begin so.
_EVENTS = "events.out.tfevents"


class Point(NamedTuple):
    """One of a chart."""

    tag: str
    step: int
    value: float
    wall_time: float  # seconds since 1970


def write(
    folder: Path,
    vectors: Path,
    summary: Summary,
    status: str,
    records: Sequence[RunRecord],
    compared_metric: str,
) -> None:
    """Writes all that is known when a run ends.

    Args:
      folder: the one that TensorBoard shows.
      vectors: see write_projector.
      summary: of the run.
      status: how it ends, which is not noted yet.
      records: of all runs, the last one first; it is among them.
      compared_metric: see write_last_blessed.
    """
    run = summary.run
    if summary.model_of == run:
        write_curve_of_killed(folder / run, summary)
        write_last_blessed(folder / run, summary, compared_metric)
    result = summary.as_json()
    ended = [replace(r, status=status, result=result) if r.name == run else r for r in records]
    write_all_runs(folder, ended, [one.name for one in METRICS if one.written])
    write_projector(folder, vectors)


def write_curve_of_killed(folder: Path, summary: Summary) -> None:
    """Writes the held-out loss of a model that a killed run had trained to the end.

    Its Trainer's own curves have the name of that run.

    Args:
      folder: of the run; if it is there, its Trainer has written it.
      summary: of the run.
    """
    if folder.is_dir() or not summary.evaluations:
        return
    now = time.time()
    points = (
        Point(tag, one.step, value, now)
        for one in summary.evaluations
        for tag, value in ((HELD_OUT_SOFTMAX, one.softmax), (HELD_OUT_SIGMOID, one.sigmoid))
    )
    _write_events(folder / f"{_EVENTS}.{summary.run}", points)


def write_last_blessed(folder: Path, summary: Summary, compared_metric: str) -> None:
    """Draws a line for the last blessed model into the chart of a run's held-out loss.

    Models with different vocabularies have losses that cannot be compared. So the line does not
    stand at that model's own loss: it is as far from the end of tonight's curve as the gate found
    the two to be apart, on the same pairs. With the same vocabulary both are one.

    Args:
      folder: of the run, in the folder that TensorBoard shows.
      summary: of the run; nothing is written where it was compared with no other.
      compared_metric: what the gate compares, evaluator.compared_metric.
    """
    increase = summary.metrics.get("increase", math.nan)
    if not (summary.evaluations and math.isfinite(increase)):
        return
    softmax = compared_metric != "full_sigmoid_cross_entropy"
    tag = HELD_OUT_SOFTMAX if softmax else HELD_OUT_SIGMOID
    first, last = summary.evaluations[0], summary.evaluations[-1]
    kept = next((one for one in summary.evaluations if one.step == summary.kept_step), last)
    value, now = kept.of_family(softmax=softmax) - increase, time.time()
    points = [Point(tag, step, value, now) for step in sorted({first.step, last.step})]
    _write_events(folder / _LAST_BLESSED / f"{_EVENTS}.{summary.run}", points)


def write_all_runs(folder: Path, records: Sequence[RunRecord], metrics: Iterable[str]) -> None:
    """Writes the figures of all runs that came to a model, so that nights can be compared.

    Those that were blessed are one run of TensorBoard, the others another one. Steps count them
    from 1; each has the time at which it began.

    Args:
      folder: the one that TensorBoard shows.
      records: of all runs, the last one first.
      metrics: names of figures of the Evaluator.
    """
    judged = [record for record in reversed(records) if "full_loss" in record.result]
    tags = {name: f"corpus/{name}" for name in COMPARED}
    tags |= {name: f"evaluation/{name}" for name in metrics}
    for status in sorted({record.status for record in judged}):
        points = (
            point
            for step, record in enumerate(judged, 1)
            if record.status == status
            for point in _points(record, step, tags)
        )
        place = folder / _ALL_RUNS / status.replace(" ", "_")
        new = place / f"{_EVENTS}.{records[0].name}"
        _write_events(new, points)
        # TensorBoard that is running goes on to a file with a later name.
        for old in set(place.iterdir()) - {new}:
            old.unlink()


def _points(record: RunRecord, step: int, tags: Mapping[str, str]) -> Iterator[Point]:
    """Those figures of a run that it has: it may be of an older version."""
    of_sets = set_figures(record.result)
    for name, tag in {**tags, **{name: f"evaluation/{name}" for name in of_sets}}.items():
        value = of_sets.get(name, record.result.get(name))
        if isinstance(value, int | float) and math.isfinite(value):
            yield Point(tag, step, value, record.started.timestamp())


def _write_events(path: Path, points: Iterable[Point]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    version = Event(wall_time=time.time(), file_version="brain.Event:2")
    with aside(path) as unfinished, unfinished.open("wb") as file:
        records = RecordWriter(file)
        for event in (version, *map(_event, points)):
            records.write(event.SerializeToString())


def _event(point: Point) -> Any:
    summary = scalar_pb(point.tag, point.value)
    return Event(wall_time=point.wall_time, step=point.step, summary=summary)


def write_projector(folder: Path, vectors: Path) -> None:
    """Gives TensorBoard's projector the most frequent tokens of the last blessed model.

    One for an output folder: that of another model takes its place, in one step.

    Args:
      folder: the one that TensorBoard shows.
      vectors: as a run leaves them in `vectors/`; nothing is written where there are none.
    """
    if not vectors.is_dir():
        return
    run = json.loads((vectors / RUN_FILE).read_text())["run"]
    place, config = folder / _PROJECTOR / run, folder / PROJECTOR_FILENAME
    said = _projector_config(run, place.relative_to(folder))
    if not (config.exists() and config.read_text() == said and place.is_dir()):
        place.mkdir(parents=True, exist_ok=True)
        _write_projected(place, Embeddings.load(vectors))
        write_aside(config, said)
    for old in set(place.parent.iterdir()) - {place}:
        shutil.rmtree(old, ignore_errors=True)


def _projector_config(run: str, place: Path) -> str:
    config = ProjectorConfig()
    config.embeddings.add(
        tensor_name=run,
        tensor_path=str(place / _TENSORS),
        metadata_path=str(place / _METADATA),
    )
    return str(text_format.MessageToString(config))


def label(token: str) -> str:
    """A token as the projector is given it: in quotes if the page would take it for a number.

    It would show another one: an id of an item without the zeros at its beginning.

    >>> label("0140449132"), label("1e5"), label("17"), label("b-2")
    ('"0140449132"', '"1e5"', '17', 'b-2')
    """
    if not _NUMBER.fullmatch(token) or token == str(_as_page_shows(token)):
        return token
    return f'"{token}"'


def _as_page_shows(token: str) -> int | None:
    """Of whole numbers that fit into its floating-point numbers."""
    return int(token) if token.isdecimal() and len(token) <= _EXACT_DIGITS else None


def _write_projected(place: Path, embeddings: Embeddings) -> None:
    """Four digits are more than a screen shows."""
    tokens = embeddings.tokens[:_PROJECTED]
    counts = [0] * len(tokens) if embeddings.counts is None else embeddings.counts.tolist()
    labels = [label(token) for token in tokens]
    lines = word2vec_format.vocabulary_lines(labels, counts[:_PROJECTED])
    with (place / _METADATA).open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)
    np.savetxt(place / _TENSORS, embeddings.vectors[:_PROJECTED], fmt="%.4g", delimiter="\t")
