"""The corpus of a night: names that hold dates, and the days that they stand for.

TFX's ExampleGen takes one span at a time, so a window of days is put into the patterns: each name
with a date becomes one a day.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from components.text_example_gen import files
from pipeline.corpus.patterns import NothingThereError, matched_files, patterns_of, resolve
from pipeline.sections.corpus import CorpusConfig
from trainer_module.errors import InputError

_EPOCH = datetime.date(1970, 1, 1)


class MissingDaysError(InputError):
    """More days are missing than may. The command is right, and a later one may find them."""


class Corpus(NamedTuple):
    """What a run reads."""

    patterns: list[str]  # see patterns.resolve
    date: datetime.date | None = None  # the last of its days; None where no name has a date
    missing: tuple[datetime.date, ...] = ()  # which have no file, or empty ones alone

    @property
    def span(self) -> int | None:
        """The date as TFX counts days.

        >>> Corpus([], datetime.date(1970, 1, 31)).span
        30
        """
        return None if self.date is None else (self.date - _EPOCH).days


def resolve_corpus(corpus: CorpusConfig, date: datetime.date | None = None) -> Corpus | None:
    """Returns what a run reads.

    Args:
      corpus: of the configuration.
      date: the last day of the window; None for today.

    Returns:
      The corpus; None where no file is named, for the quick-start corpus.

    Raises:
      MissingDaysError: more days are missing than corpus.max_missing_days.
      InputError: see patterns.resolve; or there is a date and no name holds one; or days that may
        be missing are of a remote file system; or no file is named and the kind is not text.
    """
    dated = [name for name in corpus.files if files.is_dated(name)]
    if not dated:
        if date is not None:
            raise InputError(
                f"--date {date} is for a corpus with dates, and no name of it has one: write "
                f"{', '.join(files.DATE_FIELDS)} into corpus.files, or leave --date out"
            )
        if not corpus.files and corpus.kind != "text":
            raise InputError(
                f"corpus.kind={corpus.kind} is without files, and the quick-start corpus is text: "
                "name files"
            )
        return Corpus(resolve(corpus.files)) if corpus.files else None
    _require_visible(dated, corpus)
    last = date or datetime.date.today()
    there: list[str] = []
    missing: dict[datetime.date, str] = {}
    for day in days_until(last, corpus.days):
        for name in dated:
            if _is_missing(on(name, day)):
                missing.setdefault(day, name)
            else:
                there.append(on(name, day))
    if len(missing) > corpus.max_missing_days:
        raise _too_many_missing(missing, last, corpus)
    undated = [name for name in corpus.files if not files.is_dated(name)]
    return Corpus(resolve([*undated, *there]), last, tuple(missing))


def days_until(last: datetime.date, number: int) -> list[datetime.date]:
    """Returns that many days up to and including the last one.

    >>> [str(day) for day in days_until(datetime.date(2028, 3, 1), 3)]
    ['2028-02-28', '2028-02-29', '2028-03-01']
    """
    return [last - datetime.timedelta(before) for before in reversed(range(number))]


def on(name: str, day: datetime.date) -> str:
    """Returns a name with a date as it is on one day.

    >>> on("logs/{YYYY}/{MM}/{YYYY}-{MM}-{DD}.txt", datetime.date(2026, 3, 1))
    'logs/2026/03/2026-03-01.txt'
    """
    for field, form in files.DATE_FIELDS.items():
        # strftime would leave out the zeros of the year 26.
        name = name.replace(field, f"{day:{form}}".zfill(len(field) - 2))
    return name


def missing_days(corpus: Corpus) -> str:
    """A sentence about the days that are missing, and may be."""
    days = files.name_few([str(day) for day in corpus.missing])
    return f"the corpus has nothing for {days}, and the run goes on without"


def _is_missing(name: str) -> bool:
    """Whether there is no file, or none with a byte: a feed may break after it opened one."""
    if files.is_remote(name):
        return False
    try:
        return not any(path.stat().st_size for path in matched_files(patterns_of(name)))
    except NothingThereError:
        return True


def _require_visible(dated: Sequence[str], corpus: CorpusConfig) -> None:
    remote = next(filter(files.is_remote, dated), None)
    if remote and corpus.max_missing_days:
        raise InputError(
            f"whether days of {remote!r} are missing is not known before it is read: set "
            "corpus.max_missing_days=0, by which a missing one ends the run, or mount the files"
        )


def _too_many_missing(
    missing: Mapping[datetime.date, str], last: datetime.date, corpus: CorpusConfig
) -> MissingDaysError:
    days, name = files.name_few([str(day) for day in missing]), next(iter(missing.values()))
    number = "1 day" if corpus.days == 1 else f"{corpus.days} days"
    return MissingDaysError(
        f"the corpus has nothing for {days} by the pattern {name!r}, of the {number} up to {last}: "
        "give the command again when the files are there, choose another --date, or raise "
        f"corpus.max_missing_days, which is {corpus.max_missing_days}"
    )
