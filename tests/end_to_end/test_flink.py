"""Beam's components on a real Flink: what the direct runner gives, also if a worker is killed."""

import contextlib
import ipaddress
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import tensorflow as tf
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.embedding_evaluator.metric_list import METRICS
from tests.end_to_end import kinds
from tests.end_to_end.commands import Run, Skipgram, run_arguments, transformed_records
from tests.end_to_end.test_run_again import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.flink]

ROOT = Path(__file__).resolve().parents[2]
PAUSING_WORKER = Path(__file__).with_name("pausing_worker")
# What Maven says if it does not get what it asks for.
NOT_TO_BE_HAD = re.compile(r"Could not (?:find|transfer)|Unknown host|was not found in")


class Flink(NamedTuple):
    settings: tuple[str, ...]
    state: Path
    pause_folder: Path


def cluster(
    command: str, state: Path, *more: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    arguments = ("--state", str(state), "--job-port", "0", "--worker-port", "0")
    return subprocess.run(
        [sys.executable, "-m", "tests.flink.cluster", command, *arguments, *more],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def flink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flink]:
    for program in ("java", "mvn"):
        if not shutil.which(program):
            pytest.skip(f"{program} is missing: nothing is run on Flink")
    state, pause_folder = (tmp_path_factory.mktemp(name) for name in ("flink", "pause"))
    path = os.pathsep.join((str(PAUSING_WORKER), os.environ.get("PYTHONPATH", "")))
    environment = {"PYTHONPATH": path.rstrip(os.pathsep), "PAUSE_FOLDER": str(pause_folder)}
    started = cluster("start", state, **environment)
    if started.returncode and NOT_TO_BE_HAD.search(started.stderr):
        pytest.skip("Maven Central is missing: nothing is run on Flink")
    assert started.returncode == 0, started.stderr
    try:
        settings = re.findall(r"--set (\S+)", started.stdout)
        yield Flink(tuple(settings), state, pause_folder)
    finally:
        stopped = cluster("stop", state)
    assert stopped.returncode == 0, stopped.stderr
    assert not processes_that_write_to(state)
    assert cluster("status", state).returncode == 1


def processes_that_write_to(folder: Path) -> list[str]:
    """The command lines of the processes whose standard output is below a folder."""
    outputs = [path for path in Path("/proc").glob("[0-9]*/fd/1") if os.access(path, os.R_OK)]
    ours = [path for path in outputs if str(folder) in os.readlink(path)]
    return [(path.parents[1] / "cmdline").read_text() for path in ours]


def listened_at(state: Path) -> set[str]:
    """The addresses at which the processes of a cluster listen now, as the kernel writes them."""
    groups = [process["pid"] for process in json.loads((state / "state.json").read_text()).values()]
    sockets = set[str]()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            if os.getpgid(int(process.name)) in groups:
                sockets |= {os.readlink(path) for path in (process / "fd").iterdir()}
    entries = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path("/proc/net", name).read_text().splitlines()[1:]
    ]
    return {
        fields[1].partition(":")[0]
        for fields in entries
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets
    }


def is_loopback(address: str) -> bool:
    """Whether an address of /proc/net, words of 32 bits each in this machine's order, is one."""
    words = (int(address[start : start + 8], 16) for start in range(0, len(address), 8))
    parsed = ipaddress.ip_address(b"".join(word.to_bytes(4, sys.byteorder) for word in words))
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ((127, 0, 0, 1), True),
        ((0, 0, 0, 0), False),
        ((192, 0, 2, 1), False),
        ((*[0] * 15, 1), True),
        ((*[0] * 10, 255, 255, 127, 0, 0, 1), True),
        ((*[0] * 16,), False),
    ],
)
def test_which_address_is_of_the_loopback_interface(
    address: tuple[int, ...], loopback: bool
) -> None:
    words = [bytes(address[start : start + 4]) for start in range(0, len(address), 4)]
    written = "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
    assert is_loopback(written) == loopback


@pytest.fixture(scope="module")
def on_flink(
    flink: Flink, corpus: Path, skipgram: Skipgram, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    output = tmp_path_factory.mktemp("on-flink") / "output"
    return run_on(skipgram, corpus, output, *flink.settings)


def run_on(skipgram: Skipgram, corpus: Path, output: Path, *settings: str) -> Run:
    ended = skipgram(*run_arguments(corpus, output, *settings))
    assert ended.code == 0, ended.stderr
    return Run.read(output, ended.stdout)


def artifact(output: Path, component: str, name: str) -> Path:
    [path] = (output / "artifacts" / component / name).iterdir()
    return path


def documents(output: Path, split: str) -> dict[str, list[bytes]]:
    folder = artifact(output, "TextExampleGen", "examples") / split
    return {
        path.name: list(tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator())
        for path in folder.iterdir()
    }


@pytest.mark.parametrize("split", ["Split-train", "Split-eval"])
def test_the_same_documents_in_the_same_order_in_the_same_files(
    run: Run, on_flink: Run, split: str
) -> None:
    assert documents(on_flink.output, split) == documents(run.output, split)


@pytest.mark.parametrize("split", ["Split-train", "Split-eval"])
def test_the_same_statistics(run: Run, on_flink: Run, split: str) -> None:
    def statistics(output: Path) -> statistics_pb2.DatasetFeatureStatistics:
        [path] = (artifact(output, "StatisticsGen", "statistics") / split).iterdir()
        [found] = statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes()).datasets
        # Features come in the order in which workers end.
        found.features.sort(key=lambda feature: feature.path.step[0])
        return found

    assert statistics(on_flink.output) == statistics(run.output)


def transformed(output: Path, split: str) -> list[list[tuple[str, list[int]]]]:
    return transformed_records(artifact(output, "Transform", "transformed_examples") / split)


@pytest.mark.parametrize("split", ["Split-train", "Split-eval"])
def test_the_same_pairs(run: Run, on_flink: Run, split: str) -> None:
    pairs = transformed(on_flink.output, split)
    assert pairs
    assert pairs == transformed(run.output, split)


def test_the_same_metrics(run: Run, on_flink: Run) -> None:
    assert on_flink.summary["blessed"]
    for name in ("documents", "tokens", "vocabulary_size", "pairs_train", "pairs_eval"):
        assert on_flink.summary[name] == run.summary[name], name
    # The Evaluator adds up in the order of the runner.
    metrics = [name for name in run.summary if name.endswith("_cross_entropy")]
    assert len(metrics) == 5
    for name in metrics:
        assert on_flink.summary[name] == pytest.approx(run.summary[name], rel=1e-6), name


def test_a_second_night_is_held_against_the_first(
    on_flink: Run, flink: Flink, corpus: Path, skipgram: Skipgram
) -> None:
    settings = (*flink.settings, "trainer.epochs=2", "evaluator.max_increase=10")
    second = run_on(skipgram, corpus, on_flink.output, *settings).summary
    # The vocabulary is the same, and so are the pairs: each common figure is a model's own.
    assert second["num_common_pairs"] == second["pairs_eval"]
    for common, own in (
        ("common_cross_entropy", second),
        ("common_cross_entropy_of_last_blessed", on_flink.summary),
    ):
        assert second[common] == pytest.approx(own["full_softmax_cross_entropy"], abs=1e-4)
    assert second["increase"] > 5 * second["increase_error"] > 0
    assert second["moved"]["neighbor_overlap"] > 0


@pytest.mark.parametrize("kind", kinds.CORPORA)
def test_the_same_of_other_kinds_of_corpora(
    kind: str, run_of_kind: Callable[[str], Run], flink: Flink, skipgram: Skipgram, tmp_path: Path
) -> None:
    here = run_of_kind(kind)
    on_flink = kinds.run(skipgram, kind, tmp_path, *flink.settings)
    for split in ("Split-train", "Split-eval"):
        assert documents(on_flink.output, split) == documents(here.output, split)
        assert transformed(on_flink.output, split) == transformed(here.output, split)
    assert on_flink.summary["read"] == here.summary["read"]
    assert on_flink.summary["blessed"]
    metrics = sorted({metric.name for metric in METRICS} & here.summary.keys())
    assert len(metrics) > 15
    for name in metrics:
        assert on_flink.summary[name] == pytest.approx(here.summary[name], rel=1e-6), name


def test_what_a_worker_could_not_read_is_said_as_on_the_direct_runner(
    flink: Flink, skipgram: Skipgram, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"text": "a b c"}\n{"txt": "a b c"}\n')
    ended = skipgram(*run_arguments(corpus, tmp_path / "output", *flink.settings))
    assert ended.code == 1
    said = f"skipgram: TextExampleGen failed: '{corpus}', line 2, has no field 'text'"
    assert ended.stderr.startswith(said)


def test_what_runs_is_not_started_again(flink: Flink) -> None:
    again = cluster("start", flink.state)
    assert again.returncode == 1
    assert "job-server and worker-pool" in again.stderr
    assert "stop it first" in again.stderr
    assert cluster("status", flink.state).returncode == 0


def test_a_taken_port_is_named_and_nothing_is_left(flink: Flink, tmp_path: Path) -> None:
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        ended = cluster("start", tmp_path, "--worker-port", str(port))
    assert ended.returncode == 1
    assert f"port {port} for the worker-pool is taken" in ended.stderr
    assert not processes_that_write_to(tmp_path)


def test_a_killed_worker_is_retried_without_loss_or_duplicates_and_no_stranger_gets_in(
    run: Run, flink: Flink, corpus: Path, skipgram: Skipgram, tmp_path: Path
) -> None:
    (flink.pause_folder / "armed").touch()
    output = tmp_path / "output"
    command = skipgram.start(*run_arguments(corpus, output, *flink.settings))
    paused = flink.pause_folder / "paused"
    wait_until(paused.exists, command)
    addresses = listened_at(flink.state)  # while a job runs
    assert addresses
    assert all(map(is_loopback, addresses)), addresses
    os.kill(int(paused.read_text()), signal.SIGKILL)
    ended = command.wait()
    assert ended.code == 0, ended.stderr
    for split in ("Split-train", "Split-eval"):
        assert transformed(output, split) == transformed(run.output, split)
