"""The quick-start corpus: the docstrings of the packages that the lock file installed.

Some millions of words of real English about one field, with no download. One docstring is one
document, on one line. The packages and their versions name the file, so it is stable for one lock
file and is extracted once.
"""

import ast
import hashlib
import importlib.metadata
import importlib.util
import multiprocessing
import os
import platform
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

from pipeline.atomic import aside
from trainer_module.errors import InputError

# Distribution -> the package whose sources are read.
PACKAGES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "pandas": "pandas",
    "scikit-learn": "sklearn",
    "tensorflow": "tensorflow",
    "keras": "keras",
    "apache-beam": "apache_beam",
}
# Tests say little in prose; the other folders are left out by some builds of Python 3.11.
_SKIPPED_FOLDERS = frozenset(
    {
        "__pycache__",
        "ensurepip",
        "idlelib",
        "lib2to3",
        "site-packages",
        "test",
        "tests",
        "tkinter",
        "turtledemo",
    }
)


def docstrings(source: str) -> Iterator[str]:
    """Yields the docstrings of a module, its classes and its functions, each on one line.

    Args:
      source: Python source code.

    Raises:
      SyntaxError: `source` is not Python 3.11.
    """
    with warnings.catch_warnings():
        # Other people's invalid escape sequences are not the reader's business.
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented) and (text := ast.get_docstring(node, clean=False)):
            yield " ".join(text.split())


def source_files(root: Path) -> Iterator[Path]:
    """Yields the Python files below `root` in a fixed order."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(set(subfolders) - _SKIPPED_FOLDERS)
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(".py"))


def _roots() -> Iterator[Path]:
    yield Path(sysconfig.get_paths()["stdlib"])
    for package in PACKAGES.values():
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise _not_installed(package)
        yield Path(spec.origin).parent


def _docstrings_of(path: Path) -> list[str]:
    try:
        return list(docstrings(path.read_text(encoding="utf-8")))
    except (SyntaxError, UnicodeDecodeError):
        return []  # a template or a fixture with the ending of a module


def _documents() -> Iterator[str]:
    """The docstrings of all packages in a fixed order, each once."""
    paths = [path for root in _roots() for path in source_files(root)]
    with multiprocessing.Pool() as pool:
        found = pool.imap(_docstrings_of, paths, chunksize=64)
        yield from dict.fromkeys(document for some in found for document in some if document)


def versions() -> dict[str, str]:
    """What the corpus is made of: Python and each distribution, with versions."""
    try:
        found = {name: importlib.metadata.version(name) for name in PACKAGES}
    except importlib.metadata.PackageNotFoundError as error:
        raise _not_installed(error.name) from error
    return {"python": platform.python_version(), **found}


def _not_installed(name: str) -> InputError:
    return InputError(
        f"the quick-start corpus is made of what the lock file installs, and {name} is not there: "
        "install requirements.lock, or name files with --corpus"
    )


def quick_start_corpus(folder: Path) -> Path:
    """Writes the quick-start corpus into `folder` unless it is there.

    Returns:
      The text file, one document a line.

    Raises:
      InputError: a package of the lock file is not installed.
    """
    made_of = repr(sorted(versions().items()))
    path = folder / f"docstrings-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}.txt"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with (
        aside(path) as unfinished,
        unfinished.open("w", encoding="utf-8", errors="replace") as file,
    ):
        file.writelines(document + "\n" for document in _documents())
    return path
