"""What is installed is what was locked: by hashes, and nothing is fetched for builds."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
BUILD_LOCK = (ROOT / "requirements-build.lock").read_text(encoding="utf-8")
WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
# How many commands of each install something.
FILES = {
    "Makefile": 3,
    ".ci/run": 0,
    ".github/workflows/ci.yml": 0,
    "deploy/Dockerfile": 3,
    "CONTRIBUTING.md": 0,
    "README.md": 3,
}


def installs(text: str) -> list[list[str]]:
    """The words of each command that installs Python packages; continued lines are one."""
    commands = re.split(r"\n|&&|`", text.replace("\\\n", " "))
    found = (
        re.search(r"\b(pip3? .*\b(install|sync)|uv (add|tool|run))\b.*", one) for one in commands
    )
    return [one[0].split() for one in found if one]


def is_checked(words: list[str]) -> bool:
    if words[-1] == ".":  # this tree
        return {"--no-deps", "--no-build-isolation"} <= set(words)
    builds = "requirements.lock" in words
    return "--require-hashes" in words and (not builds or "--no-build-isolation" in words)


@pytest.mark.parametrize(
    ("text", "checked"),
    [
        ("pip install --require-hashes -r a.lock", [True]),
        ("pip install uv", [False]),
        ("python3 -m pip --python x install \\\n  uv==1", [False]),
        ("uv pip sync --require-hashes requirements.lock", [False]),
        (
            "uv pip sync --require-hashes --no-build-isolation requirements.lock && pip install b",
            [True, False],
        ),
        ("pip install --no-deps --no-build-isolation --editable .", [True]),
        ("pip install .", [False]),
        ("uv tool install ruff", [False]),
        ("apt-get install python3-pip", []),
    ],
)
def test_commands_are_found_and_judged(text: str, checked: list[bool]) -> None:
    assert [is_checked(words) for words in installs(text)] == checked


@pytest.mark.parametrize("name", FILES)
def test_all_that_is_installed_is_checked(name: str) -> None:
    commands = installs((ROOT / name).read_text(encoding="utf-8"))
    assert [words for words in commands if not is_checked(words)] == []
    assert len(commands) == FILES[name]


def entries(lock: str) -> dict[str, list[str]]:
    """By `name==version`, the hashes."""
    return {
        entry.partition(" ")[0]: re.findall(r"--hash=(\S+)", entry)
        for entry in re.split(r"\n(?=\w)", lock)
    }


def test_what_builds_is_the_locks() -> None:
    build, all_ = entries(BUILD_LOCK), entries(LOCK)
    assert {name.partition("==")[0] for name in build} == {"setuptools", "uv", "wheel"}
    assert build.items() <= all_.items()
    assert all(build.values())


def test_actions_are_named_by_commits() -> None:
    actions = re.findall(r"uses: (\S+)", WORKFLOW)
    assert actions
    assert [action for action in actions if not re.search(r"@[0-9a-f]{40}$", action)] == []
