"""The component's function, on a vocabulary of Transform's and one of a model."""

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from components.corpus_gate.component import COMPARISON_FILE, CorpusFigures, CorpusGate
from trainer_module.errors import WithheldError
from trainer_module.evaluation.saved_model import ModelSettings


def written(folder: Path, counts: Mapping[str, int], occurrences: int | None) -> None:
    """Both vocabulary files; the second one only if it is known how many tokens there were."""
    folder.mkdir(parents=True)
    lines = "".join(f"{count} {token}\n" for token, count in counts.items())
    (folder / "vocabulary").write_text(lines, encoding="utf-8")
    if occurrences is not None:
        totals = json.dumps({"distinct": 99, "occurrences": occurrences})
        (folder / "vocabulary_totals").write_text(totals)


def judged(
    folder: Path,
    last_occurrences: int | None = 100,
    max_token_loss: float = 0.5,
    tokens: int = 40,
    last_kind: str | None = "text",
    words: tuple[str, str] = ("the", "cat"),
) -> dict[str, Any]:
    """What the gate writes of `tokens` tokens, after a night with 30 of its vocabulary."""
    counts = dict(zip(words, (20, 10), strict=True))
    written(folder / "graph" / "transform_fn" / "assets", counts, tokens)
    last = folder / "model" / "Format-Serving"
    written(last / "assets", {"the": 20, "dog": 10}, last_occurrences)
    says = {} if last_kind is None else {"settings": tf.Variable(settings(last_kind).to_json())}
    tf.train.Checkpoint(**says).write(str(last / "variables" / "variables"))
    graph, model = standard_artifacts.TransformGraph(), standard_artifacts.Model()
    graph.uri, model.uri = str(folder / "graph"), str(folder / "model")
    return gate(folder, graph, model, max_token_loss)


def settings(kind: str) -> ModelSettings:
    return ModelSettings("whitespace", "NFKC", 0.0, 5, 0, 0.05, True, 1.0, "0123", kind)


def gate(
    folder: Path,
    graph: standard_artifacts.TransformGraph,
    model: standard_artifacts.Model | None,
    max_token_loss: float = 0.5,
) -> dict[str, Any]:
    figures = CorpusFigures()
    figures.uri = str(folder / "figures")
    CorpusGate.EXECUTOR_SPEC.executor_class._FUNCTION(
        transform_graph=graph,
        figures=figures,
        kind="text",
        max_token_loss=max_token_loss,
        code_fingerprint="0123",
        last_model=model,
    )
    content: dict[str, Any] = json.loads((folder / "figures" / COMPARISON_FILE).read_text())
    return content


def test_a_cluster_finds_the_artifact_by_its_name() -> None:
    package, name = CorpusFigures.TYPE_NAME.split(".")
    assert getattr(importlib.import_module(package), name) is CorpusFigures


def test_the_figures_are_written(tmp_path: Path) -> None:
    # Of shares (2/3, 1/3, 0) and (2/3, 0, 1/3): 1/3 log2(2) from either to the middle.
    assert judged(tmp_path, 80) == {
        "tokens": 40,
        "last_tokens": 80,
        "vocabulary_kept": 1,
        "vocabulary_new": 1,
        "vocabulary_gone": 1,
        "share_of_new_tokens": pytest.approx(1 / 3),
        "jensen_shannon_divergence": pytest.approx(1 / 3),
    }


@pytest.mark.parametrize("model", [None, standard_artifacts.Model()])
def test_the_first_night_has_none_to_be_held_against(
    tmp_path: Path, model: standard_artifacts.Model | None
) -> None:
    written(tmp_path / "graph" / "transform_fn" / "assets", {"the": 20}, 25)
    graph = standard_artifacts.TransformGraph()
    graph.uri = str(tmp_path / "graph")
    if model is not None:  # as LastPushedCorpus leaves it where nothing was pushed yet
        model.uri = str(tmp_path / "model")
        (tmp_path / "model").mkdir()
    assert gate(tmp_path, graph, model) == {"tokens": 25}


def test_a_corpus_that_lost_too_much_is_withheld(tmp_path: Path) -> None:
    with pytest.raises(WithheldError) as caught:
        judged(tmp_path, 101)
    assert str(caught.value) == (
        "the run is withheld before training: its corpus holds 40 tokens, the last blessed run's "
        "held 101, so 60.4% are gone, and evaluator.max_token_loss allows 50.0%: look for files "
        "that are missing or cut short, or set evaluator.max_token_loss=0.61 if so little text is "
        "meant"
    )


@pytest.mark.parametrize(
    ("last_tokens", "max_token_loss"), [(80, 0.5), (101, 0.61), (10_000, 1.0), (40, 0.0), (10, 0.0)]
)
def test_what_may_be_lost_passes(tmp_path: Path, last_tokens: int, max_token_loss: float) -> None:
    assert judged(tmp_path, last_tokens, max_token_loss)["last_tokens"] == last_tokens


def test_a_model_of_an_older_version_held_what_its_vocabulary_says(tmp_path: Path) -> None:
    assert judged(tmp_path, None, last_kind=None)["last_tokens"] == 30


@pytest.mark.parametrize("max_token_loss", [0.5, 1.0])
def test_a_corpus_of_another_kind_is_withheld(tmp_path: Path, max_token_loss: float) -> None:
    with pytest.raises(WithheldError) as caught:
        judged(tmp_path, 40, max_token_loss, last_kind="edges")
    assert str(caught.value) == (
        "the run is withheld before training: this corpus is of corpus.kind=text, and the last "
        "blessed run's was of corpus.kind=edges: give each kind an --output of its own"
    )


def test_a_corpus_of_other_tokens_alone_is_withheld(tmp_path: Path) -> None:
    with pytest.raises(WithheldError) as caught:
        judged(tmp_path, 40, 0.99, words=("le", "chat"))
    assert str(caught.value) == (
        "the run is withheld before training: its corpus and the last blessed run's have no token "
        "in common: give another corpus an --output of its own, or set evaluator.max_token_loss=1 "
        "if it is meant to take this one over"
    )


def test_other_tokens_alone_pass_where_all_may_be_lost(tmp_path: Path) -> None:
    assert judged(tmp_path, 40, 1.0, words=("le", "chat"))["vocabulary_kept"] == 0
