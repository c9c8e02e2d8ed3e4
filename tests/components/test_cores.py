import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from components import cores

_V1 = "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"
_V1_TOGETHER = "cpu,cpuacct/cpu.cfs_quota_us", "cpu,cpuacct/cpu.cfs_period_us"


def cgroup(folder: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "400000 100000\n"}, 4.0),
        ({"cpu.max": "50000 100000\n"}, 0.5),
        ({"cpu.max": "max 100000\n"}, None),
        (dict(zip(_V1, ("350000\n", "100000\n"), strict=True)), 3.5),
        (dict(zip(_V1_TOGETHER, ("20000\n", "10000\n"), strict=True)), 2.0),
        (dict(zip(_V1, ("-1\n", "100000\n"), strict=True)), None),
        ({"cpu.max": "of another kernel"}, None),
        ({_V1[0]: "350000\n"}, None),
        ({}, None),
    ],
)
def test_the_limit_of_a_container(
    tmp_path: Path, files: dict[str, str], expected: float | None
) -> None:
    assert cores.quota(cgroup(tmp_path, files)) == expected


@pytest.mark.parametrize(
    ("limit", "number", "expected"),
    [
        (None, 1, [[0, 1, 2, 3, 4, 5]]),
        (None, 4, [[0, 4], [1, 5], [2], [3]]),
        (4.0, 2, [[0, 2], [1, 3]]),
        (3.5, 1, [[0, 1, 2, 3]]),  # a half core is not left idle
        (0.1, 1, [[0]]),
        (2.0, 3, [[0], [1], [0]]),  # more workers than cores
        (64.0, 1, [[0, 1, 2, 3, 4, 5]]),
    ],
)
def test_workers_share_what_the_container_may_use(
    limit: float | None, number: int, expected: list[list[int]]
) -> None:
    found = [cores.share(range(6), limit, index, number) for index in range(number)]
    assert found == expected


def test_another_pod_begins_elsewhere() -> None:
    assert cores.share([0, 1, 2, 8, 9], 3.0, 0, 1, start=8) == [8, 9, 0]
    assert cores.share([0, 1, 2, 8, 9], None, 0, 1, start=8) == [0, 1, 2, 8, 9]


_TAKING = """
import os, pathlib, sys
from components import cores
cores.quota = lambda: float(sys.argv[1])
cores.take()
print(len(os.sched_getaffinity(0)), len(os.sched_getaffinity(os.getppid())))
"""


@pytest.mark.parametrize(("limit", "expected"), [("1", 1), ("1000", None)])
def test_a_process_takes_no_more_than_its_limit(limit: str, expected: int | None) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _TAKING, limit], capture_output=True, text=True, check=True
    )
    own, of_machine = map(int, ended.stdout.split())
    assert own == (expected or of_machine)
