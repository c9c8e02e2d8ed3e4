"""A run whose Transform emits pairs: trained on here, and read elsewhere as docs/pairs.md says."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.commands import Run, Skipgram, run_arguments, transformed_records
from tests.trainer_module.transformed import pairs_of

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "pairs.md").read_text(encoding="utf-8")
[SNIPPET] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def pairs_run(corpus: Path, skipgram: Skipgram, tmp_path_factory: pytest.TempPathFactory) -> Run:
    output = tmp_path_factory.mktemp("pairs") / "output"
    ended = skipgram(*run_arguments(corpus, output, "preprocessing.emit=pairs"))
    assert ended.code == 0, ended.stderr
    return Run(output, ended.stdout, json.loads((output / "summary.json").read_text()))


def records(run: Run, split: str) -> list[dict[str, list[int]]]:
    [folder] = (run.output / "artifacts").glob(f"Transform/transformed_examples/*/{split}")
    return [
        {name.removesuffix("$ragged_values"): values for name, values in record}
        for record in transformed_records(folder)
    ]


@pytest.mark.parametrize("split", ["Split-train", "Split-eval"])
def test_its_examples_are_the_pairs_of_the_windows(run: Run, pairs_run: Run, split: str) -> None:
    expected = sorted(
        pairs_of(list(zip(row["token_ids"], row["window_sizes"], strict=True)))
        for row in records(run, split)
    )
    found = records(pairs_run, split)
    assert all(row.keys() == {"target", "context", "num_tokens"} for row in found)
    pairs = [list(zip(row["target"], row["context"], strict=True)) for row in found]
    assert sorted(pairs) == expected


def test_it_learns_as_well(run: Run, pairs_run: Run) -> None:
    for name in ("pairs_train", "pairs_eval", "tokens", "documents", "vocabulary_size"):
        assert pairs_run.summary[name] == run.summary[name]
    for name in ("full_softmax_cross_entropy", "full_sigmoid_cross_entropy"):
        assert pairs_run.summary[name] == pytest.approx(run.summary[name], rel=0.02)
    assert pairs_run.summary["unigram_cross_entropy"] == pytest.approx(
        run.summary["unigram_cross_entropy"], rel=1e-6
    )
    last = pairs_run.summary["evaluations"][-1]
    assert pairs_run.summary["full_softmax_cross_entropy"] == pytest.approx(
        last["softmax"], rel=1e-4
    )


def test_the_snippet_of_the_page_trains_on_them(pairs_run: Run, tmp_path: Path) -> None:
    shutil.copytree(pairs_run.output / "artifacts", tmp_path / "output" / "artifacts")
    ended = subprocess.run(
        [sys.executable, "-c", SNIPPET], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "trainer_module" not in SNIPPET
    # Untrained it is the log of the 15 candidates' and the context's coin tosses, or more.
    [loss] = re.findall(r"([\d.]+) nats of the last batch", ended.stdout)
    assert float(loss) < 8
