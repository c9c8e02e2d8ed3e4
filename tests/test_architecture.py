"""The map of docs/architecture.md is the code's, and the recipes name files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
RECIPES = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FOLDERS = ("skipgram", "pipeline", "components", "trainer_module")


def mapped(page: str) -> list[str]:
    """The modules of the map: the first column below a heading that names their folder."""
    found, folder = [], ""
    for line in page.splitlines():
        if line.startswith("#"):
            heading = re.fullmatch(r"#### `([\w/]+/)`", line)
            folder = heading[1] if heading else ""
        elif folder and (row := re.match(r"\| `(\w+\.py)` \| .+ \|$", line)):
            found.append(folder + row[1])
    return found


def modules(folder: str) -> list[str]:
    paths = (path for path in (ROOT / folder).rglob("*.py") if path.stem != "__init__")
    return [path.relative_to(ROOT).as_posix() for path in paths]


def paths_with_folder(page: str) -> set[str]:
    return set(re.findall(r"`((?:\w+/)+\w+\.(?:py|ipynb|pbtxt))`", page))


def test_the_map_is_read_by_hand() -> None:
    page = "#### `a/b/`\n\n| `c.py` | It does. |\n| `d.py` | x |\n## Else\n\n| `e.py` | no |\n"
    assert mapped(page) == ["a/b/c.py", "a/b/d.py"]
    assert paths_with_folder("`a/b.py`, `c.py` and `f` in `d/e/f.py`") == {"a/b.py", "d/e/f.py"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_module_is_on_the_map_once(folder: str) -> None:
    of_folder = [path for path in mapped(PAGE) if path.startswith(f"{folder}/")]
    assert sorted(of_folder) == sorted(modules(folder))


@pytest.mark.parametrize("path", sorted(paths_with_folder(PAGE)))
def test_every_path_that_it_names_exists(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("path", sorted(paths_with_folder(RECIPES)))
def test_every_path_of_a_recipe_exists(path: str) -> None:
    # One table names files in tests/ from there.
    assert (ROOT / path).is_file() or (ROOT / "tests" / path).is_file()


@pytest.mark.parametrize(
    ("name", "path"),
    re.findall(r"`([\w.]+)`(?:, `\w+`)? in `([\w/]+\.py)`", PAGE),
    ids=lambda value: value,
)
def test_every_function_that_it_names_is_in_its_file(name: str, path: str) -> None:
    defined = re.escape(name.rpartition(".")[2])
    code = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"^\s*(def|class) {defined}\b", code, re.MULTILINE)
