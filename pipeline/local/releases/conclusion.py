"""What becomes of the model of a run, after the gate."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.embedding_evaluator.order_of_blessings import BASELINE_ID, BLESSED, number
from components.embedding_exporter.format_list import EXPORTS_FILE
from pipeline.local import metadata_store
from pipeline.local.metadata_store import StoreLocation
from pipeline.local.output_folder import OutputFolder
from pipeline.local.releases.blessings import (
    RUN,
    RUN_BLESSING,
    RUN_MODEL,
    Release,
    bless,
    last_release,
    settle,
)
from pipeline.results.records import COMPARED, Blessing, Summary


class Outcome(NamedTuple):
    """What became of the model of a run."""

    model_of: str  # the first run that ended with this model
    compared_with: str  # the run of the model that the gate compared it with; "" of none
    version: str | None  # in `serving/`, of the last blessed model
    blessed_by: Blessing | None  # the person to whom the run's model owes that it is the last one
    replaced_by: Blessing | None  # a person went from the run's model, blessed before, to another
    restored: Path | None  # a version that was not as it had been pushed
    exports: Mapping[str, Any] | None = None  # what `vectors/` holds, if it is of the run's model


def conclude(
    store: MetadataStore,
    location: StoreLocation,
    output: OutputFolder,
    artifacts: Mapping[tuple[str, str], mlmd.Artifact],
    run: str,
) -> Outcome:
    """What becomes of a run's model, after the gate.

    The cache may answer with an old blessing, after which others were given. The gate's counts
    again then, as of now; but a person's later one stands, or an unchanged night would undo it.

    Args:
      store, location, output: of the run; the folder is locked.
      artifacts: the run's, by component and output key.
      run: its name.
    """
    model, blessing = artifacts[RUN_MODEL], artifacts[RUN_BLESSING]
    before = last_release(store, location.pipeline_name)
    is_last = before is not None and before.model.id == model.id
    by_hand, passed = before and before.by_hand, number(blessing, BLESSED) == 1
    if passed and not is_last and not by_hand:
        bless(store, location, output, model, {RUN: run})
    last, restored = settle(store, location, output, run)
    baseline = number(artifacts["Evaluator", "blessing"], BASELINE_ID)
    return Outcome(
        model_of=metadata_store.name_of_model(store, model.id, run),
        compared_with=metadata_store.name_of_model(store, baseline, "") if baseline else "",
        version=last and last.version,
        blessed_by=by_hand if is_last else None,
        replaced_by=by_hand if passed and not is_last else None,
        restored=restored,
        exports=_exports(last) if last and last.model.id == model.id else None,
    )


def with_outcome(
    summary: Summary, outcome: Outcome, store: MetadataStore, pipeline_name: str
) -> Summary:
    """The summary of a run that says what became of its model, where the gate alone did not say."""
    last = _figures(store, pipeline_name, outcome.compared_with)
    summary = replace(
        summary,
        model_of=outcome.model_of,
        version=outcome.version,
        is_new_version=outcome.version == summary.run,
        last_blessed=last,
        exports=outcome.exports,
    )
    if outcome.blessed_by:
        verdict = f"the model was blessed {outcome.blessed_by.sentence}"
        return replace(summary, blessed=True, verdict=verdict, why_not_blessed=None)
    if outcome.replaced_by:
        why = (
            f"the model is not blessed and was not pushed: it is that of run {outcome.model_of}, "
            f"in whose place run {outcome.replaced_by.run} was blessed "
            f"{outcome.replaced_by.sentence}; `skipgram bless {outcome.model_of}` brings it back"
        )
        return replace(summary, blessed=False, verdict=why, why_not_blessed=why)
    return summary


def _exports(last: Release) -> Mapping[str, Any] | None:
    """By format, the files and figures; of older versions of ours it is not known."""
    if last.vectors is None or not (written := Path(last.vectors.uri, EXPORTS_FILE)).exists():
        return None
    found: Mapping[str, Any] = json.loads(written.read_text(encoding="utf-8"))
    return found


def _figures(store: MetadataStore, pipeline_name: str, name: str) -> dict[str, Any] | None:
    """The name of a run and those of its figures that another is shown beside."""
    for record in metadata_store.runs(store, pipeline_name):
        if record.name == name:
            return {"run": name, **{k: record.result[k] for k in COMPARED if k in record.result}}
    return None
