import resource
import subprocess
import sys

import pytest

from components import processes


def test_ports_are_free_and_different() -> None:
    assert len(set(processes.free_ports(50))) == 50


@pytest.mark.parametrize(
    "name",
    ["MYSQL_PWD", "DB_PASSWORD", "PASSWORD", "API_KEY", "GITHUB_TOKEN", "SECRET_TOKEN_2",
     "CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "db_password"],
)  # fmt: skip
def test_what_is_named_as_a_secret_is_left_out(name: str) -> None:
    assert processes.without_secrets({name: "x"}) == {}
    assert processes.without_secrets({name: "x"}, (name[:3],)) == {name: "x"}


@pytest.mark.parametrize(
    "value", ["http://me:secret@proxy:80", "https://token@registry/simple", "mysql://u:p@h/db"]
)
def test_an_address_with_a_users_password_is_left_out(value: str) -> None:
    assert processes.without_secrets({"NAMED_AS_NOTHING": value}) == {}


def test_all_else_is_passed_on() -> None:
    given = {
        "PWD": "/home", "OLDPWD": "/", "PATH": "/bin", "TOKENIZERS_PARALLELISM": "1",
        "KEYBOARD": "us", "HTTPS_PROXY": "http://proxy:80", "TF_CONFIG": "{}", "MAIL": "me@here",
    }  # fmt: skip
    assert processes.without_secrets(given) == given


@pytest.mark.parametrize(
    ("exit_code", "name", "hint"),
    [
        (-9, "SIGKILL", "the machine may have run out of memory"),
        (-15, "SIGTERM", ""),
        (0, "", ""),
        (137, "", ""),
        (None, "", ""),
    ],
)
def test_how_a_process_ended(exit_code: int | None, name: str, hint: str) -> None:
    assert processes.ending_signal(exit_code) == name
    assert processes.hint_at_memory(exit_code) == hint


@pytest.mark.parametrize("exit_code", [-6, -11, -7])
def test_an_abort_under_a_limit_of_memory_may_come_of_it(
    monkeypatch: pytest.MonkeyPatch, exit_code: int
) -> None:
    assert processes.hint_at_memory(exit_code) == ""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2_500_000_000, -1))
    assert processes.hint_at_memory(exit_code) == (
        "`ulimit -v` allows it 2.5 GB of memory, which may be too little"
    )
    assert processes.hint_at_memory(-15) == ""


def test_a_child_ends_with_its_parent() -> None:
    child = "import os; from components.processes import die_with; die_with(os.getppid())"
    child += "; print(os.getpid(), flush=True); import time; time.sleep(100)"
    parent = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", f"{parent}; time.sleep(100)"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) > 0
        process.kill()
        # The child holds the other end of the pipe until it ends.
        assert process.stdout.read() == ""


def test_what_is_imported_is_no_business_of_the_collector() -> None:
    # In a process of its own: what is frozen stays so.
    program = (
        "import gc; from components.processes import importing\n"
        "with importing():\n"
        "    import decimal; print(gc.isenabled())\n"
        "print(gc.isenabled(), any(x is decimal.__dict__ for x in gc.get_objects()))\n"
        "try:\n"
        "    with importing(): raise ImportError\n"
        "except ImportError: print(gc.isenabled())\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    assert printed.split() == ["False", "True", "False", "True"]
