"""Keeps design.md's "who may import whom" by reading the imports."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"trainer_module", "components", "pipeline", "tests", "benchmarks"}
# Each file imports only from files above it.
TRAINER_MODULE = [
    "errors",
    "cluster",
    "features",
    "hyperparameters",
    "tokenization",
    "skip_grams",
    "preprocessing",
    "input_pipeline",
    "candidate_sampling",
    "losses",
    "frames",
    "objectives",
    "gradients",
    "evaluation",
    "model",
    "row_updates",
    "exchange",
    "local_updates",
    "step",
    "training",
    "export",
    "run_fn",
]
ALLOWED_IN_TRAINER_MODULE = {"trainer_module", "tensorflow", "tensorflow_transform", "numpy"}


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


def test_the_order_of_trainer_module_names_its_files():
    files = {path.stem for path in sources("trainer_module")} - {"__init__"}
    assert files == set(TRAINER_MODULE)


@pytest.mark.parametrize("path", sources("trainer_module"), ids=shown)
def test_trainer_module_imports_nothing_but_tensorflow_and_numpy(path):
    allowed = set(ALLOWED_IN_TRAINER_MODULE)
    if path.stem == "hyperparameters":
        allowed.add("pydantic")
    assert packages_of(path) <= allowed


@pytest.mark.parametrize("position", range(len(TRAINER_MODULE)), ids=TRAINER_MODULE)
def test_a_file_of_trainer_module_imports_only_files_above_it(position):
    path = ROOT / "trainer_module" / f"{TRAINER_MODULE[position]}.py"
    ours = {name for name in imports_of(path) if name.startswith("trainer_module.")}
    found = {name.split(".")[1] for name in ours}
    assert found <= set(TRAINER_MODULE[:position])


@pytest.mark.parametrize("path", sources("components"), ids=shown)
def test_components_import_trainer_module_but_not_pipeline(path):
    assert packages_of(path) & OURS <= {"components", "trainer_module"}


@pytest.mark.parametrize("path", sources("pipeline"), ids=shown)
def test_pipeline_imports_neither_tests_nor_benchmarks(path):
    assert packages_of(path) & OURS <= {"pipeline", "components", "trainer_module"}


@pytest.mark.parametrize(
    "path", [*sources("pipeline"), *sources("components"), *sources("trainer_module")], ids=shown
)
def test_imports_name_our_packages_in_full(path):
    relative = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []
