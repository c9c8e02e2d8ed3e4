"""What is in the wheel."""

import zipfile
from pathlib import Path

import pytest

from pipeline.cluster.rehearsal import installed_python


@pytest.mark.slow
def test_our_packages_are_in_it_with_their_types_and_the_schema(tmp_path: Path) -> None:
    with zipfile.ZipFile(installed_python._wheel(tmp_path)) as wheel:
        names = set(wheel.namelist())
    for package in ("skipgram", "pipeline", "components", "trainer_module"):
        assert f"{package}/__init__.py" in names
        assert f"{package}/py.typed" in names
    assert "pipeline/schema.pbtxt" in names
    page = {f"pipeline/results/report/page_files/report.{kind}" for kind in ("html", "css", "js")}
    assert page <= names
    assert "pipeline/cluster/rehearsal/vertex_stand_in.py" in names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "deploy/"))]
