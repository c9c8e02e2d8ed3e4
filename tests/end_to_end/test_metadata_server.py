"""Metadata on a MariaDB: two first runs at the same time, again from the cache, and what fails."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests import mariadb
from tests.end_to_end.commands import Skipgram, run_arguments

pytestmark = [pytest.mark.slow, pytest.mark.mysql]

DATABASE = "skipgram"
# Run at the same time, with different results.
DIMENSIONS = {"first": 16, "second": 8}


class Pair(NamedTuple):
    folder: Path
    summaries: dict[str, dict[str, Any]]


def arguments(server: mariadb.Server, corpus: Path, output: Path, *settings: str) -> list[str]:
    given = (f"trainer.dim={DIMENSIONS.get(output.name, 16)}", "trainer.epochs=2")
    return run_arguments(corpus, output, *server.settings(DATABASE), *given, *settings)


def words(settings: list[str]) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


@pytest.fixture(scope="module")
def pair(
    server: mariadb.Server,
    corpus: Path,
    skipgram: Skipgram,
    tmp_path_factory: pytest.TempPathFactory,
) -> Pair:
    """Two runs into two folders, begun at the same time where there is no database yet."""
    folder = tmp_path_factory.mktemp("metadata-server")
    commands = {
        name: skipgram.start(*arguments(server, corpus, folder / name), MYSQL_PWD=mariadb.PASSWORD)
        for name in DIMENSIONS
    }
    ended = {name: command.wait() for name, command in commands.items()}
    for end in ended.values():
        assert end.code == 0, end.stdout + end.stderr
        assert end.stderr == ""
    summaries = {name: json.loads((folder / name / "summary.json").read_text()) for name in ended}
    return Pair(folder, summaries)


def test_two_first_runs_at_once_both_end_well(pair: Pair, server: mariadb.Server) -> None:
    first, second = pair.summaries.values()
    assert first["blessed"]
    assert second["blessed"]
    assert first["cached"] == second["cached"] == []
    assert first["full_softmax_cross_entropy"] != second["full_softmax_cross_entropy"]
    for name, dimensions in DIMENSIONS.items():
        header = (pair.folder / name / "vectors" / "vectors.txt").read_text().splitlines()[0]
        assert header == f"15 {dimensions}"
        assert not (pair.folder / name / "metadata.sqlite").exists()
    # All that was begun is complete, and each type is there once.
    states = server.query(f"select distinct last_known_state from {DATABASE}.Execution")
    assert states.split() == ["3"]
    twice = f"select name from {DATABASE}.Type group by name, type_kind having count(*) > 1"
    assert server.query(twice) == ""


def test_each_folder_finds_only_what_is_its_own(
    pair: Pair, server: mariadb.Server, corpus: Path, skipgram: Skipgram
) -> None:
    ended = skipgram(*arguments(server, corpus, pair.folder / "first"), MYSQL_PWD=mariadb.PASSWORD)
    assert ended.code == 0, ended.stderr
    assert "All components are cached" in ended.stdout
    again = json.loads((pair.folder / "first" / "summary.json").read_text())
    for name in ("full_softmax_cross_entropy", "train_loss", "documents", "pairs_eval"):
        assert again[name] == pair.summaries["first"][name]

    for name, runs in (("first", 2), ("second", 1)):
        output = pair.folder / name
        ended = skipgram(
            "runs", "--output", str(output), *words(server.settings(DATABASE)),
            MYSQL_PWD=mariadb.PASSWORD,
        )  # fmt: skip
        assert ended.code == 0, ended.stderr
        assert ended.stdout.count("nce") == runs
        shown = f"{pair.summaries[name]['full_softmax_cross_entropy']:.4f}"
        assert ended.stdout.count(shown) == runs


def test_bless_and_prune_see_the_runs_of_their_folder(
    pair: Pair, server: mariadb.Server, skipgram: Skipgram
) -> None:
    output = pair.folder / "second"
    name = pair.summaries["second"]["run"]
    given = ["--output", str(output), *words(server.settings(DATABASE))]
    ended = skipgram("bless", name, "--reason", "x", *given, MYSQL_PWD=mariadb.PASSWORD)
    assert ended.code == 0, ended.stderr
    assert ended.stdout.startswith(f"run {name} is the last blessed one already: serving/{name} ")
    ended = skipgram("prune", "--keep", "1", *given, MYSQL_PWD=mariadb.PASSWORD)
    assert ended.code == 0, ended.stderr
    assert ended.stdout.splitlines()[-1].startswith("0.0 MB go, ")


def test_the_password_is_in_no_file(pair: Pair) -> None:
    files = [path for path in pair.folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".log" for path in files)
    password = mariadb.PASSWORD.encode()
    assert [path for path in files if password in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("case", "code", "said"),
    [
        ("no server", 1, "no metadata server answers at"),
        ("wrong password", 1, "does not let in user skipgram: look at metadata.user and the passw"),
        ("no password", 2, "the environment variable MYSQL_PWD is not set: set it to the password"),
    ],
)
def test_what_cannot_work_is_said_in_a_sentence(
    case: str, code: int, said: str,
    server: mariadb.Server, corpus: Path, skipgram: Skipgram, tmp_path: Path,
) -> None:  # fmt: skip
    assert "MYSQL_PWD" not in os.environ
    output = tmp_path / "output"
    given = arguments(server, corpus, output)
    if case == "no server":
        given += ["--set", f"metadata.socket={tmp_path / 'none'}"]
    password = {"no server": mariadb.PASSWORD, "wrong password": "guess"}.get(case)
    ended = skipgram(*given, **({"MYSQL_PWD": password} if password else {}))
    assert ended.code == code
    [sentence] = ended.stderr.splitlines()
    assert said in sentence
    assert not (output / "artifacts").exists()
