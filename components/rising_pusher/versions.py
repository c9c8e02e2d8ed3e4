"""Numbers that rise: the names of runs, and the versions that are served. Without TFX."""

import re
from datetime import datetime

# A run of ours; on a metadata server the folder's identity follows.
_RUN_ID = re.compile(r"(?P<number>\d{14,})(?:-[0-9a-f]+)?")


def next_number(last: int, now: datetime) -> int:
    """The digits of the time, or one more than the last number: clocks go back.

    >>> next_number(0, datetime(2026, 11, 24, 3, 0, 5))
    20261124030005
    >>> next_number(20261124030005, datetime(2026, 11, 24, 2, 30))
    20261124030006
    """
    return max(int(f"{now:%Y%m%d%H%M%S}"), last + 1)


def number_of_run(run_id: str | None) -> int | None:
    """The number that names a run of ours; None of others, such as those of a cluster.

    >>> number_of_run("20261124030005-0123456789ab")
    20261124030005
    >>> number_of_run("skipgram-2026") is None
    True
    """
    match = _RUN_ID.fullmatch(run_id or "")
    return int(match["number"]) if match else None
