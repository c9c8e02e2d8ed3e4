"""When a cluster starts a job spec by itself: cron's five fields. Light, and asks nobody."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from trainer_module.errors import InputError

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LONGEST_OF_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_RANGE = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)
_HELP = "write minute, hour, day of the month, month and day of the week, such as '0 3 * * *'"


class _Field(NamedTuple):
    """One of the five, with what it may be."""

    name: str
    least: int
    most: int
    words: Mapping[str, int] = {}


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    # Sunday is 0 alone: not all clusters take 7.
    _Field("day of the week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


def require_schedule(cron: str) -> None:
    """Checks a schedule of cron's five fields.

    Raises:
      InputError: it is none, or of a day that never comes.

    >>> require_schedule("*/15 3 * * MON-FRI")
    """
    fields = cron.split()
    if len(fields) != len(_FIELDS):
        raise InputError(
            f"the schedule {cron!r} has {len(fields)} fields and not {len(_FIELDS)}: {_HELP}"
        )
    values = [_values(field, text) for field, text in zip(_FIELDS, fields, strict=True)]
    days, months = values[2], values[3]
    # Where both days are given, cron goes by either.
    any_weekday = fields[4].startswith("*")
    if any_weekday and all(min(days) > _LONGEST_OF_MONTHS[month - 1] for month in months):
        raise InputError(f"the schedule {cron!r} is of a day that never comes: name another")


def with_seconds(cron: str) -> str:
    """A schedule as Kubeflow Pipelines reads it, which has the seconds first.

    It would take the first of five fields for them, and start the run at each third minute.

    >>> with_seconds("0 3 * * *")
    '0 0 3 * * *'
    """
    return f"0 {' '.join(cron.split())}"


def _values(field: _Field, text: str) -> set[int]:
    return {value for part in text.split(",") for value in _of_part(field, part)}


def _of_part(field: _Field, part: str) -> range:
    """What a number, a range or a star stands for, with its step."""
    match = _RANGE.fullmatch(part)
    if match is None:
        raise InputError(f"the schedule's {field.name} {part!r} is none: {_HELP}")
    first, last, step = match.groups()
    start = _number(field, first) if first else field.least
    # A number with a step goes on to the end: 5/15 is 5, 20, 35, 50.
    end = _number(field, last) if last else start if first and not step else field.most
    if end < start or step == "0":
        raise InputError(f"the schedule's {field.name} {part!r} stands for nothing: {_HELP}")
    return range(start, end + 1, int(step or 1))


def _number(field: _Field, text: str) -> int:
    number = field.words.get(text.upper(), -1) if not text.isdecimal() else int(text)
    if not field.least <= number <= field.most:
        words = f", or {', '.join(field.words)}" if field.words else ""
        raise InputError(
            f"the schedule's {field.name} {text!r} is not from {field.least} to {field.most}{words}"
        )
    return number
