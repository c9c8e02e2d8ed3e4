import datetime
from pathlib import Path

import pytest

from pipeline.corpus import dates
from pipeline.sections.corpus import CorpusConfig
from trainer_module.errors import InputError

NAME = "logs/{YYYY}-{MM}-{DD}/*.txt"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of five days around the end of February of a leap year; those of one are empty."""
    for day in ("2028-02-27", "2028-02-28", "2028-02-29", "2028-03-01", "2028-03-03"):
        path = tmp_path / "logs" / day / "a.txt"
        path.parent.mkdir(parents=True)
        path.write_text("" if day == "2028-03-03" else f"words of {day}\n")
    (tmp_path / "books.txt").write_text("some words\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def march(day: int) -> datetime.date:
    return datetime.date(2028, 3, day)


def resolved(last: datetime.date, *names: str, **fields: int) -> dates.Corpus:
    found = dates.resolve_corpus(CorpusConfig(files=names or (NAME,), **fields), last)
    assert found is not None
    return found


def sentence(last: datetime.date | None, *names: str, **fields: int) -> str:
    with pytest.raises(InputError) as caught:
        dates.resolve_corpus(CorpusConfig(files=names or (NAME,), **fields), last)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_window_goes_over_the_end_of_a_month_of_a_leap_year(folder: Path) -> None:
    found = resolved(march(1), days=3)
    assert found.patterns == [
        f"{folder}/logs/2028-02-28/*.txt",
        f"{folder}/logs/2028-02-29/*.txt",
        f"{folder}/logs/2028-03-01/*.txt",
    ]
    assert found.missing == ()


@pytest.mark.parametrize(
    ("last", "number", "first"),
    [
        ((2028, 3, 1), 2, (2028, 2, 29)),
        ((2027, 3, 1), 2, (2027, 2, 28)),
        ((2100, 3, 1), 2, (2100, 2, 28)),
        ((2027, 1, 1), 2, (2026, 12, 31)),
        ((2027, 1, 1), 1, (2027, 1, 1)),
        ((2027, 1, 1), 366, (2026, 1, 1)),
    ],
)
def test_days_are_counted_back_from_the_last(
    last: tuple[int, int, int], number: int, first: tuple[int, int, int]
) -> None:
    days = dates.days_until(datetime.date(*last), number)
    assert days[0] == datetime.date(*first)
    assert days[-1] == datetime.date(*last)
    assert len(days) == number


def test_the_span_is_that_of_tfx() -> None:
    from tfx.components.example_gen.utils import date_to_span_number

    for day in (datetime.date(1970, 1, 1), datetime.date(2026, 11, 24), march(1)):
        assert dates.Corpus([], day).span == date_to_span_number(day.year, day.month, day.day)
    assert dates.Corpus([]).span is None


def test_a_file_a_folder_and_a_name_without_a_date_stand_beside_it(folder: Path) -> None:
    by_file = resolved(march(1), "logs/{YYYY}-{MM}-{DD}/a.txt", "books.txt")
    assert by_file.patterns == [f"{folder}/books.txt", f"{folder}/logs/2028-03-01/a.txt"]
    by_folder = resolved(march(1), "logs/{YYYY}-{MM}-{DD}")
    assert by_folder.patterns == [f"{folder}/logs/2028-03-01/[!.]*.txt"]


def test_a_remote_name_becomes_one_a_day() -> None:
    found = resolved(march(1), "gs://bucket/{YYYY}/{MM}/{DD}/*.gz", days=2)
    assert found.patterns == ["gs://bucket/2028/02/29/*.gz", "gs://bucket/2028/03/01/*.gz"]


def test_a_date_is_todays_by_default(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class March(datetime.date):
        @classmethod
        def today(cls) -> datetime.date:
            return march(1)

    monkeypatch.setattr(datetime, "date", March)
    found = dates.resolve_corpus(CorpusConfig(files=(NAME,)))
    assert found is not None
    assert found.patterns == [f"{folder}/logs/2028-03-01/*.txt"]


def test_the_quick_start_corpus_is_text() -> None:
    with pytest.raises(InputError, match=r"corpus\.kind=edges is without files"):
        dates.resolve_corpus(CorpusConfig(kind="edges"))


def test_no_name_is_the_quick_start_corpus_and_one_without_a_date_has_no_day(folder: Path) -> None:
    assert dates.resolve_corpus(CorpusConfig()) is None
    assert dates.resolve_corpus(CorpusConfig(files=("books.txt",))) == dates.Corpus(
        [f"{folder}/books.txt"]
    )


@pytest.mark.parametrize("day", [2, 3])
def test_a_day_without_a_file_or_with_an_empty_one_is_an_error_that_names_it(
    folder: Path, day: int
) -> None:
    assert sentence(march(day)) == (
        f"the corpus has nothing for '2028-03-0{day}' by the pattern {NAME!r}, of the 1 day up to "
        f"2028-03-0{day}: give the command again when the files are there, choose another --date, "
        "or raise corpus.max_missing_days, which is 0"
    )


def test_missing_days_may_be_allowed_and_are_told(folder: Path) -> None:
    found = resolved(march(3), days=4, max_missing_days=2)
    assert found.patterns == [
        f"{folder}/logs/2028-02-29/*.txt",
        f"{folder}/logs/2028-03-01/*.txt",
    ]
    assert found.missing == (march(2), march(3))
    assert dates.missing_days(found) == (
        "the corpus has nothing for '2028-03-02', '2028-03-03', and the run goes on without"
    )


def test_more_than_may_be_missing_are_an_error(folder: Path) -> None:
    said = sentence(march(3), days=4, max_missing_days=1)
    assert "nothing for '2028-03-02', '2028-03-03' by the pattern" in said
    assert said.endswith("corpus.max_missing_days, which is 1")
    with pytest.raises(dates.MissingDaysError):
        resolved(march(2))


def test_a_day_is_missing_where_one_of_two_names_has_nothing(folder: Path) -> None:
    said = sentence(march(1), NAME, "books/{YYYY}/{MM}/{DD}.txt", days=2)
    assert "'2028-02-29', '2028-03-01' by the pattern 'books/{YYYY}/{MM}/{DD}.txt'" in said


@pytest.mark.parametrize("names", [("books.txt",), ()])
def test_a_date_without_a_name_that_has_one_is_refused(
    folder: Path, names: tuple[str, ...]
) -> None:
    with pytest.raises(InputError, match=r"--date 2028-03-01 is for a corpus with dates, and no"):
        dates.resolve_corpus(CorpusConfig(files=names), march(1))


def test_a_file_of_another_kind_is_not_a_missing_day(folder: Path) -> None:
    (folder / "logs" / "2028-03-02").mkdir()
    (folder / "logs" / "2028-03-02" / "a.xlsx").write_text("a,b\n")
    assert "has none of the known endings" in sentence(march(2), "logs/{YYYY}-{MM}-{DD}/a.xlsx")


def test_whether_remote_days_are_missing_is_not_known() -> None:
    said = sentence(march(1), "gs://b/{YYYY}{MM}{DD}.txt", days=2, max_missing_days=1)
    assert said.startswith("whether days of 'gs://b/{YYYY}{MM}{DD}.txt' are missing is not known")
