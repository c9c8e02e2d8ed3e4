"""What TensorBoard reads of a folder, by its own reader."""

from pathlib import Path

from tensorboard.backend.event_processing import io_wrapper
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util


def shown_runs(folder: Path) -> set[str]:
    """The names of the runs that it lists."""
    found = io_wrapper.GetLogdirSubdirectories(str(folder))
    return {str(Path(path).relative_to(folder)) for path in found}


def tags(folder: Path) -> set[str]:
    """The names of the charts that a run has a line in."""
    return set(_read(folder).Tags()["tensors"])


def scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    """The points of a run's line: step, value."""
    found = _read(folder).Tensors(tag)
    return [(one.step, float(tensor_util.make_ndarray(one.tensor_proto))) for one in found]


def wall_times(folder: Path, tag: str) -> list[float]:
    """Seconds since 1970, of the same points."""
    return [one.wall_time for one in _read(folder).Tensors(tag)]


def _read(folder: Path) -> EventAccumulator:
    read = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    read.Reload()
    return read
