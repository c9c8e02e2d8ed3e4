import importlib
import json

import pytest
from tensorflow_model_analysis import utils
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.proto import config_pb2

from components.embedding_evaluator.eval_config import eval_config
from components.embedding_evaluator.metrics import FORMULAS


def config(min_gain: float = 0.05, max_increase: float = 0.02) -> config_pb2.EvalConfig:
    return eval_config(
        min_gain_over_unigram=min_gain,
        compared_metric="full_softmax_cross_entropy",
        max_increase=max_increase,
        code_fingerprint="0123",
    )


def blessed(values: dict[str, float], last: dict[str, float] | None = None) -> bool:
    """Whether TFMA lets pass a model with these metrics, against the last blessed one's."""
    filled = utils.update_eval_config_with_defaults(
        config(), has_baseline=last is not None, rubber_stamp=True
    )
    # TFMA names the models where there are two.
    name = "candidate" if last else ""
    found = {
        metric_types.MetricKey(name=metric, model_name=name): value
        for metric, value in values.items()
    }
    for metric, value in (last or {}).items():
        key = metric_types.MetricKey(name=metric, model_name=name, is_diff=True)
        found[key] = values[metric] - value
    return metrics_validator.validate_metrics(((), found), filled).validation_ok


def test_the_compared_metric_can_be_the_sigmoid_one():
    made = eval_config(
        min_gain_over_unigram=0.05,
        compared_metric="full_sigmoid_cross_entropy",
        max_increase=0.5,
        code_fingerprint="",
    )
    [spec] = made.metrics_specs
    compared = {
        json.loads(metric.config)["name"]: metric.threshold.change_threshold.absolute.value
        for metric in spec.metrics
        if metric.threshold.HasField("change_threshold")
    }
    assert compared == {"full_sigmoid_cross_entropy": 0.5}


class TestWhatIsMeasured:
    def test_each_metric_by_its_name(self):
        [spec] = config().metrics_specs
        assert [json.loads(metric.config)["name"] for metric in spec.metrics] == list(FORMULAS)

    def test_by_classes_that_beam_workers_can_import(self):
        [spec] = config().metrics_specs
        for metric in spec.metrics:
            found = getattr(importlib.import_module(metric.module), metric.class_name)
            made = found(**json.loads(metric.config))
            assert made.name == json.loads(metric.config)["name"]

    def test_the_fingerprint_of_the_code_makes_another_configuration(self):
        edited = eval_config(
            min_gain_over_unigram=0.05,
            compared_metric="full_softmax_cross_entropy",
            max_increase=0.02,
            code_fingerprint="99",
        )
        assert edited != config()

    def test_over_all_documents_by_the_signature_for_evaluation(self):
        [model] = config().model_specs
        assert model.signature_name == "evaluate"
        assert list(config().slicing_specs) == [config_pb2.SlicingSpec()]


class TestThresholds:
    def test_are_on_two_metrics(self):
        [spec] = config(min_gain=0.25, max_increase=0.5).metrics_specs
        found = {
            json.loads(metric.config)["name"]: metric.threshold
            for metric in spec.metrics
            if metric.HasField("threshold")
        }
        gain, change = found["gain_over_unigram"], found["full_softmax_cross_entropy"]
        assert len(found) == 2
        assert gain.value_threshold.lower_bound.value == 0.25
        assert change.change_threshold.absolute.value == 0.5
        assert change.change_threshold.direction == config_pb2.MetricDirection.LOWER_IS_BETTER

    @pytest.mark.parametrize(
        ("gain", "expected"),
        [(0.051, True), (0.05, True), (0.049, False), (-1.0, False), (float("nan"), False)],
    )
    def test_the_first_model_must_gain_over_the_unigram_model(self, gain, expected):
        values = {"gain_over_unigram": gain, "full_softmax_cross_entropy": 7.0}
        assert blessed(values) is expected

    @pytest.mark.parametrize(
        ("cross_entropy", "expected"),
        [(6.0, True), (7.015, True), (7.025, False), (float("nan"), False)],
    )
    def test_the_next_must_not_be_much_worse_than_the_last(self, cross_entropy, expected):
        values = {"gain_over_unigram": 1.0, "full_softmax_cross_entropy": cross_entropy}
        assert blessed(values, last={"full_softmax_cross_entropy": 7.0}) is expected

    def test_the_next_must_gain_over_the_unigram_model_too(self):
        values = {"gain_over_unigram": 0.01, "full_softmax_cross_entropy": 6.0}
        assert not blessed(values, last={"full_softmax_cross_entropy": 7.0})

    def test_a_model_without_the_metrics_does_not_pass(self):
        assert not blessed({"num_pairs": 10.0})
