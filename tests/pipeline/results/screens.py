"""What a terminal shows of a table."""

import io
from typing import Any

from rich.console import Console

CONTROLS, SHOWN = "\x1b[2Ja\u202eb", r"\x1b[2Ja\u202eb"


def printed(what: Any, width: int = 200, *, in_color: bool = False) -> str:
    kept = {"force_terminal": True, "color_system": "standard"} if in_color else {}
    console = Console(file=io.StringIO(), width=width, **kept)
    console.print(what)
    return console.file.getvalue()


def rows(table: Any) -> list[list[str]]:
    """The rows of a printed table below its header."""
    return [_cells(line) for line in printed(table).splitlines() if line.startswith("│")]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("│")[1:-1]]
