"""Files and links that are replaced in one step: readers see the old one or the new one, whole."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def unfinished_name(path: Path) -> Path:
    """Where what is to stand at `path` is written to."""
    return path.with_name(path.name + ".unfinished")


@contextlib.contextmanager
def aside(path: Path) -> Iterator[Path]:
    """Gives a name beside `path` to write to, and puts what is written there in place of `path`.

    A block that fails, or a kill, leaves `path` as it was.
    """
    unfinished = unfinished_name(path)
    yield unfinished
    unfinished.replace(path)


def write_aside(path: Path, text: str) -> None:
    """Writes a file of UTF-8 in one step."""
    with aside(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def replace_link(link: Path, target: Path) -> None:
    """Points `link` at `target` in one step, by a path relative to the link's folder."""
    with aside(link) as unfinished:
        unfinished.unlink(missing_ok=True)
        unfinished.symlink_to(os.path.relpath(target, link.parent))
