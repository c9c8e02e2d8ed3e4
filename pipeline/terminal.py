"""What the terminal shows: nothing of native code, and text of strangers as text."""

import contextlib
import os
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# Controls, and what is not seen and changes how a line reads; lone surrogates are bytes of a name
# that is not UTF-8.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# ZERO WIDTH NON-JOINER and JOINER: words of Persian, Hindi and Sinhala are spelt with them.
_JOINERS = "\u200c\u200d"
# Columns; more than any table takes.
_UNBROKEN = 1 << 16


def shown(text: str) -> str:
    r"""Text from a corpus, a file or a name as a terminal may be given it: on one line, all seen.

    >>> print(shown("red\x1b[31m, line\nbreak, \u202etfel"))
    red\x1b[31m, line\nbreak, \u202etfel
    >>> shown("caf\u00e9") == "caf\u00e9"
    True
    """
    return "".join(_escaped(one) if _is_unseen(one) else one for one in text)


def shown_lines(text: str) -> str:
    """The same of text of several lines, which stay."""
    return "\n".join(map(shown, text.split("\n")))


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN and character not in _JOINERS


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def console() -> "Console":
    """rich's; into a pipe or a file a table is as wide as its words ask, not 80 columns."""
    from rich.console import Console

    found = Console()
    if found.is_terminal or found.is_jupyter or "COLUMNS" in os.environ:
        return found
    return Console(width=_UNBROKEN)


def print_what_can_be_printed() -> None:
    r"""From now on what stdout and stderr cannot encode comes as `\xe9`, and ends no run."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


@contextlib.contextmanager
def stderr_to(path: Path) -> Iterator[None]:
    """Sends what is written to the file descriptor of stderr to a file.

    Args:
      path: of the file, written anew.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
