"""Results that are written one by one: a benchmark that was stopped goes on where it stood."""

import json
from collections.abc import Callable
from typing import Any

from benchmarks import run, trainers

Row = dict[str, Any]


class Record:
    """The rows of a file in benchmarks/results. Delete it to measure all of them anew."""

    def __init__(self, name: str) -> None:
        """Reads what is there."""
        self._name, path = name, run.RESULTS / name
        self.rows: list[Row] = json.loads(path.read_text())["rows"] if path.exists() else []

    def row(self, named: Row, measure: Callable[[], trainers.Figures]) -> Row:
        """The row of that corpus, method and settings; it is measured unless it is there."""
        for row in self.rows:
            if named == {name: row.get(name) for name in named}:
                return row
        self.rows.append({**named, **measure()})
        run.write(self._name, {"machine": trainers.machine(), "rows": self.rows})
        return self.rows[-1]
