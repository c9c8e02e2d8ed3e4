"""The last node's function; the Evaluator's figures are given by hand."""

from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.embedding_comparison.comparison import COMPARISON_FILE, Comparison
from components.embedding_comparison.component import ModelComparison
from pipeline.cluster import blessing_required
from pipeline.results.figures import Figures
from pipeline.sections.evaluation import EvaluatorConfig
from trainer_module.errors import WithheldError

METRICS = {
    "full_softmax_cross_entropy": 7.9,
    "unigram_cross_entropy": 7.91,
    "full_softmax_cross_entropy_error": 0.0,
    "gain_over_unigram": 0.01,
    "least_gain_over_unigram": 0.01,
    "num_pairs": 12_345.0,
    "increase": 0.0,
    "most_increase": 0.0,
}


def run(folder: Path, *, blessed: bool) -> None:
    blessing, evaluation = standard_artifacts.ModelBlessing(), standard_artifacts.ModelEvaluation()
    blessing.set_int_custom_property("blessed", int(blessed))
    evaluation.uri = "gs://bucket/evaluation"
    comparison = ModelComparison()
    comparison.uri = str(folder)
    (folder / COMPARISON_FILE).write_text(Comparison(space_id="0").to_json())
    blessing_required.BlessingRequired.EXECUTOR_SPEC.executor_class._FUNCTION(
        model_blessing=blessing,
        evaluation=evaluation,
        comparison=comparison,
        thresholds=EvaluatorConfig(min_gain_over_unigram=0.25).model_dump_json(),
        epochs=7,
    )


def test_nothing_is_done_where_the_model_is_blessed(tmp_path: Path) -> None:
    run(tmp_path, blessed=True)


def test_it_fails_with_the_reasons_where_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    figures = Figures(METRICS, {}, [], compared=False)
    monkeypatch.setattr(Figures, "read", lambda uri: asked.append(uri) or figures)
    with pytest.raises(
        WithheldError,
        match=r"^the model is not blessed and was not pushed: .* is 0\.0100 below the unigram "
        r"model's 7\.9100, and evaluator\.min_gain_over_unigram asks for 0\.25: raise "
        r"trainer\.epochs \(it is 7\)",
    ):
        run(tmp_path, blessed=False)
    assert asked == ["gs://bucket/evaluation"]
