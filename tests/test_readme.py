"""The README stays true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from trainer_module.objective_table import OBJECTIVES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TRAIN, _ = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_its_table_of_objectives_is_complete() -> None:
    [table] = re.findall(r"\| `trainer.objective` \|.*?\n\n", README, re.DOTALL)
    first_cells = [line.split("|")[1] for line in table.splitlines()[2:] if line]
    assert re.findall(r"`(\w+)`", " ".join(first_cells)) == list(OBJECTIVES)


def test_it_is_short() -> None:
    assert README.count("\n") <= 150


@pytest.mark.slow
def test_its_example_runs_as_written(tmp_path: Path) -> None:
    # What it shows after the last call, the file, is looked at.
    ended = subprocess.run(
        [sys.executable, "-c", TRAIN], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "vectors.bin").stat().st_size > 1000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []
