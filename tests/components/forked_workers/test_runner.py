"""The runner through Beam itself, in processes of their own: pipelines.py."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.components.forked_workers.pipelines import LARGE, NUMBERS

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.components.forked_workers.pipelines"]
    folder = tmp_path_factory.mktemp("scenarios")
    ended = subprocess.run(
        [*command, str(folder)], stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT
    )
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def processes(found: dict[str, Any]) -> set[int]:
    return {process for _, values, _ in found["found"] for process, _ in values}


@pytest.mark.parametrize("scenario", ["divided", "on_one_core", "with_threads", "ahead_of_threads"])
def test_a_divided_pipeline_gives_what_one_worker_gives(
    scenarios: dict[str, Any], scenario: str
) -> None:
    found = {key: (values, added) for key, values, added in scenarios[scenario]["found"]}
    assert set(found) == set(range(7))
    for key, (values, added) in found.items():
        assert sorted(number for _, number in values) == [n for n in NUMBERS if n % 7 == key]
        assert added == 3 + 4


@pytest.mark.parametrize("scenario", ["divided", "ahead_of_threads"])
def test_the_work_is_done_by_forks_one_a_core(scenarios: dict[str, Any], scenario: str) -> None:
    divided = scenarios[scenario]
    assert len(processes(divided)) == 3
    assert divided["process"] not in processes(divided)


@pytest.mark.parametrize("scenario", ["on_one_core", "with_threads"])
def test_where_forks_would_not_pay_or_hang_there_are_none(
    scenarios: dict[str, Any], scenario: str
) -> None:
    assert processes(scenarios[scenario]) == {scenarios[scenario]["process"]}


def test_nobody_listens_and_no_worker_is_left(scenarios: dict[str, Any]) -> None:
    assert scenarios["divided"]["servers"] == []
    assert scenarios["divided"]["children"] == 0


def test_state_is_kept_by_the_runner(scenarios: dict[str, Any]) -> None:
    # The bag is cleared at 0, 10 and 20, which is then in it: 0 was first, so nothing came before.
    expected = [0, *range(1, 11), *range(1, 11), *range(1, 5)]
    assert scenarios["with_state"] == expected


def test_elements_may_be_larger_than_a_socket_takes(scenarios: dict[str, Any]) -> None:
    assert scenarios["large"] == [LARGE + 1] * 3


def test_what_a_worker_raises_is_said_as_if_the_process_had(scenarios: dict[str, Any]) -> None:
    assert scenarios["refused"]["sentence"] == "there is no such thing"
    assert scenarios["broken"]["sentence"].startswith("RuntimeError: ZeroDivisionError: ")
    assert "pipelines.py" in scenarios["broken"]["trace"]


def test_a_worker_that_is_killed_ends_the_pipeline(scenarios: dict[str, Any]) -> None:
    assert scenarios["killed"]["sentence"] == (
        "RuntimeError: a worker of Beam's was ended by SIGKILL; the machine may have run out of "
        "memory"
    )


def test_workers_end_with_their_process(scenarios: dict[str, Any]) -> None:
    orphaned = scenarios["orphaned"]
    assert orphaned["worker"] != orphaned["parent"]
    assert not orphaned["alive"]
