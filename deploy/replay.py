"""Replays deploy/Dockerfile without a container engine, in roots that debootstrap makes.

    sudo python3 deploy/replay.py FOLDER [PROGRAM ARGUMENT ...]

makes FOLDER/STAGE for each stage from debian:12-slim by its own RUN, COPY, ENV and USER, and runs
the program in the last one, as its user. What comes from another image (Beam's boot program) is
left out. Needs Debian's debootstrap, and to be root.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
DOCKERFILE = TREE / "deploy" / "Dockerfile"
BASE = "debian:12-slim"


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yields (keyword, arguments) with continued lines joined and comments left out."""
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        keyword, _, arguments = line.partition(" ")
        yield keyword, arguments.strip()


class Stage:
    """A root that instructions change."""

    def __init__(self, root: Path):
        self.root = root
        self._environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        self._folder = "/"
        self._shell = ["/bin/sh", "-c"]
        self._user = "root"

    def debootstrap(self) -> None:
        """Makes a Debian 12."""
        subprocess.run(["debootstrap", "--variant=minbase", "bookworm", self.root], check=True)
        # What apt was told on this machine, it must be told there.
        for path in ("/etc/apt/sources.list", "/etc/apt/sources.list.d", "/etc/apt/apt.conf.d"):
            _copy(Path(path), self.root / path.removeprefix("/"))
        for path in ("/etc/resolv.conf", "/etc/pip.conf"):
            _copy(Path(path), self.root / path.removeprefix("/"))

    def apply(self, keyword: str, arguments: str, stages: dict[str, "Stage"]) -> None:
        """Does what an instruction says.

        Args:
          keyword, arguments: of the instruction.
          stages: by name, those that were made before.
        """
        if keyword == "RUN":
            self.run([*self._shell, arguments])
        elif keyword == "SHELL":
            self._shell = json.loads(arguments)
        elif keyword == "WORKDIR":
            self._folder = arguments
            (self.root / arguments.removeprefix("/")).mkdir(parents=True, exist_ok=True)
        elif keyword == "USER":
            self._user = arguments
        elif keyword == "ENV":
            self._environment |= dict(word.split("=", 1) for word in shlex.split(arguments))
        elif keyword == "COPY":
            self._copy(arguments.split(), stages)
        elif keyword != "ENTRYPOINT":
            raise SystemExit(f"deploy/replay.py does not know {keyword}")

    def run(self, command: list[str]) -> None:
        """Runs a command in the root."""
        inside = ["/bin/sh", "-c", f'cd {shlex.quote(self._folder)} && exec "$@"', "sh", *command]
        subprocess.run(
            ["chroot", "--userspec", self._user, self.root, *inside],
            env={**_proxy(), **self._environment, "HOME": "/tmp"},
            check=True,
        )

    def _copy(self, words: list[str], stages: dict[str, "Stage"]) -> None:
        source = TREE
        if words[0].startswith("--from="):
            name = words.pop(0).removeprefix("--from=")
            if name not in stages:
                print(f"left out: {words} of {name}, which is another image")
                return
            source = stages[name].root
        *names, target = words
        folder = self.root / os.path.join(self._folder, target).removeprefix("/")
        for name in names:
            path = source / name.removeprefix("/")
            _copy(path, folder / path.name if target.endswith("/") else folder)


def _proxy() -> dict[str, str]:
    """How this machine reaches the registries of packages."""
    names = ("proxy", "_ca_bundle", "ssl_cert", "pip_")
    return {k: v for k, v in os.environ.items() if any(name in k.lower() for name in names)}


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=ignored)
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def main(folder: Path, command: list[str]) -> None:
    """Replays the Dockerfile and runs a command in its last stage."""
    stages: dict[str, Stage] = {}
    stage = None
    for keyword, arguments in instructions(DOCKERFILE.read_text(encoding="utf-8")):
        print(f"{keyword} {arguments}", flush=True)
        if keyword != "FROM":
            if stage:
                stage.apply(keyword, arguments, stages)
            continue
        image, *name = re.split(r" +AS +", arguments)
        stage = None
        if image == BASE:
            stage = stages[name[0] if name else "last"] = Stage(
                folder / (name[0] if name else "last")
            )
            stage.debootstrap()
    if stage and command:
        stage.run(command)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), sys.argv[2:])
