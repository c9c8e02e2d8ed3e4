"""What a job spec needs beyond what TFX's compiler writes."""

from collections.abc import Mapping
from typing import Any

CORPUS_LISTING = "corpus-listing"
# A node that looks at what no cache key holds: its answer of yesterday says nothing of today.
_NEVER_CACHED = (CORPUS_LISTING, "evaluation-set-listing")
# TFX appends it where a task asks another one for a parameter, and to no task's name.
_SUFFIX = "_task"


def amend(spec: Mapping[str, Any]) -> None:
    """Changes a PipelineSpec, in protobuf's JSON, in place.

    TFX's driver of TextExampleGen goes. Kubeflow Pipelines never runs it, and whether Vertex does
    is not said; CorpusListing stands in its place on both.
    """
    tasks = spec["root"]["dag"]["tasks"]
    for task in tasks.values():
        _name_producers(task)
    for name in tasks.keys() & _NEVER_CACHED:
        tasks[name]["cachingOptions"] = {"enableCache": False}
    for executor in spec["deploymentSpec"]["executors"].values():
        executor["container"].pop("lifecycle", None)


def _name_producers(task: Mapping[str, Any]) -> None:
    for source in task.get("inputs", {}).get("parameters", {}).values():
        if given := source.get("taskOutputParameter"):
            given["producerTask"] = given["producerTask"].removesuffix(_SUFFIX)
