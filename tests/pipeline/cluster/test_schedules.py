import doctest

import pytest

from pipeline.cluster import schedules
from trainer_module.errors import InputError


def test_the_examples_hold() -> None:
    assert doctest.testmod(schedules).failed == 0


@pytest.mark.parametrize(
    "cron",
    [
        "0 3 * * *",
        "  0   3 * *  * ",
        "*/15 0-23/2 1,15 jan-MAR sun",
        "59 23 31 12 6",
        "0 0 29 2 *",
        "5/20 3 * * *",
        # Either day counts: each Monday of February.
        "0 3 31 2 MON",
    ],
)
def test_what_cron_takes_passes(cron: str) -> None:
    schedules.require_schedule(cron)


@pytest.mark.parametrize(
    ("cron", "complaint"),
    [
        ("", "has 0 fields and not 5"),
        ("@daily", "has 1 fields"),
        ("0 0 3 * * *", "has 6 fields"),
        ("60 3 * * *", "minute '60' is not from 0 to 59"),
        ("0 24 * * *", "hour '24' is not from 0 to 23"),
        ("0 3 0 * *", "day of the month '0' is not from 1 to 31"),
        ("0 3 * 13 *", "month '13' is not from 1 to 12, or JAN, FEB"),
        ("0 3 * * 7", "day of the week '7' is not from 0 to 6, or SUN, MON"),
        ("0 3 * * FUN", "day of the week 'FUN'"),
        ("0 3 * * -1", "day of the week '-1' is none"),
        ("0,,5 3 * * *", "minute '' is none"),
        ("20-10 3 * * *", "minute '20-10' stands for nothing"),
        ("*/0 3 * * *", r"minute '\*/0' stands for nothing"),
        ("٣ 3 * * *", "minute '٣' is none"),
        ("0 3 31 2,4 *", "a day that never comes"),
        ("0 3 30 FEB *", "a day that never comes"),
    ],
)
def test_what_is_no_schedule_is_refused(cron: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        schedules.require_schedule(cron)
