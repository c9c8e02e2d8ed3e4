"""`skipgram tune` as it is typed: what is wrong is said before anything is imported or written."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.results import tuned
from tests.pipeline.test_cli import HEAVY, complaint, skipgram


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--trials", "0"], "0 is not in the range 1<=x<=1000"),
        (["--trials", "many"], "'many' is not a valid integer range"),
        (["--sample", "0"], "0.0 is no share above 0 and up to 1, which takes all documents"),
        (["--sample", "1.5"], "1.5 is no share above 0 and up to 1"),
        (["--sample", "nan"], "nan is no share above 0 and up to 1"),
        (["books.txt"], "what is 'books.txt'? Name files with --corpus"),
        (["--to", "gs://bucket/tuned.yaml"], "this takes a path on this machine"),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, words: list[str], said: str) -> None:
    done = skipgram("tune", *words, folder=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_configuration_or_corpus_is_a_wrong_command(tmp_path: Path) -> None:
    done = skipgram("tune", "--set", "trainer.epoch=3", folder=tmp_path)
    assert (done.returncode, complaint(done)) == (
        2,
        "trainer.epoch is no field of the configuration; the nearest is trainer.epochs",
    )
    done = skipgram("tune", "--corpus", "none.txt", folder=tmp_path)
    assert done.returncode == 2
    assert str(tmp_path / "none.txt") in complaint(done)


def test_a_file_of_somebody_elses_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some words\n")
    (tmp_path / "mine.yaml").write_text("seed: 7\n")
    done = skipgram("tune", "--corpus", "a.txt", "--to", "mine.yaml", folder=tmp_path)
    assert done.returncode == 2
    assert complaint(done) == (
        "mine.yaml is there already, and not of `skipgram tune`: name another file with --to, or "
        "delete it first"
    )
    done = skipgram("tune", "--corpus", "a.txt", "--to", ".", folder=tmp_path)
    assert (done.returncode, complaint(done)) == (2, ". is a folder: name a file with --to")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "mine.yaml"]


def test_a_file_of_a_search_may_be_written_over(tmp_path: Path) -> None:
    from pipeline.local import tune_command

    path = tmp_path / "tuned.yaml"
    tune_command.require_place(path)
    path.write_text(f"{tuned.FIRST_LINE}seed: 1\n")
    tune_command.require_place(path)


def test_help_says_what_is_searched_and_shows_examples(tmp_path: Path) -> None:
    done = skipgram("tune", "--help", folder=tmp_path)
    assert done.returncode == 0
    for words in ("learning_rate", "skipgram tune --trials 20", "500,000"):
        assert words in done.stdout
    assert "tune" in skipgram("--help", folder=tmp_path).stdout


def test_to_look_at_a_command_imports_nothing_heavy() -> None:
    code = "import sys, pipeline.commands.tune, pipeline.local.tune_command; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"keras", "keras_tuner", *HEAVY} & set(done.stdout.split())
