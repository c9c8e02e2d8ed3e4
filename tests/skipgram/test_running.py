"""skipgram.run: the pipeline, from Python."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

CODE = """
import skipgram

config = skipgram.Config(
    corpus={"files": ["walks.txt"]},
    preprocessing={"subsample": 0.0},
    trainer={"epochs": 16, "batch_size": 256, "dim": 16, "learning_rate": 0.025},
)
summary = skipgram.run(config, output="made")
assert summary.blessed, summary.why_not_blessed
assert summary.documents == 1500
embeddings = skipgram.Embeddings.load("made/vectors")
near = {neighbor.token for neighbor in embeddings.neighbors("red", k=3)}
assert near == {"green", "blue", "black"}
"""
# A document has words of one group, so that a word's neighbours are its group's.
GROUPS = (
    ("cat", "dog", "horse", "sheep"),
    ("red", "green", "blue", "black"),
    ("one", "two", "three", "four"),
)


@pytest.mark.slow
def test_the_pipeline_runs(tmp_path: Path) -> None:
    random = Random(1)
    walks = (random.choices(random.choice(GROUPS), k=8) for _ in range(1500))
    (tmp_path / "walks.txt").write_text("".join(f"{' '.join(walk)}\n" for walk in walks))
    ended = subprocess.run(
        [sys.executable, "-c", CODE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
