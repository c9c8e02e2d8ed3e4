import json
from typing import Any

import pytest

from trainer_module.errors import InputError
from trainer_module.workers.cluster import ALONE, Worker, tf_config, this_worker

CLUSTER = {"chief": ["a:1"], "worker": ["b:1", "c:1"], "ps": ["d:1"]}


def place(cluster: dict[str, list[str]], job: str, index: Any) -> Worker:
    task = {"type": job, "index": index}
    return this_worker({"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})})


@pytest.mark.parametrize("environment", [{}, {"TF_CONFIG": ""}, {"TF_CONFIG": "{}"}])
def test_without_a_cluster_a_worker_is_alone(environment: dict[str, str]) -> None:
    assert this_worker(environment) == ALONE == Worker(0, 1)


def test_the_chief_is_first() -> None:
    assert place(CLUSTER, "chief", 0) == Worker(0, 3)
    assert place(CLUSTER, "worker", 0) == Worker(1, 3)
    assert place(CLUSTER, "worker", "1") == Worker(2, 3)  # Vertex gives a string


def test_without_a_chief_worker_0_is_it() -> None:
    found = [place({"worker": ["a:1", "b:1"]}, "worker", index) for index in (0, 1)]
    assert [worker.is_chief for worker in found] == [True, False]


def test_what_is_written_is_read() -> None:
    assert json.loads(tf_config({"worker": ["a:1", "b:1"]}, "worker", 1)) == {
        "cluster": {"worker": ["a:1", "b:1"]},
        "task": {"type": "worker", "index": 1},
    }
    assert this_worker({"TF_CONFIG": tf_config(CLUSTER, "worker", 1)}) == Worker(2, 3)


def test_what_a_service_adds_stands_in_its_place() -> None:
    written = tf_config({"chief": ["a:1"]}, "chief", 0, task={"trial": ""}, environment="cloud")
    assert json.loads(written) == {
        "cluster": {"chief": ["a:1"]},
        "environment": "cloud",
        "task": {"type": "chief", "index": 0, "trial": ""},
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Expecting"),
        (json.dumps({"cluster": CLUSTER}), "'task'"),
        (json.dumps({"cluster": CLUSTER, "task": {"type": "ps", "index": 0}}), "'ps'|tuple"),
        (json.dumps({"cluster": CLUSTER, "task": {"type": "worker", "index": 2}}), "worker 2"),
        (json.dumps([1]), "list"),
    ],
)
def test_what_does_not_say_which_worker_is_refused(text: str, why: str) -> None:
    with pytest.raises(InputError, match=f"does not say which .*({why})"):
        this_worker({"TF_CONFIG": text})
