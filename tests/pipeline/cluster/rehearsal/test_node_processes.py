"""Nodes that are forked behave as those that the interpreter starts, and end as they would."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cluster.rehearsal.node_processes import NodeProcesses, Place
from trainer_module.errors import InputError

ROOT = Path(__file__).resolve().parents[4]
PYTHON = Path(sys.executable).parent
# What a node's module does, by its first argument.
MODULE = """
import json, os, subprocess, sys, tempfile
what, *rest = sys.argv[1:]
if what == "tell":
    told = {
        "name": __name__, "program": sys.argv[0], "arguments": rest, "folder": os.getcwd(),
        "environment": dict(os.environ), "first on the path": sys.path[0],
        "session": os.getsid(0) == os.getpid(), "temporary": tempfile.gettempdir(),
        "stdin": sys.stdin.read(), "seen": "seen" in sys.modules, "parent": os.getppid(),
    }
    print(json.dumps(told))
elif what == "leave":
    left = subprocess.Popen(["sleep", "600"])
    print(left.pid)
elif what == "kill":
    os.kill(os.getpid(), 9)
elif what == "exit":
    sys.exit(int(rest[0]) if rest[0].isdecimal() else rest[0])
else:
    raise ValueError("nothing to do")
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("modules")
    (folder / "doing.py").write_text(MODULE)
    (folder / "seen.py").touch()
    (folder / "broken.py").write_text("1 / 0")
    return folder


def place(folder: Path, modules: Path, **variables: str) -> Place:
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": f"{PYTHON}:/usr/bin:/bin",
        "PYTHONPATH": f"{ROOT}:{modules}",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        **variables,
    }
    return Place(environment, folder, folder / "log")


@pytest.fixture(scope="module")
def processes(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcesses]:
    imports = place(tmp_path_factory.mktemp("imports"), modules)
    with NodeProcesses(PYTHON, imports, ["seen", "broken", "no.such.module"]) as started:
        started.wait_for_imports(lambda: None)
        yield started


def run(processes: NodeProcesses, where: Place, *command: str) -> tuple[int, str]:
    code = processes.run(["python", "-m", "doing", *command], where, lambda: None)
    return code, where.log.read_text()


# With a variable of its own a node is not forked; what it sees is the same otherwise.
@pytest.mark.parametrize("variables", [{}, {"OWN": "1"}], ids=["forked", "started"])
def test_a_node_sees_what_it_would_see_alone(
    processes: NodeProcesses, modules: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    where = place(tmp_path / "node", modules, **variables)
    code, log = run(processes, where, "tell", "{}", "two words")
    told = json.loads(log)
    assert code == 0
    assert told.pop("seen") is not bool(variables)
    assert (told.pop("parent") == os.getpid()) is bool(variables)
    told["environment"].pop("LC_CTYPE", None)  # Python's own, for a locale that it does not find
    assert told == {
        "name": "__main__",
        "program": str(modules / "doing.py"),
        "arguments": ["{}", "two words"],
        "folder": str(where.folder),
        "environment": where.environment,
        "first on the path": str(where.folder),
        "session": True,
        "temporary": str(where.folder),
        "stdin": "",
    }


@pytest.mark.parametrize("variables", [{}, {"OWN": "1"}], ids=["forked", "started"])
@pytest.mark.parametrize(
    ("command", "code", "last_line"),
    [
        (("exit", "0"), 0, None),
        (("exit", "7"), 7, None),
        (("exit", "a sentence"), 1, "a sentence"),
        (("fail",), 1, "ValueError: nothing to do"),
        (("kill",), -signal.SIGKILL, None),
    ],
)
def test_a_node_ends_as_it_would_alone(
    processes: NodeProcesses,
    modules: Path,
    tmp_path: Path,
    variables: dict[str, str],
    command: tuple[str, ...],
    code: int,
    last_line: str | None,
) -> None:
    ended, log = run(processes, place(tmp_path, modules, **variables), *command)
    assert ended == code
    assert log.splitlines()[-1:] == ([last_line] if last_line else [])


def test_a_module_that_is_not_there_is_named(
    processes: NodeProcesses, modules: Path, tmp_path: Path
) -> None:
    where = place(tmp_path, modules)
    assert processes.run(["python", "-m", "no.such.module"], where, lambda: None) == 1
    assert "No module named 'no'" in where.log.read_text()


def test_what_a_node_leaves_is_ended(
    processes: NodeProcesses, modules: Path, tmp_path: Path
) -> None:
    code, log = run(processes, place(tmp_path, modules), "leave")
    assert code == 0
    assert ends(int(log))


def ends(process: int) -> bool:
    """Whether a process that was killed is gone before long."""
    for _ in range(100):
        if not is_alive(process):
            return True
        time.sleep(0.1)
    return False


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_what_linux_would_not_start_is_named(
    processes: NodeProcesses, modules: Path, tmp_path: Path
) -> None:
    where = place(tmp_path, modules)
    with pytest.raises(InputError, match="there is no program 'pythonn'"):
        processes.run(["pythonn", "-m", "doing"], where, lambda: None)
    # The limit is the kernel's.
    assert run(processes, where, "tell", "0" * (2**17 - 1))[0] == 0
    with pytest.raises(InputError, match="has 131,072 bytes, and Linux takes 131,071 at most"):
        run(processes, where, "tell", "0" * 2**17)
    with pytest.raises(OSError, match="Argument list too long"):
        subprocess.run(["true", "0" * 2**17], check=False)
    assert subprocess.run(["true", "0" * (2**17 - 1)], check=True).returncode == 0


def test_a_program_is_run_as_it_is(processes: NodeProcesses, modules: Path, tmp_path: Path) -> None:
    where = place(tmp_path, modules)
    assert processes.run(["sh", "-c", "echo a; exit 3"], where, lambda: None) == 3
    assert where.log.read_text() == "a\n"


def test_without_the_process_that_imports_nodes_start_alone(modules: Path, tmp_path: Path) -> None:
    (modules / "ending.py").write_text("import os; os._exit(3)")
    imports, where = place(tmp_path / "imports", modules), place(tmp_path / "node", modules)
    with NodeProcesses(PYTHON, imports, ["ending"]) as started:
        started.wait_for_imports(lambda: None)
        assert run(started, where, "exit", "a sentence") == (1, "a sentence\n")


def test_a_node_is_ended_when_nobody_waits_for_it(modules: Path, tmp_path: Path) -> None:
    """After ^C, which a look raises here."""
    (modules / "waiting.py").write_text("import os, time; print(os.getpid(), flush=True)\n")
    with (modules / "waiting.py").open("a") as file:
        file.write("time.sleep(600)\n")
    where = place(tmp_path, modules)

    def look() -> None:
        if where.log.exists() and where.log.read_text().endswith("\n"):
            raise KeyboardInterrupt

    imports = place(tmp_path / "imports", modules)
    with NodeProcesses(PYTHON, imports, []) as started:
        started.wait_for_imports(lambda: None)
        with pytest.raises(KeyboardInterrupt):
            started.run(["python", "-m", "waiting"], where, look)
    node = int(where.log.read_text())
    assert ends(node)
