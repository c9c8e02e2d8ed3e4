"""What a runner reports of the components."""

from collections.abc import Callable
from typing import NamedTuple


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
