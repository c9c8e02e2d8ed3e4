"""What is known of runs and of their components."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple


class ComponentRun(NamedTuple):
    """How a component ended."""

    component: str
    cached: bool
    seconds: float
    peak_memory_bytes: int


class ComponentProgress(NamedTuple):
    """How a component that is running stands."""

    component: str
    seconds: float
    line: str  # what it printed last


Report = Callable[[ComponentProgress | ComponentRun], None]


class RunRecord(NamedTuple):
    """One run of the pipeline."""

    run_id: str
    started: datetime
    corpus: str
    status: str
    result: Mapping[str, Any]  # the summary, or {"error": sentence}
