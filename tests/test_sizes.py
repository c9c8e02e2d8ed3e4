"""Folders, modules and functions that fit on a few screens."""

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("skipgram", "pipeline", "components", "trainer_module", "benchmarks")
MODULES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
MAX_MODULES, MAX_MODULE_LINES, MAX_BODY_LINES = 12, 300, 40

Function = ast.FunctionDef | ast.AsyncFunctionDef


def body_lines(function: Function) -> int:
    """From the first statement to the last one, without the docstring."""
    body = function.body[ast.get_docstring(function) is not None :]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_body_lines_by_hand() -> None:
    [function] = ast.parse('def f(\n    a,\n):\n    """Doc."""\n    b = a\n\n    return b\n').body
    assert body_lines(function) == 3


def test_no_folder_holds_too_many_modules() -> None:
    counted = Counter(path.parent for path in MODULES if path.stem != "__init__")
    assert {str(k): n for k, n in counted.items() if n > MAX_MODULES} == {}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_fits_on_a_few_screens_and_a_function_on_one(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_MODULE_LINES
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, Function)]
    assert {f.name: body_lines(f) for f in functions if body_lines(f) > MAX_BODY_LINES} == {}
