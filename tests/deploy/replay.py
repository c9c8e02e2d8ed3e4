"""Replays deploy/Dockerfile without a container engine, in roots that debootstrap makes.

    sudo python3 tests/deploy/replay.py FOLDER [PROGRAM ARGUMENT ...]

makes FOLDER/image by the Dockerfile's own RUN, COPY, ENV, USER and WORKDIR, and prints what each
step adds; where it is made already, nothing of that is done again. Then it runs the program in it,
as its user. Beam's boot program is built from its source, as the image that has it cannot be had
without an engine; where Go does not get the source, it is left out. Needs debootstrap, go, pip, and
to be root on a Debian whose apt has its lists.
"""

import ast
import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
DOCKERFILE = TREE / "deploy" / "Dockerfile"
IGNORE = TREE / ".dockerignore"
BASE = "debian:12-slim"
RELEASE = "bookworm"
BEAM = re.compile(r"apache/beam_python3\.11_sdk:(?P<version>[\d.]+)")
# What an engine gives to a container, too: mounted while a program runs, not part of the root.
ENTER = """
root=$1 settings=$2 user=$3 folder=$4
shift 4
for name in hosts resolv.conf; do mount --bind "/etc/$name" "$root/etc/$name"; done
mount --rbind /dev "$root/dev"
mount --types proc proc "$root/proc"
if [ "$settings" ]; then mount --bind "$settings" "$root/mnt"; fi
exec /usr/sbin/chroot --userspec "$user" "$root" env --chdir "$folder" "$@"
"""


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yields (keyword, arguments) with continued lines joined and comments left out."""
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        keyword, _, arguments = line.partition(" ")
        yield keyword, arguments.strip()


def lets_through(ignore: str, path: str) -> bool:
    """Whether a .dockerignore lets a path into the build: the last pattern that fits decides.

    Args:
      ignore: the file's text.
      path: relative to the folder that is built.
    """
    parts = path.split("/")
    prefixes = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    ignored = False
    for pattern in ignore.split():
        bare = pattern.removeprefix("!").removeprefix("**/")
        some = parts if "**/" in pattern else prefixes
        if any(fnmatch.fnmatch(part, bare) for part in some):
            ignored = not pattern.startswith("!")
    return not ignored


class Stage:
    """A root that instructions change."""

    def __init__(self, root: Path, settings: Path):
        self.root = root
        self.environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        self.folder = "/"
        self.user = "root"
        self._shell = ["/bin/sh", "-c"]
        self._settings = settings

    def apply(self, keyword: str, arguments: str, stages: Mapping[str, Path | None]) -> None:
        """Does what an instruction says.

        Args:
          keyword, arguments: of the instruction.
          stages: by name, the roots that were made before; None: it could not be made.
        """
        if keyword == "RUN":
            registries = json.loads((self._settings / "environment.json").read_text())
            self.run([*self._shell, arguments], registries, self._settings)
        elif keyword == "SHELL":
            self._shell = json.loads(arguments)
        elif keyword == "WORKDIR":
            self.folder = arguments
            self._inside(arguments).mkdir(parents=True, exist_ok=True)
        elif keyword == "USER":
            self.user = arguments
        elif keyword == "ENV":
            self.environment |= dict(word.split("=", 1) for word in shlex.split(arguments))
        elif keyword == "COPY":
            self._copy(arguments.split(), stages)
        elif keyword != "ENTRYPOINT":
            raise SystemExit(f"replay.py does not know {keyword}: teach it")

    def run(
        self, command: list[str], environment: Mapping[str, str], settings: Path | None = None
    ) -> None:
        """Runs a command in the root, as an engine would.

        Args:
          command: and its arguments.
          environment: above the root's own.
          settings: a folder that the command finds at /mnt.
        """
        # What it leaves running ends with it.
        namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        entered = [str(self.root), str(settings or ""), self.user, self.folder, *command]
        subprocess.run(
            [*namespaces, "sh", "-euc", ENTER, "sh", *entered],
            env={"HOME": self._home(), **self.environment, **environment},
            check=True,
        )

    def _home(self) -> str:
        for line in self._inside("/etc/passwd").read_text().splitlines():
            name, _, number, _, _, home, _ = line.split(":")
            if self.user in (name, number):
                return home
        raise SystemExit(f"{self.root} has no user {self.user}")

    def _inside(self, path: str) -> Path:
        return self.root / os.path.join(self.folder, path).removeprefix("/")

    def _copy(self, words: list[str], stages: Mapping[str, Path | None]) -> None:
        source: Path | None = TREE
        if words[0].startswith("--from="):
            source = stages[words.pop(0).removeprefix("--from=")]
        *names, target = words
        if source is None:
            print(f"    left out: {', '.join(names)}", flush=True)
            return
        for name in names:
            path = source / name.removeprefix("/")
            if source == TREE and _ignored(str(TREE), [name]):
                raise SystemExit(f"COPY {name}: .dockerignore does not let it through")
            if path.is_dir():
                ignore = _ignored if source == TREE else None
                folder = self._inside(target)
                shutil.copytree(path, folder, symlinks=True, dirs_exist_ok=True, ignore=ignore)
            else:
                folder = self._inside(target)
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, folder)


def _ignored(folder: str, names: list[str]) -> list[str]:
    text = IGNORE.read_text(encoding="utf-8")
    relative = Path(folder).relative_to(TREE)
    return [name for name in names if not lets_through(text, str(relative / name))]


def _debian(root: Path, sources: list[str]) -> None:
    """Makes a Debian with no more packages than its image has, and nothing of this machine."""
    [mirror] = {uri for _, uri, suite, _ in map(str.split, sources) if suite == RELEASE}
    subprocess.run(["debootstrap", "--variant=minbase", RELEASE, root, mirror], check=True)
    for name in ("hosts", "resolv.conf", "hostname", "apt/sources.list"):
        (root / "etc" / name).write_text("")
    for pattern in ("var/lib/apt/lists/*_*", "var/cache/apt/archives/*.deb", "var/log/bootstrap*"):
        for path in root.glob(pattern):
            path.unlink()


def _beam(root: Path, version: str) -> Path | None:
    """Makes /opt/apache/beam as far as the source of Beam's image has it.

    Returns:
      The root, or None where Go does not get that version's source, and has said why.
    """
    folder = root / "opt/apache/beam"
    folder.mkdir(parents=True)
    module = "github.com/apache/beam/sdks/v2"
    environment = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}
    package = f"{module}/python/container@v{version}"
    if subprocess.run(["go", "install", package], env=environment, check=False).returncode:
        return None
    (folder / "container").rename(folder / "boot")
    cache = Path(_output(["go", "env", "GOMODCACHE"]).strip())
    shutil.copyfile(cache / f"{module}@v{version}" / "LICENSE", folder / "LICENSE")
    return root


def _sources() -> list[str]:
    """Where this machine's apt has Debian from, as lines of a sources.list."""
    form = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)"
    packages = ["Created-By: Packages", "Origin: Debian"]
    known = _output(["apt-get", "indextargets", "--format", form, *packages]).splitlines()
    found = [line for line in known if line.split()[2].startswith(RELEASE)]
    if not found:
        raise SystemExit(f"apt has no lists of Debian {RELEASE} here: run `apt-get update` first")
    return found


def _write_settings(folder: Path, sources: list[str]) -> None:
    """Writes what this machine was told of registries: files, and the environment for them."""
    folder.mkdir()
    certificates = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    shutil.copyfile(certificates, folder / "certificates.crt")
    (folder / "sources.list").write_text("\n".join(sources) + "\n")
    (folder / "apt.conf").write_text(
        _output(["apt-config", "dump", "Acquire"])
        + 'Acquire::https::CaInfo "/mnt/certificates.crt";\n'
        + 'Dir::Etc::sourcelist "/mnt/sources.list";\n'
        # Debian's images have these two, so that apt leaves no caches behind.
        + 'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";\n'
        + 'APT::Keep-Downloaded-Packages "false";\n'
    )
    environment = {
        "APT_CONFIG": "/mnt/apt.conf",
        "DEBIAN_FRONTEND": "noninteractive",
        "PIP_CERT": "/mnt/certificates.crt",
        **{name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")},
    }
    for line in _output([sys.executable, "-m", "pip", "config", "list"]).splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        if name in ("index-url", "extra-index-url", "trusted-host", "proxy"):
            environment[f"PIP_{name.upper().replace('-', '_')}"] = ast.literal_eval(value)
    (folder / "environment.json").write_text(json.dumps(environment))


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _megabytes(root: Path) -> float:
    return int(_output(["du", "--summarize", "--bytes", str(root)]).split()[0]) / 1e6


def build(folder: Path) -> None:
    """Makes FOLDER/image, and FOLDER/image.json: how programs are run in it."""
    folder.mkdir(parents=True)
    sources = _sources()
    settings = folder / "settings"
    _write_settings(settings, sources)
    _debian(folder / "debian", sources)
    stages: dict[str, Path | None] = {}
    stage = Stage(folder / "debian", settings)
    size = 0.0
    for keyword, arguments in instructions(DOCKERFILE.read_text(encoding="utf-8")):
        print(f"{keyword} {arguments}", flush=True)
        if keyword == "FROM":
            image, _, name = arguments.partition(" AS ")
            root = stages[name] = folder / (name or "image")
            stage = Stage(root, settings)
            if image == BASE:
                subprocess.run(["cp", "--archive", folder / "debian", root], check=True)
            elif found := BEAM.fullmatch(image):
                stages[name] = _beam(root, found["version"])
            else:
                raise SystemExit(f"replay.py does not know the image {image}: teach it")
            size = 0.0
        else:
            stage.apply(keyword, arguments, stages)
        before, size = size, _megabytes(stage.root)
        print(f"    {size - before:+.1f} MB, {size:.1f} MB in all", flush=True)
    for root in (folder / "debian", folder / "build", folder / "beam", settings):
        shutil.rmtree(root)
    made = {"user": stage.user, "folder": stage.folder, "environment": stage.environment}
    (folder / "image.json").write_text(json.dumps(made))


def main(folder: Path, command: list[str]) -> None:
    """Replays the Dockerfile if that was not done, and runs a command in its last stage."""
    made = folder / "image.json"
    if folder.exists() and not made.exists():
        raise SystemExit(f"{folder} holds something else, or a part: remove it, or name another")
    if not made.exists():
        build(folder)
    image = json.loads(made.read_text())
    stage = Stage(folder / "image", folder)
    stage.user, stage.folder = image["user"], image["folder"]
    stage.environment = image["environment"]
    if command:
        try:
            stage.run(command, {})
        except subprocess.CalledProcessError as error:
            sys.exit(error.returncode)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), sys.argv[2:])
