"""The interpreter that the nodes of a rehearsal run in: with the packages as an image has them."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

from components.processes import without_secrets

_TREE = Path(__file__).resolve().parents[3]
_SITE_PACKAGES = "site-packages"
_IN_WHEEL = (
    *("pyproject.toml", "README.md", "LICENSE"),
    *("skipgram", "pipeline", "components", "trainer_module"),
)


def installed_python(folder: Path) -> Path:
    """An interpreter that knows the installed packages, and of ours no source tree.

    Returns:
      The folder that `python` is in.
    """
    venv.create(folder, symlinks=True, with_pip=False)
    [site] = folder.glob("lib/python*/site-packages")
    # Its packages; the .pth files in it, such as one that points at a source tree, are not read.
    (site / "installed.pth").write_text("\n".join(_site_folders()) + "\n")
    if _SITE_PACKAGES not in _TREE.parts:
        with zipfile.ZipFile(_wheel(folder / "wheel")) as wheel:
            wheel.extractall(site)
    return folder / "bin"


def _site_folders() -> Iterator[str]:
    return (path for path in sys.path if os.path.basename(path) == _SITE_PACKAGES)


def _wheel(folder: Path) -> Path:
    """The wheel of the source tree that we run from.

    It is built of a copy: setuptools would leave folders in the tree, and take from them what was
    deleted since.
    """
    source = folder / "source"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in _IN_WHEEL:
        path = _TREE / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=ignored)
        else:
            source.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, source)
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "build", "--wheel", "--no-build-isolation", "--quiet", "--out-dir", folder]
    subprocess.run(
        [*map(str, command), "--python", sys.executable, str(source)],
        env=without_secrets(os.environ),
        check=True,
    )
    [wheel] = folder.glob("*.whl")
    return wheel
