"""Nights with different vocabularies: the gate goes by what is the same for both models.

Each row here went the other way when full cross-entropies were compared, which are figures of their
vocabularies too.
"""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.commands import Ended, Skipgram

pytestmark = pytest.mark.slow

WORDS_A_DOCUMENT = 12
NUM_TOPICS = 20
WORDS_A_TOPIC = 60
GOOD = ("preprocessing.min_count=5", "trainer.dim=16")
# Few words are left, and they say little.
POOR = ("preprocessing.min_count=60", "trainer.dim=2")


def write_corpus(path: Path, num_documents: int) -> Path:
    """Documents of one topic each, whose words are as unlike in frequency as those of a language.

    A longer corpus begins with the shorter ones.
    """
    generator = random.Random(1)
    ranks = range(1, WORDS_A_TOPIC + 1)
    topics = [[f"w{topic}x{rank}" for rank in ranks] for topic in range(NUM_TOPICS)]
    weights = [1 / rank for rank in ranks]
    lines = [
        " ".join(generator.choices(generator.choice(topics), weights, k=WORDS_A_DOCUMENT))
        for _ in range(num_documents)
    ]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("nights")
    sizes = {"half": 700, "usual": 2000, "grown": 3000}
    return {name: write_corpus(folder / f"{name}.txt", size) for name, size in sizes.items()}


def night(skipgram: Skipgram, corpus: Path, output: Path, *settings: str) -> Ended:
    always = (
        "preprocessing.subsample=0",
        "trainer.epochs=6",
        "trainer.batch_size=256",
        "trainer.learning_rate=0.05",
        "trainer.evaluations_per_epoch=0",
        "corpus.eval_fraction=0.2",
        "evaluator.max_token_loss=1",  # the model's gate is asked, not the corpus'
    )
    given = [part for setting in (*always, *settings) for part in ("--set", setting)]
    return skipgram("run", "--corpus", str(corpus), "--output", str(output), *given)


def summary(output: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((output / "summary.json").read_text())
    return read


def test_growth_is_blessed_and_a_broken_feed_and_a_poor_model_are_not(
    skipgram: Skipgram, corpora: dict[str, Path], tmp_path: Path
) -> None:
    output = tmp_path / "output"
    first = night(skipgram, corpora["usual"], output, *GOOD)
    assert first.code == 0, first.stderr
    assert "it is the first one" in summary(output)["verdict"]
    assert "common_cross_entropy" not in summary(output)

    grown = night(skipgram, corpora["grown"], output, *GOOD)
    assert grown.code == 0, grown.stderr
    found = summary(output)
    assert found["increase"] < 0
    assert 0 < found["increase_error"] < 0.02
    assert found["common_coverage_of_last_blessed"] < found["common_coverage"] <= 1
    assert "below the last blessed model's" in found["verdict"]

    broken = night(skipgram, corpora["half"], output, *GOOD)
    assert broken.code == 3
    assert "above the last blessed model's" in broken.stderr
    assert summary(output)["increase"] > 2 * summary(output)["increase_error"]

    poor = night(skipgram, corpora["grown"], output, *POOR)
    assert poor.code == 3
    found = summary(output)
    assert found["increase"] > 0.02
    assert found["common_coverage"] < found["common_coverage_of_last_blessed"]
    # By its own figure it would be the best of all.
    assert found["full_softmax_cross_entropy"] < found["common_cross_entropy_of_last_blessed"]


def test_a_better_model_follows_a_poor_one(
    skipgram: Skipgram, corpora: dict[str, Path], tmp_path: Path
) -> None:
    output = tmp_path / "output"
    poor = night(skipgram, corpora["usual"], output, *POOR)
    assert poor.code == 0, poor.stderr
    best = summary(output)["full_softmax_cross_entropy"]
    good = night(skipgram, corpora["usual"], output, *GOOD)
    assert good.code == 0, good.stderr
    assert summary(output)["full_softmax_cross_entropy"] > best
    assert summary(output)["increase"] < -0.02


def test_documents_that_last_night_trained_on_are_not_compared(
    skipgram: Skipgram, corpora: dict[str, Path], tmp_path: Path
) -> None:
    """A split of twice the size: half of it last night's model was trained on."""
    output = tmp_path / "output"
    assert night(skipgram, corpora["usual"], output, *GOOD, "corpus.eval_fraction=0.1").code == 0
    small = summary(output)["pairs_eval"]
    ended = night(skipgram, corpora["usual"], output, *GOOD, "evaluator.max_increase=1")
    assert ended.code == 0, ended.stderr
    found = summary(output)
    # Windows are drawn anew where the vocabularies' shares differ; here they are the same.
    assert found["num_common_pairs"] == small < found["pairs_eval"]
