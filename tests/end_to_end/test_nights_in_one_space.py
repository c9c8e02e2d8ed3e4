"""Two nights one after the other: tonight's vectors lie in the space of the night before."""

import json
import random
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from components.embedding_comparison.comparison import COMPARISON_FILE, Comparison
from pipeline.results.embeddings import Embeddings
from tests.end_to_end.commands import DOCUMENTS, GROUPS, TOKENS_A_DOCUMENT, Skipgram, run_arguments
from tests.end_to_end.test_run_again import kill, wait_until, wait_until_gone
from tests.tensorboards import scalars
from trainer_module.training.record import HELD_OUT_SOFTMAX

pytestmark = pytest.mark.slow

# Fewer dimensions than tokens, or there is no one way to turn.
SETTINGS = ("trainer.dim=8", "evaluator.max_increase=0.5")
NEW = ("oak", "elm", "ash", "fir", "yew")


class Night(NamedTuple):
    vectors: Embeddings
    space_id: str
    summary: dict[str, Any]
    stdout: str


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nights") / "output"


def ended_night(output: Path, stdout: str) -> Night:
    return Night(
        Embeddings.load(output / "vectors"),
        json.loads((output / "vectors" / "space.json").read_text())["space_id"],
        json.loads((output / "summary.json").read_text()),
        stdout,
    )


@pytest.fixture(scope="module")
def grown(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus with documents of a new group."""
    generator = random.Random(2)
    lines = [" ".join(generator.choices(NEW, k=TOKENS_A_DOCUMENT)) for _ in range(DOCUMENTS // 3)]
    path = tmp_path_factory.mktemp("grown") / "groups.txt"
    path.write_text(corpus.read_text() + "".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def first(corpus: Path, output: Path, skipgram: Skipgram) -> Night:
    ended = skipgram(*run_arguments(corpus, output, *SETTINGS))
    assert ended.code == 0, ended.stderr
    return ended_night(output, ended.stdout)


@pytest.fixture(scope="module")
def second(first: Night, grown: Path, output: Path, skipgram: Skipgram) -> Night:
    ended = skipgram(*run_arguments(grown, output, *SETTINGS, "seed=2"))
    assert ended.code == 0, ended.stderr
    return ended_night(output, ended.stdout)


def test_the_first_night_begins_a_space(first: Night) -> None:
    assert first.summary["space_id"] == first.space_id
    assert "moved" not in first.summary


def test_tonights_vectors_lie_where_the_last_ones_do(first: Night, second: Night) -> None:
    assert second.space_id == second.summary["space_id"] == first.space_id
    tokens = [token for group in GROUPS for token in group]
    pairs = [(first.vectors.vector(token), second.vectors.vector(token)) for token in tokens]
    cosines = [float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in pairs]
    # Another seed and other documents; unturned, the mean would be near 0.
    assert np.mean(cosines) > 0.7
    assert second.summary["moved"]["mean_cosine"] == pytest.approx(np.mean(cosines), abs=1e-5)


def test_tensorboard_shows_the_last_blessed_model_beside_tonights(
    second: Night, output: Path
) -> None:
    name, folder = second.summary["run"], output / "tensorboard"
    line = scalars(folder / name / "last_blessed", HELD_OUT_SOFTMAX)
    curve = scalars(folder / name, HELD_OUT_SOFTMAX)
    assert [step for step, _ in line] == [curve[0][0], curve[-1][0]]
    # As far from the end as the two are apart on the same pairs.
    figure = "common_cross_entropy"
    apart = second.summary[f"{figure}_of_last_blessed"] - second.summary[figure]
    for _, height in line:
        assert height - curve[-1][1] == pytest.approx(apart, abs=1e-5)
    tokens = scalars(folder / "all_runs" / "blessed", "corpus/tokens")
    assert [step for step, _ in tokens] == [1, 2]
    assert tokens[1][1] == second.summary["tokens"]
    assert [path.name for path in (folder / "projector").iterdir()] == [name]


def last_artifact(output: Path, component: str, name: str) -> Path:
    return max((output / "artifacts" / component / name).iterdir(), key=lambda path: int(path.name))


def test_the_comparison_says_what_is_new(second: Night, output: Path) -> None:
    found = Comparison.read(last_artifact(output, "EmbeddingComparison", "comparison"))
    assert set(found.most_frequent_new) == set(NEW)
    assert found.numbers == second.summary["moved"]
    assert (found.common_tokens, found.new_tokens, found.gone_tokens) == (15, 5, 0)
    assert len(found.moved_most) == 15


def test_a_night_killed_in_each_node_that_looks_back_ends_as_an_undisturbed_one(
    second: Night, output: Path, corpus: Path, grown: Path, skipgram: Skipgram, tmp_path: Path
) -> None:
    disturbed = tmp_path / "output"
    ended = skipgram(*run_arguments(corpus, disturbed, *SETTINGS))
    assert ended.code == 0, ended.stderr
    arguments = run_arguments(grown, disturbed, *SETTINGS, "seed=2")
    for component in ("CorpusGate", "EmbeddingAligner", "Evaluator", "EmbeddingComparison"):

        def logs(component: str = component) -> int:
            return len(list(disturbed.glob(f"logs/*/{component}.log")))

        before = logs()
        killed = skipgram.start(*arguments)
        wait_until(lambda logs=logs, before=before: logs() > before, killed)
        kill(killed)
        wait_until_gone(disturbed)

    ended = skipgram(*arguments)
    assert ended.code == 0, ended.stderr
    for name in ("vectors.bin", "vectors.txt", "vocabulary.tsv", "space.json"):
        ours, theirs = (folder / "vectors" / name for folder in (disturbed, output))
        assert ours.read_bytes() == theirs.read_bytes(), name
    ours, theirs = (
        last_artifact(folder, "EmbeddingComparison", "comparison") / COMPARISON_FILE
        for folder in (disturbed, output)
    )
    assert ours.read_bytes() == theirs.read_bytes()
    summary = ended_night(disturbed, ended.stdout).summary
    for figure in ("common_cross_entropy", "increase", "increase_error", "moved", "space_id"):
        assert summary[figure] == second.summary[figure], figure


def test_the_second_night_again_is_all_cached(
    second: Night, grown: Path, output: Path, skipgram: Skipgram
) -> None:
    ended = skipgram(*run_arguments(grown, output, *SETTINGS, "seed=2"))
    assert ended.code == 0, ended.stderr
    assert "All components are cached" in ended.stdout
    again = ended_night(output, ended.stdout)
    np.testing.assert_array_equal(again.vectors.vectors, second.vectors.vectors)
    assert again.summary["moved"] == second.summary["moved"]


def test_a_model_that_moved_too_far_is_withheld_and_no_later_one_is_held_against_it(
    second: Night, grown: Path, output: Path, skipgram: Skipgram
) -> None:
    before = sorted((output / "serving").iterdir())
    arguments = run_arguments(grown, output, *SETTINGS, "seed=3")
    ended = skipgram(*arguments, "--set", "evaluator.min_neighbor_overlap=1")
    assert ended.code == 3
    assert "of the 10 nearest neighbours of its most frequent tokens" in ended.stderr
    assert "evaluator.min_neighbor_overlap asks for 100.0%" in ended.stderr
    assert sorted((output / "serving").iterdir()) == before
    np.testing.assert_array_equal(
        Embeddings.load(output / "vectors").vectors, second.vectors.vectors
    )
    # The gate away, the same model is judged against the second night's again: only the last word
    # on it and what hangs on that word are new.
    ended = skipgram(*arguments)
    assert ended.code == 0, ended.stderr
    summary = json.loads((output / "summary.json").read_text())
    assert {"Trainer", "EmbeddingAligner", "Evaluator"} <= set(summary["cached"])
    assert "EmbeddingComparison" not in summary["cached"]
