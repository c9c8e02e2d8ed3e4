"""TFX's Evaluator on a small model: what it writes, what is read of it, and its blessing."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import tensorflow as tf
from google.protobuf import json_format
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils, standard_artifacts

from components.embedding_comparison.comparison import Comparison
from components.embedding_evaluator import predictions
from components.embedding_evaluator.component import Executor
from components.embedding_evaluator.eval_config import eval_config
from components.embedding_evaluator.metric_list import METRICS
from components.embedding_evaluator.thresholds import Threshold
from pipeline.beam_arguments import ON_THIS_MACHINE
from pipeline.results.figures import Figures
from pipeline.results.verdict import verdict
from pipeline.sections.evaluation import EvaluatorConfig
from tests.saved_models import SETTINGS
from tests.trainer_module.evaluation import test_export

TEXTS = ["ape bee cow", "cow dog bee bee", "", "dog", "ape bee ape bee dog", "cow cow ape"] * 3


class Judged(NamedTuple):
    figures: Figures
    blessed: bool


class Given(NamedTuple):
    examples: standard_artifacts.Examples
    model: standard_artifacts.Model


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    folder = tmp_path_factory.mktemp("given")
    examples = standard_artifacts.Examples()
    examples.uri = str(folder / "examples")
    examples.split_names = artifact_utils.encode_split_names(["eval"])
    split = folder / "examples" / "Split-eval"
    split.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(split / "data.gz"), options="GZIP") as writer:
        for text in TEXTS:
            writer.write(test_export.example(text))
    transform = test_export.transform(folder / "made", "windows")
    saved = test_export.save(transform, folder, "nce", SETTINGS._replace(window=1))
    model = standard_artifacts.Model()
    model.uri = str(folder / "serving")
    (folder / "serving").mkdir()
    (folder / "serving" / "Format-Serving").symlink_to(saved)
    return Given(examples, model)


def judged(
    given: Given, folder: Path, thresholds: Sequence[str] = (), *, beside_itself: bool = False
) -> Judged:
    """What TFX's Evaluator makes of the model, first or beside itself as the last blessed one."""
    evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
    evaluation.uri, blessing.uri = str(folder / "evaluation"), str(folder / "blessing")
    config = eval_config(
        min_gain_over_unigram=-10.0,
        compared_metric="common_cross_entropy",
        max_increase=0.02,
        max_targets=1000,
        thresholds=thresholds,
        code_fingerprint="0123",
    )
    context = BaseBeamExecutor.Context(
        beam_pipeline_args=list(ON_THIS_MACHINE), tmp_dir=str(folder / "tmp"), unique_id="1"
    )
    Executor(context).Do(
        {
            "examples": [given.examples],
            "model": [given.model],
            "baseline_model": [given.model] if beside_itself else [],
        },
        {"evaluation": [evaluation], "blessing": [blessing]},
        {
            "eval_config": json_format.MessageToJson(config),
            "module_path": predictions.__name__,
            "example_splits": json.dumps(["eval"]),
        },
    )
    blessed = blessing.get_int_custom_property("blessed") == 1
    return Judged(Figures.read(evaluation.uri), blessed)


PASSED = ("mean_rank <= 4", "mean_rank[context_frequency=1-100] <= 4")


@pytest.fixture(scope="module")
def first(given: Given, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    return judged(given, tmp_path_factory.mktemp("first"), PASSED)


def test_the_first_model(first: Judged) -> None:
    assert first.blessed
    assert not first.figures.compared
    reported = first.figures.reported
    assert list(reported) == [
        one.name for one in METRICS if one.written and not (one.is_comparison or one.is_error)
    ]
    assert all(map(math.isfinite, reported.values()))
    assert first.figures.metrics["num_pairs"] == 3 * 22
    # Of four tokens no rank is above 4, and all are among the 100 most frequent.
    assert 1 <= reported["mean_rank"] <= 4
    assert reported["recall_at_10"] == 1
    for rows in first.figures.slices.values():
        [row] = rows
        assert row.pop("slice") == "1-100"
        assert row.pop("num_pairs") == 66
        assert row == {name: pytest.approx(value) for name, value in reported.items()}


def test_the_table_of_calibration(first: Judged) -> None:
    bins = first.figures.calibration
    assert all(set(one) == {"from", "to", "predicted", "observed", "share"} for one in bins)
    assert sum(one["share"] for one in bins) == pytest.approx(1)
    assert all(one["from"] <= one["predicted"] <= one["to"] for one in bins)
    assert bins[-1]["to"] == 1


def withheld(found: Judged, threshold: str) -> bool:
    """Whether a model is, and the sentence gives the threshold as the reason."""
    value = found.figures.value_of(Threshold.parse(threshold))
    assert value is None or not Threshold.parse(threshold).is_met(value)
    gate = EvaluatorConfig(min_gain_over_unigram=-10, thresholds=(threshold,))
    said = verdict(gate, 2, found.figures, Comparison(space_id="0"), blessed=found.blessed)
    return not found.blessed and threshold.split(" <=")[0] in said


def test_beside_the_last_blessed_model_and_below_a_threshold_on_a_slice(
    given: Given, first: Judged, tmp_path: Path
) -> None:
    threshold = "mean_rank[context_frequency=1-100] <= 1"
    found = judged(given, tmp_path, [*PASSED, threshold], beside_itself=True)
    assert withheld(found, threshold)
    assert found.figures.compared
    reported = found.figures.reported
    assert reported["increase"] == 0
    assert reported["num_common_pairs"] > 0
    for name, value in first.figures.reported.items():
        assert reported[name] == pytest.approx(value, rel=1e-6)
    # What documents are compared by has no slices.
    assert "increase" not in found.figures.slices["target_frequency"][0]


def test_a_slice_without_a_pair_meets_no_threshold(given: Given, tmp_path: Path) -> None:
    threshold = "mean_rank[context_frequency=101-1000] <= 4"
    assert withheld(judged(given, tmp_path, [threshold]), threshold)
