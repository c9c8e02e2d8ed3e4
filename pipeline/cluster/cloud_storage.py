"""Where nodes of a cluster can read and write: gs:// alone. Light, and asks nobody."""

import json
import re
from collections.abc import Mapping

from components.text_example_gen import files
from trainer_module.errors import InputError

# The parameters of a job spec that are places.
CORPUS = "corpus"
OUTPUT = "output"
PUSH_DESTINATION = "push_destination"

_SCHEME = "gs://"
# Google's rules: https://cloud.google.com/storage/docs/buckets#naming
_BUCKET = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
_MIN_LETTERS, _MAX_LETTERS, _MAX_WITH_DOTS = 3, 63, 222
_IP_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


def require_gs(place: str, what: str) -> None:
    """Checks that a place is one that all nodes reach.

    Args:
      place: as it was given.
      what: whose it is, for the error.

    Raises:
      InputError: it is no URI of gs://, or one that no bucket can have.
    """
    if not place.startswith(_SCHEME):
        raise InputError(f"{what} = {place!r} {_why_not(place)}")
    bucket = place.removeprefix(_SCHEME).partition("/")[0]
    if fault := _fault(bucket):
        raise InputError(
            f"{what} = {place!r} names a bucket that cannot be, as {fault}: write gs://BUCKET/FOLDER"
        )


def below(folder: str, name: str) -> str:
    """What lies in a folder; two slashes would name another one in a bucket.

    >>> below("gs://bucket/output/", "serving")
    'gs://bucket/output/serving'
    """
    return f"{folder.rstrip('/')}/{name}"


def require_parameters(given: Mapping[str, str]) -> None:
    """Checks those of the parameters of a job spec that are places.

    Raises:
      InputError: see require_gs; a push destination in JSON is none; or the corpus holds a date.
    """
    if files.is_dated(given.get(CORPUS, "")):
        raise InputError(
            f"the parameter {CORPUS} = {given[CORPUS]!r} holds a date, and a cluster reads the "
            "files of one folder: name that of one night, such as gs://bucket/logs/2026-11-24"
        )
    for name in (CORPUS, OUTPUT):
        if name in given:
            require_gs(given[name], f"the parameter {name}")
    if PUSH_DESTINATION in given:
        what = f"the parameter {PUSH_DESTINATION}"
        require_gs(_base_directory(given[PUSH_DESTINATION], what), what)


def _base_directory(destination: str, what: str) -> str:
    """The folder of a push destination: of a URI, or of TFX's PushDestination in JSON."""
    if not destination.lstrip().startswith("{"):
        return destination
    try:
        filesystem = json.loads(destination)["filesystem"]
        # Protocol buffers know both spellings.
        folder = filesystem.get("baseDirectory") or filesystem["base_directory"]
    except (ValueError, LookupError, TypeError, AttributeError):
        folder = None
    if not isinstance(folder, str):
        raise InputError(f"{what} = {destination!r} names no folder: write gs://BUCKET/FOLDER")
    return folder


def _why_not(place: str) -> str:
    scheme = place.partition("/")[0].lower()
    if scheme == "gs:":
        return "is no URI: write gs://BUCKET/FOLDER, in small letters and with two slashes"
    if files.is_remote(place):
        return (
            f"is in {scheme}//, which the TensorFlow of our image can neither read nor write: name "
            "a place in Google Cloud Storage, gs://BUCKET/FOLDER"
        )
    return (
        "is a path, and the nodes of a cluster share no folder: name a place in Google Cloud "
        "Storage, gs://BUCKET/FOLDER"
    )


def _fault(bucket: str) -> str | None:
    """Which of Google's rules the name of a bucket breaks, if it does."""
    if not bucket:
        return "it has no name"
    if not _BUCKET.fullmatch(bucket):
        return (
            "its name is of small letters, digits, dashes, underscores and dots, and begins and "
            "ends with a letter or digit"
        )
    most = _MAX_WITH_DOTS if "." in bucket else _MAX_LETTERS
    if not _MIN_LETTERS <= len(bucket) <= most or max(map(len, bucket.split("."))) > _MAX_LETTERS:
        return f"its name has {_MIN_LETTERS} to {_MAX_LETTERS} characters"
    if ".." in bucket or _IP_ADDRESS.fullmatch(bucket):
        return "its name is no IP address and has no two dots side by side"
    if bucket.startswith("goog") or "google" in bucket:
        return "Google keeps names with its own to itself"
    return None
