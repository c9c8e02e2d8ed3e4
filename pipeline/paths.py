"""Paths as people type them, and those that all of TFX, Beam and TensorFlow can write to."""

import os

from pipeline.failures import WrongCommandError

# The first four are signs of globs, by which TFX, Beam and TensorFlow look for what one component
# has left to the next: they find nothing, or what lies in another folder. A newline is between the
# patterns of a corpus, and the quick-start corpus lies in the output folder.
_REFUSED = {
    "*": "an asterisk",
    "?": "a question mark",
    "[": "a bracket",
    "\\": "a backslash",
    "\n": "a newline",
}


def expanded(path: str) -> str:
    """A path with the home folder in the place of `~` or `~user`, which no shell has replaced.

    Raises:
      WrongCommandError: there is no such user.
    """
    found = os.path.expanduser(path)
    if found.startswith("~"):
        user = found.partition("/")[0]
        raise WrongCommandError(
            f"the path {path!r} begins with the home folder of a user, and {user!r} is none: write "
            f"the folder out, or ./{user} if that is its name"
        )
    return found


def require_plain(folder: str) -> None:
    """Checks that components can find again what they write into a folder.

    Args:
      folder: absolute, or a URI.

    Raises:
      WrongCommandError: its path holds signs of globs, or is not UTF-8.
    """
    if not _is_utf8(folder):
        raise WrongCommandError(f"the path {folder!r} is not UTF-8: choose another folder")
    for character, name in _REFUSED.items():
        if character in folder:
            raise WrongCommandError(
                f"the path {folder!r} contains {name}, which TensorFlow and Beam do not take as it "
                "is: choose another folder"
            )


def _is_utf8(path: str) -> bool:
    return path == os.fsencode(path).decode(errors="replace")
