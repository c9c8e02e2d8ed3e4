"""The component's function."""

from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.embedding_evaluator.intrinsic.set_listing import EvaluationSetListing
from trainer_module.errors import InputError
from trainer_module.evaluation.intrinsic import sets


def listed(root: Path, similarity: str = "", analogies: str = "") -> str:
    """What a node answers, read from the file of its artifact as a cluster's entry point does."""
    fingerprint = standard_artifacts.String()
    fingerprint.uri = str(root / "listing" / "fingerprint")
    EvaluationSetListing.EXECUTOR_SPEC.executor_class._FUNCTION(
        similarity=similarity, analogies=analogies, fingerprint=fingerprint
    )
    return Path(fingerprint.uri).read_text()


def test_is_the_fingerprint_that_a_run_on_this_machine_makes(tmp_path: Path) -> None:
    one, other, questions = (tmp_path / name for name in ("one.txt", "other.tsv", "questions"))
    one.write_text("a\tb\t1\n")
    other.write_text("a b 1\n")
    questions.write_text(": section\na b c d\n")
    before = listed(tmp_path, f"{one}\n{other}", str(questions))
    assert before == sets.fingerprint(
        {"similarity": [str(one), str(other)], "analogies": [str(questions)]}
    )
    other.write_text("a b 2\n")
    assert listed(tmp_path, f"{one}\n{other}", str(questions)) != before


def test_what_is_no_set_ends_the_run_before_the_training(tmp_path: Path) -> None:
    (tmp_path / "questions").write_text("a b c d\n")
    with pytest.raises(InputError, match=r"line 1 of .*questions' is 'a b c d'"):
        listed(tmp_path, analogies=str(tmp_path / "questions"))
