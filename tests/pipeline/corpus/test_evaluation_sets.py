from pathlib import Path

import pytest

from pipeline import config_file
from pipeline.corpus.evaluation_sets import in_full
from pipeline.failures import WrongCommandError


def test_files_are_named_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("a.txt", "b.txt"):
        Path(name).write_text("x\ty\t1\n")
    Path("questions.txt").write_text(": one\na b c d\n")
    found = in_full(
        config_file.load(
            settings=[
                "evaluator.similarity=[a.txt, ~/b.txt, 'gs://bucket/c.txt']",
                "evaluator.analogies=[questions.txt]",
            ]
        )
    ).evaluator
    root = str(tmp_path)
    assert found.similarity == (f"{root}/a.txt", f"{root}/b.txt", "gs://bucket/c.txt")
    assert found.analogies == (f"{root}/questions.txt",)


def test_a_file_that_is_none_is_a_wrong_command(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    config = config_file.load(settings=[f"evaluator.similarity=[{path}]"])
    with pytest.raises(WrongCommandError, match=r"cannot read .*a\.txt': No such file"):
        in_full(config)
    path.write_text("x y\n")
    with pytest.raises(WrongCommandError, match=r"line 1 of .*a\.txt' is 'x y'"):
        in_full(config)
