"""What can be known of the Dockerfile without replaying it."""

import re
import shlex
import tomllib

import pytest

from tests.deploy import replay

STEPS = list(replay.instructions(replay.DOCKERFILE.read_text(encoding="utf-8")))
IGNORE = replay.IGNORE.read_text(encoding="utf-8")
LOCK = (replay.TREE / "requirements.lock").read_text(encoding="utf-8")


def arguments_of(keyword: str) -> list[str]:
    return [arguments for found, arguments in STEPS if found == keyword]


def needed_by(lock: str) -> dict[str, set[str]]:
    """By locked package, what asks for it."""
    entries = re.split(r"\n(?=\w)", lock)
    return {
        entry.partition("==")[0]: set(re.findall(r"#(?: via|  ) (\S.*)$", entry, re.MULTILINE))
        for entry in entries
    }


def test_continued_lines_are_one_instruction_and_comments_none() -> None:
    text = "# of it all\nFROM a AS b\n\nRUN one \\\n# between\n && two \\\n && three\nUSER 1\n"
    assert [(keyword, arguments.split()) for keyword, arguments in replay.instructions(text)] == [
        ("FROM", ["a", "AS", "b"]),
        ("RUN", ["one", "&&", "two", "&&", "three"]),
        ("USER", ["1"]),
    ]


@pytest.mark.parametrize(
    ("path", "passes"),
    [
        ("kept", True),
        ("kept/inside.py", True),
        ("kept/__pycache__/inside.pyc", False),
        ("other", False),
        ("other/kept", False),
    ],
)
def test_the_last_pattern_that_fits_decides(path: str, passes: bool) -> None:
    assert replay.lets_through("*\n!kept\n**/__pycache__\n", path) is passes


@pytest.mark.parametrize("path", [".git/config", "tests", "output/metadata.sqlite", "cluster.yaml"])
def test_what_the_image_does_not_need_is_not_sent_to_the_engine(path: str) -> None:
    assert not replay.lets_through(IGNORE, path)


def test_all_that_is_copied_exists_and_is_let_through() -> None:
    copied = [words.split()[:-1] for words in arguments_of("COPY") if "--from=" not in words]
    sources = {source for words in copied for source in words}
    assert sources >= {"requirements.lock", "pyproject.toml", "pipeline"}
    for source in sources:
        assert (replay.TREE / source).exists(), source
        assert replay.lets_through(IGNORE, source), source


def test_all_packages_of_the_wheel_are_copied() -> None:
    project = tomllib.loads((replay.TREE / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["packages"]["find"]["include"]
    copied = {source for words in arguments_of("COPY") for source in words.split()[:-1]}
    assert {pattern.removesuffix("*") for pattern in patterns} <= copied


def test_stages_are_copied_from_that_were_made() -> None:
    made = {arguments.partition(" AS ")[2] for arguments in arguments_of("FROM")}
    copied = {
        found[1] for words in arguments_of("COPY") if (found := re.match("--from=(\\S+)", words))
    }
    assert copied == made - {""}


def test_beams_boot_program_is_of_the_locked_version() -> None:
    [beam] = filter(None, map(replay.BEAM.match, arguments_of("FROM")))
    assert f"\napache-beam=={beam['version']} " in LOCK


def test_only_what_tests_and_checks_need_is_taken_away_again() -> None:
    project = tomllib.loads((replay.TREE / "pyproject.toml").read_text(encoding="utf-8"))
    extras = {
        extra: {re.split("[>=<]", name)[0].replace("_", "-") for name in names}
        for extra, names in project["project"]["optional-dependencies"].items()
    }
    # What users may ask for beside our dependencies, nodes of a cluster have.
    dev = extras.pop("dev") - set().union(*extras.values())
    needed = needed_by(LOCK)
    only_dev = {
        name for name in dev if needed[name] <= {"skipgram-pipeline (pyproject.toml)", *dev}
    }
    [step] = (words for words in arguments_of("RUN") if "uninstall" in words)
    assert set(shlex.split(step.partition("--yes")[2])) == only_dev


def test_no_layer_holds_an_address_or_an_argument_of_the_build() -> None:
    """Credentials come into layers by addresses of registries and by ARG."""
    assert {keyword for keyword, _ in STEPS} == {
        "FROM", "SHELL", "RUN", "WORKDIR", "COPY", "ENV", "USER", "ENTRYPOINT"
    }  # fmt: skip
    assert not [words for words in arguments_of("RUN") + arguments_of("ENV") if "//" in words]


def test_the_image_runs_as_a_user_whom_kubernetes_knows_not_to_be_root() -> None:
    [user] = arguments_of("USER")
    assert int(user) > 0
    assert f"--uid {user} " in arguments_of("RUN")[-1]
