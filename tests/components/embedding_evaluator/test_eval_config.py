import importlib
import json
import math

import pytest
from tensorflow_model_analysis import utils
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.proto import config_pb2

from components.embedding_evaluator.eval_config import (
    compared_metric_of,
    eval_config,
    max_targets_of,
    thresholds_of,
)
from components.embedding_evaluator.metrics import COMPARED_METRICS, FORMULAS


def config(
    min_gain: float = 0.05,
    max_increase: float = 0.02,
    allow_chance: bool = False,
    compared_metric: str = "common_cross_entropy",
    max_targets: int = 50_000,
    thresholds: tuple[str, ...] = (),
    code_fingerprint: str = "0123",
) -> config_pb2.EvalConfig:
    return eval_config(
        min_gain_over_unigram=min_gain,
        compared_metric=compared_metric,
        max_increase=max_increase,
        allow_chance=allow_chance,
        max_targets=max_targets,
        thresholds=thresholds,
        code_fingerprint=code_fingerprint,
    )


OF_SLICE = (("target_frequency", "10001-"),)


def blessed(
    gain: float,
    increase: float,
    *,
    has_last: bool = True,
    slice_key: tuple[tuple[str, str], ...] = (),
    rank: float = 1.0,
    thresholds: tuple[str, ...] = (),
) -> bool:
    """Whether TFMA lets pass a model with these metrics of the whole, or of a slice."""
    filled = utils.update_eval_config_with_defaults(
        config(thresholds=thresholds), has_baseline=has_last, rubber_stamp=True
    )
    # TFMA names the models where there are two.
    name = "candidate" if has_last else ""
    values = {"least_gain_over_unigram": gain, "most_increase": increase, "mean_rank": rank}
    found = {
        metric_types.MetricKey(name=metric, model_name=name): value
        for metric, value in values.items()
    }
    return metrics_validator.validate_metrics((slice_key, found), filled).validation_ok


class TestWhatIsMeasured:
    def test_each_metric_by_its_name(self):
        [spec] = config().metrics_specs
        names = [json.loads(metric.config)["name"] for metric in spec.metrics]
        assert names == [*FORMULAS, "calibration"]

    def test_by_classes_that_beam_workers_can_import(self):
        [spec] = config().metrics_specs
        for metric in spec.metrics:
            found = getattr(importlib.import_module(metric.module), metric.class_name)
            made = found(**json.loads(metric.config))
            assert made.name == json.loads(metric.config)["name"]

    @pytest.mark.parametrize("has_last", [True, False])
    def test_of_the_new_model_alone(self, has_last):
        filled = utils.update_eval_config_with_defaults(config(), has_baseline=has_last)
        [spec] = filled.metrics_specs
        assert list(spec.model_names) == ["candidate" if has_last else ""]

    @pytest.mark.parametrize("name", COMPARED_METRICS)
    def test_the_compared_metric_can_be_read_again(self, name):
        assert compared_metric_of(config(compared_metric=name)) == name

    def test_so_can_the_number_of_targets(self):
        assert max_targets_of(config(max_targets=1234)) == 1234

    def test_the_fingerprint_of_the_code_makes_another_configuration(self):
        assert config(code_fingerprint="99") != config()

    def test_of_the_whole_and_of_slices_by_the_signature_for_evaluation(self):
        [model] = config().model_specs
        assert model.signature_name == "evaluate"
        assert list(config().slicing_specs) == [
            config_pb2.SlicingSpec(),
            config_pb2.SlicingSpec(feature_keys=["target_frequency"]),
            config_pb2.SlicingSpec(feature_keys=["context_frequency"]),
        ]


class TestThresholds:
    def test_are_on_two_metrics(self):
        [spec] = config(min_gain=0.25, max_increase=0.5).metrics_specs
        found = {
            json.loads(metric.config)["name"]: one.threshold.value_threshold
            for metric in spec.metrics
            for one in metric.per_slice_thresholds
        }
        assert list(found) == ["least_gain_over_unigram", "most_increase"]
        assert found["least_gain_over_unigram"].lower_bound.value == 0.25
        assert not found["least_gain_over_unigram"].HasField("upper_bound")
        assert found["most_increase"].upper_bound.value == 0.5
        assert not found["most_increase"].HasField("lower_bound")

    @pytest.mark.parametrize(
        ("gain", "expected"),
        [(0.051, True), (0.05, True), (0.049, False), (-1.0, False), (math.nan, False)],
    )
    @pytest.mark.parametrize("has_last", [True, False])
    def test_a_model_must_gain_over_the_unigram_model(self, gain, expected, has_last):
        assert blessed(gain, 0.0, has_last=has_last) is expected

    @pytest.mark.parametrize(
        ("increase", "expected"),
        [(-1.0, True), (0.0, True), (0.02, True), (0.021, False), (math.nan, False)],
    )
    def test_it_must_not_be_much_worse_than_the_last(self, increase, expected):
        assert blessed(1.0, increase) is expected

    def test_are_of_the_whole_and_not_of_slices(self):
        assert blessed(-1.0, 1.0, slice_key=OF_SLICE)

    @pytest.mark.parametrize(
        ("threshold", "slice_key", "expected"),
        [
            ("mean_rank <= 900", (), False),
            ("mean_rank <= 901", (), True),
            ("mean_rank <= 900", OF_SLICE, True),
            ("mean_rank[target_frequency=10001-] <= 900", (), True),
            ("mean_rank[target_frequency=10001-] <= 900", OF_SLICE, False),
            ("mean_rank[target_frequency=10001-] <= 901", OF_SLICE, True),
            ("mean_rank[target_frequency=1-100] <= 900", OF_SLICE, True),
            ("mean_rank[context_frequency=10001-] <= 900", OF_SLICE, True),
        ],
    )
    def test_somebody_may_set_more_and_on_slices(self, threshold, slice_key, expected):
        found = blessed(1.0, 0.0, slice_key=slice_key, rank=901.0, thresholds=(threshold,))
        assert found is expected

    def test_can_be_read_again(self):
        more = ("mean_rank <= 900", "recall_at_1[context_frequency=1-100] >= 0.5")
        assert thresholds_of(config(min_gain=0.25, max_increase=0.5, thresholds=more)) == {
            "min_gain_over_unigram": 0.25,
            "max_increase": 0.5,
            "allow_chance": False,
            "thresholds": list(more),
        }

    def test_where_chance_is_allowed_another_metric_is_held_against_the_same_bound(self):
        by_chance = config(max_increase=0.5, allow_chance=True)
        [spec] = by_chance.metrics_specs
        found = {
            json.loads(metric.config)["name"]: one.threshold.value_threshold.upper_bound.value
            for metric in spec.metrics
            for one in metric.per_slice_thresholds
        }
        assert found == {"least_gain_over_unigram": 0.0, "sure_increase": 0.5}
        assert thresholds_of(by_chance)["allow_chance"] is True
        assert thresholds_of(by_chance)["max_increase"] == 0.5
