"""The folder of served models: whether it holds the model that a run says it holds."""

import filecmp
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.atomic import aside
from trainer_module.errors import InputError

if TYPE_CHECKING:
    from ml_metadata.proto import metadata_store_pb2 as mlmd

# TensorFlow Serving takes a version for complete when this file is there.
_WRITTEN_LAST = "saved_model.pb"
# Custom properties that the Pusher writes.
_PUSHED, VERSION = "pushed", "pushed_version"


def versions(serving: Path) -> list[int]:
    """The versions in the folder, rising: the last one is served."""
    names = [path.name for path in serving.iterdir()] if serving.is_dir() else []
    return sorted(int(name) for name in names if name.isdecimal())


def highest(serving: Path) -> int:
    """The version that is served; 0 if there is none."""
    return max(versions(serving), default=0)


def served_model(serving: Path) -> Path:
    """The SavedModel that is served.

    Raises:
      InputError: there is none yet.
    """
    version = highest(serving)
    if not version:
        raise InputError(
            f"there is no model in {serving}: run `skipgram run` first, with the same --output, "
            "and see that its model is blessed"
        )
    return serving / str(version)


def restore(serving: Path, pushed: "mlmd.Artifact") -> Path | None:
    """Writes again what is missing of a model that was pushed, from the Pusher's own copy of it.

    Args:
      serving: the folder of all versions.
      pushed: the Pusher's artifact.

    Returns:
      The version's folder, if something was missing of it or was not as it was pushed.
    """
    if pushed.custom_properties[_PUSHED].int_value != 1:
        return None
    copy, version = Path(pushed.uri), serving / pushed.custom_properties[VERSION].string_value
    names = [str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()]
    _, different, absent = filecmp.cmpfiles(copy, version, names, shallow=False)
    for name in sorted([*different, *absent], key=lambda name: (name == _WRITTEN_LAST, name)):
        (version / name).parent.mkdir(parents=True, exist_ok=True)
        with aside(version / name) as unfinished:
            shutil.copyfile(copy / name, unfinished)
    return version if different or absent else None
