"""Keeps "who may import whom" of docs/architecture.md by reading the imports."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"trainer_module", "components", "pipeline", "skipgram", "tests", "benchmarks"}
# The rooms in their order: what is in one imports only from its own and from those above it.
ROOMS = {
    "trainer_module": [
        {
            "conflicting_fields",
            "errors",
            "features",
            "hyperparameters",
            "objective_table",
            "sizes",
            "vocabulary",
        },
        {"text"},
        {"objectives"},
        {"workers"},
        {"input_pipeline"},
        {"evaluation"},
        {"training"},
        {"preprocessing", "run_fn"},
    ],
    "pipeline": [
        {
            "atomic",
            "beam_arguments",
            "config",
            "config_file",
            "config_reference",
            "failures",
            "paths",
            "sections",
            "terminal",
            "yaml_tree",
        },
        {"corpus"},
        {"data_nodes"},
        {"graph"},
        {"results"},
        {"cluster"},
        {"local"},
        {"commands"},
        {"cli"},
    ],
}
ALLOWED_IN_TRAINER_MODULE = {"trainer_module", "tensorflow", "tensorflow_transform", "numpy"}
# Which modules of it may import one more.
ALSO_ALLOWED = {
    "hyperparameters": {"pydantic", "pydantic_core"},
    "vocabulary_analyzer": {"apache_beam"},
    "warm_up": {"tensorflow_serving"},
    "figures": {"scipy"},
}


def imported(source: str, package: str = "") -> Iterator[str]:
    """The dotted names of what is imported, at any depth of the code.

    `from a import b` gives `a.b`: whether b is a module or a name in one, the rules are the same.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: -(node.level - 1) or None] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{base}.{name.name}" for name in node.names)


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    package = ".".join(path.relative_to(ROOT).parent.parts)
    return set(imported(path.read_text(encoding="utf-8"), package))


def packages_of(path: Path) -> set[str]:
    """The packages that a file imports from, the standard library left out."""
    return {name.partition(".")[0] for name in imports_of(path)} - sys.stdlib_module_names


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_imports_are_read_in_every_form():
    source = """
import os, a.b
from c import d as e, f
from . import g
from .h import i
from ..j import k

def late():
    import l.m
    if True:
        from n import o
"""
    assert sorted(imported(source, "p.q")) == [
        *["a.b", "c.d", "c.f", "l.m", "n.o", "os"],
        *["p.j.k", "p.q.g", "p.q.h.i"],
    ]


def room_of(dotted: str) -> str:
    return dotted.split(".")[1]


@pytest.mark.parametrize("folder", ROOMS)
def test_every_module_is_in_one_room(folder):
    rooms = [room for rooms in ROOMS[folder] for room in rooms]
    paths = (path.relative_to(ROOT / folder) for path in sources(folder))
    assert sorted(rooms) == sorted(
        {path.parts[0].removesuffix(".py") for path in paths} - {"__init__"}
    )


@pytest.mark.parametrize("path", sources("trainer_module"), ids=shown)
def test_trainer_module_imports_nothing_but_tensorflow_and_numpy(path):
    allowed = ALLOWED_IN_TRAINER_MODULE | ALSO_ALLOWED.get(path.stem, set())
    assert packages_of(path) <= allowed


@pytest.mark.parametrize(
    ("folder", "path"),
    [(folder, path) for folder in ROOMS for path in sources(folder) if path.stem != "__init__"],
    ids=lambda value: value if isinstance(value, str) else shown(value),
)
def test_between_rooms_imports_run_one_way(folder, path):
    own = path.relative_to(ROOT / folder).parts[0].removesuffix(".py")
    floor = next(i for i, rooms in enumerate(ROOMS[folder]) if own in rooms)
    allowed = set().union(*ROOMS[folder][:floor], {own})
    if floor == 0:  # light modules, which may know one another
        allowed |= ROOMS[folder][0]
    ours = {room_of(name) for name in imports_of(path) if name.startswith(f"{folder}.")}
    assert ours <= allowed


@pytest.mark.parametrize("path", sources("components"), ids=shown)
def test_components_import_trainer_module_but_not_pipeline(path):
    assert packages_of(path) & OURS <= {"components", "trainer_module"}


@pytest.mark.parametrize("path", sources("pipeline"), ids=shown)
def test_pipeline_imports_neither_tests_nor_benchmarks(path):
    assert packages_of(path) & OURS <= {"pipeline", "components", "trainer_module"}


@pytest.mark.parametrize("path", sources("skipgram"), ids=shown)
def test_the_door_imports_pipeline_and_trainer_module(path):
    assert packages_of(path) & OURS <= {"skipgram", "pipeline", "trainer_module"}


@pytest.mark.parametrize("path", [*sources("pipeline"), *sources("components")], ids=shown)
def test_tfx_is_reached_by_one_door(path):
    """It names TFX's modules as text: an upgrade of TFX is that file."""
    assert "tfx" not in packages_of(path)


@pytest.mark.parametrize(
    "path",
    [
        path
        for folder in ("skipgram", "pipeline", "components", "trainer_module")
        for path in sources(folder)
    ],
    ids=shown,
)
def test_imports_name_our_packages_in_full(path):
    relative = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []
