"""Nights that bring too little: the gate before training."""

import json
import random
from pathlib import Path

import pytest

from tests.end_to_end.commands import GROUPS, TOKENS_A_DOCUMENT, run_arguments

pytestmark = pytest.mark.slow


def write_night(folder: Path, day: int, documents: int) -> None:
    draw = random.Random(day)
    lines = (
        " ".join(draw.choices(draw.choice(GROUPS), k=TOKENS_A_DOCUMENT)) for _ in range(documents)
    )
    (folder / f"2026-11-{day}.txt").write_text("".join(f"{line}\n" for line in lines))


def test_a_night_that_lost_more_than_half_is_withheld_before_training(
    tmp_path: Path, skipgram
) -> None:
    output = tmp_path / "output"
    write_night(tmp_path, 22, 1500)
    write_night(tmp_path, 23, 700)

    def night(day: int, *settings: str):
        arguments = run_arguments(tmp_path / "{YYYY}-{MM}-{DD}.txt", output, *settings)
        return skipgram(*arguments, "--date", f"2026-11-{day}")

    first = night(22)
    assert first.code == 0, first.stderr
    summary = json.loads((output / "summary.json").read_text())
    assert summary["corpus"] == {
        "date": "2026-11-22",
        "days": 1,
        "missing_days": [],
        "tokens": 1500 * 8,
    }
    served = sorted((output / "serving").iterdir())

    for _ in range(2):
        withheld = night(23)
        assert withheld.code == 3
        assert withheld.stderr == (
            "skipgram: the run is withheld before training: its corpus holds 5,600 tokens, the "
            "last blessed run's held 12,000, so 53.3% are gone, and evaluator.max_token_loss "
            "allows 50.0%: look for files that are missing or cut short, or set "
            "evaluator.max_token_loss=0.54 if so little text is meant\n"
        )
    assert len(list(output.glob("logs/*/CorpusGate.log"))) == 3
    assert len(list(output.glob("logs/*/Trainer.log"))) == 1
    assert json.loads((output / "summary.json").read_text()) == summary
    assert sorted((output / "serving").iterdir()) == served
    listed = " ".join(skipgram("runs", "--output", str(output)).stdout.split())
    assert listed.count("not blessed: the run is withheld before training") == 2
    as_json = json.loads(skipgram("runs", "--output", str(output), "--format", "json").stdout)
    assert as_json[0]["verdict"] == withheld.stderr.removeprefix("skipgram: ").rstrip()

    assert "All components are cached" in night(22).stdout
    meant = ("evaluator.max_token_loss=0.54", "evaluator.max_increase=1")
    passed = night(23, *meant)
    assert passed.code == 0, passed.stderr
    again = night(23, *meant)
    assert "All components are cached" in again.stdout
    figures = json.loads((output / "summary.json").read_text())["corpus"]
    assert (figures["tokens"], figures["last_tokens"]) == (5600, 12000)
    # All 15 words occur in both nights, as often as chance has it: 0.0006 bits between such counts
    # if they were drawn one by one, and some more as a document's are of one group.
    assert (figures["vocabulary_kept"], figures["vocabulary_new"]) == (15, 0)
    assert (figures["vocabulary_gone"], figures["share_of_new_tokens"]) == (0, 0)
    assert 0 < figures["jensen_shannon_divergence"] < 0.005
