"""What the user named as corpus -> the patterns that TextExampleGen reads.

The standard library only: a wrong name is answered before anything is imported that takes seconds.
"""

import difflib
import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from components.text_example_gen import files
from trainer_module.errors import InputError

# A newline separates patterns; TensorFlow's glob takes a backslash for an escape.
_REFUSED_CHARACTERS = {"\n": "a newline", "\\": "a backslash"}


class NothingThereError(InputError):
    """What was named stands for no file."""


def resolve(arguments: Sequence[str]) -> list[str]:
    """Returns the patterns, absolute and sorted, that the arguments stand for.

    Args:
      arguments: a file stands for itself; a folder for the files with known endings in it and in
        its subfolders, hidden ones left out; a glob, also with `**`, for the files it matches; a
        URI of a remote file system for itself, unchecked.

    Raises:
      InputError: an argument stands for nothing or for what cannot be read; or all is empty.
    """
    if not all(arguments) or not arguments:
        raise InputError("no corpus was given, or an empty name; name files, folders or globs")
    patterns = sorted({pattern for argument in arguments for pattern in patterns_of(argument)})
    _check_files(patterns)
    return patterns


def matched_files(patterns: Sequence[str]) -> list[Path]:
    """Returns the local files that patterns of `resolve` match, each once, sorted."""
    local = [pattern for pattern in patterns if not files.is_remote(pattern)]
    return sorted({Path(path) for pattern in local for path in files.local_matches(pattern)})


def patterns_of(argument: str) -> list[str]:
    """Returns the patterns that one argument stands for; see resolve.

    Raises:
      NothingThereError: it stands for no file.
      InputError: it stands for what cannot be read.
    """
    if files.is_remote(argument):
        return [argument]
    given = os.path.expanduser(argument)
    path = os.path.abspath(given)
    if os.path.isdir(path):
        return _in_folder(path)
    if os.path.lexists(path):
        return [_file(path)]
    if files.has_magic(given):
        return _in_glob(os.path.normpath(os.path.join(files.escape(os.getcwd()), given)))
    raise _nothing_there(path)


def _file(path: str) -> str:
    if not os.path.isfile(path):
        raise InputError(f"{path!r} is neither a file nor a folder; name one that is")
    _check_ending(path)
    return _escaped(path)


def _check_ending(path: str) -> None:
    if not files.known_ending(path):
        raise InputError(
            f"{path!r} has none of the known endings ({files.DESCRIPTION});"
            " rename it or leave it out"
        )


def _escaped(path: str) -> str:
    for character, name in _REFUSED_CHARACTERS.items():
        if character in path:
            raise InputError(f"the path {path!r} contains {name}; rename the file or folder")
    return files.escape(path)


def _in_folder(folder: str) -> list[str]:
    patterns = []
    for parent, names in _folders(folder):
        endings = {_ending(parent, name) for name in names} - {""}
        # [!.] as TensorFlow's glob, which makes the fingerprint, matches hidden files with "*".
        patterns += [os.path.join(_escaped(parent), f"[!.]*{ending}") for ending in endings]
    if not patterns:
        raise NothingThereError(
            f"{folder!r} holds no file with a known ending ({files.DESCRIPTION})"
        )
    return patterns


def _folders(top: str) -> Iterator[tuple[str, list[str]]]:
    """Yields each folder that is not hidden and the names of its files.

    Links are followed, and a folder that several of them lead to comes once.
    """
    seen: set[str] = set()
    for parent, subfolders, names in os.walk(top, followlinks=True, onerror=_unreadable):
        if os.path.realpath(parent) in seen:
            subfolders.clear()
            continue
        seen.add(os.path.realpath(parent))
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield parent, names


def _unreadable(error: OSError) -> NoReturn:
    raise InputError(
        f"{error.filename!r} cannot be read ({error.strerror}); change its permissions"
    ) from error


def _ending(parent: str, name: str) -> str:
    """Returns the known ending as `name` spells it, "" for a file that is not read."""
    ending = files.known_ending(name)
    if name.startswith(".") or not ending or not os.path.isfile(os.path.join(parent, name)):
        return ""
    return name[-len(ending) :]


def _in_glob(pattern: str) -> list[str]:
    matches = sorted(path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))
    if not matches:
        raise NothingThereError(f"no file matches {pattern!r}; check the folder and the ending")
    for path in matches:
        _check_ending(path)
    if "**" not in pattern and not any(character in pattern for character in "\n\\{"):
        return [pattern]
    return [_escaped(path) for path in matches]


def _nothing_there(path: str) -> NothingThereError:
    parent, name = os.path.split(path)
    while not os.path.isdir(parent):
        parent, name = os.path.split(parent)
    try:
        siblings = os.listdir(parent)
    except PermissionError as error:
        _unreadable(error)
    close = difflib.get_close_matches(name, siblings, n=1)
    advice = f"did you mean {close[0]!r}?" if close else f"{parent!r} holds no {name!r}"
    return NothingThereError(f"there is no file or folder {path!r}; {advice}")


def _check_files(patterns: Sequence[str]) -> None:
    found = matched_files(patterns)
    for path in found:
        if str(path) != os.fsencode(path).decode(errors="replace"):
            raise InputError(f"the path {str(path)!r} is not UTF-8; rename the file or folder")
        if not os.access(path, os.R_OK):
            raise InputError(f"{str(path)!r} cannot be read; change its permissions (chmod +r)")
    remote = any(files.is_remote(pattern) for pattern in patterns)
    if not remote and not any(path.stat().st_size for path in found):
        names = files.name_few([str(path) for path in found])
        raise InputError(f"the corpus is empty, 0 bytes in {names}; give files with text")
