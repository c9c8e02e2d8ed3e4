"""Two nights, the second warm: killed, given again, from a path, by two workers."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.commands import (
    DOCUMENTS,
    GROUPS,
    TOKENS_A_DOCUMENT,
    TWO_WORKERS,
    Skipgram,
    run_arguments,
)
from tests.end_to_end.test_run_again import kill, wait_until, wait_until_gone

pytestmark = pytest.mark.slow

# Tonight's groups: the third of last night's is gone, another has come.
TONIGHT = (*GROUPS[:2], ("glad", "sad", "angry", "calm", "proud"))
# The two vocabularies differ; whether the second model is better is not the question here.
BLESS_ALL = "evaluator.max_increase=10"


@pytest.fixture(scope="module")
def tonight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    generator = random.Random(2)
    path = tmp_path_factory.mktemp("corpus") / "tonight.txt"
    lines = (
        " ".join(generator.choices(generator.choice(TONIGHT), k=TOKENS_A_DOCUMENT))
        for _ in range(DOCUMENTS)
    )
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def summary_of(output: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((output / "summary.json").read_text())
    return found


def test_two_nights(corpus: Path, tonight: Path, skipgram: Skipgram, tmp_path: Path) -> None:
    output = tmp_path / "output"
    warm = ("trainer.warm_start=last_blessed", BLESS_ALL)
    ended = skipgram(*run_arguments(corpus, output, *warm))
    assert ended.code == 0, ended.stderr
    assert "warm_start" not in summary_of(output)  # nothing was blessed before
    [first] = (output / "serving").iterdir()

    # The second night, killed while it trains.
    arguments = run_arguments(tonight, output, *warm)
    killed = skipgram.start(*arguments)
    wait_until(lambda: any(output.glob("checkpoints/*/checkpoint")), killed)
    kill(killed)
    wait_until_gone(output)
    ended = skipgram(*arguments)
    assert ended.code == 0, ended.stderr
    second = summary_of(output)
    assert second["resumed_at_step"] > 0
    assert second["warm_start"] == {"taken_over": 10, "new": 5, "dropped": 5}
    assert "10 taken over, 5 new, 5 dropped" in ended.stdout

    # Again: its own model is the last blessed one, and is not its base.
    ended = skipgram(*arguments)
    assert ended.code == 0, ended.stderr
    assert "All components are cached" in ended.stdout
    assert summary_of(output)["warm_start"] == second["warm_start"]
    assert len(list((output / "serving").iterdir())) == 2

    # Undisturbed, and from the same base by its path.
    named = (f"trainer.warm_start={first}", BLESS_ALL)
    ended = skipgram(*run_arguments(tonight, tmp_path / "named", *named))
    assert ended.code == 0, ended.stderr
    for name in ("vectors.bin", "vocabulary.tsv"):
        ours, theirs = (folder / "vectors" / name for folder in (output, tmp_path / "named"))
        assert ours.read_bytes() == theirs.read_bytes()

    # By two workers, into the same folder: the rest is cached.
    ended = skipgram(*run_arguments(tonight, tmp_path / "named", *named, *TWO_WORKERS))
    assert ended.code == 0, ended.stderr
    together = summary_of(tmp_path / "named")
    assert together["workers"] == 2
    assert together["warm_start"] == second["warm_start"]
    figure = "full_softmax_cross_entropy"
    assert together[figure] == pytest.approx(second[figure], rel=0.01)


def test_a_base_that_is_not_there_is_a_wrong_command(
    corpus: Path, skipgram: Skipgram, tmp_path: Path
) -> None:
    missing = tmp_path / "glove.txt"
    ended = skipgram(*run_arguments(corpus, tmp_path / "output", f"trainer.warm_start={missing}"))
    assert ended.code == 2
    assert f"there is no {missing} (trainer.warm_start): name vectors in" in ended.stderr
    assert not (tmp_path / "output").exists()
