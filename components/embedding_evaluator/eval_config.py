"""The Evaluator's configuration: which metrics, and the gate."""

import json
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from tensorflow_model_analysis.constants import CANDIDATE_KEY, TF_GENERIC
from tensorflow_model_analysis.proto import config_pb2

from components.embedding_evaluator.intrinsic.set_metrics import set_metrics
from components.embedding_evaluator.metric_list import SLICES, increase_metric
from components.embedding_evaluator.metrics import CALIBRATION, FORMULAS, TotalsMetric
from components.embedding_evaluator.thresholds import Threshold
from trainer_module.evaluation.export import EVALUATE_SIGNATURE
from trainer_module.evaluation.intrinsic.sets import Named

# The metric of one of the gate's own thresholds.
_LEAST_GAIN = "least_gain_over_unigram"


def eval_config(
    *,
    min_gain_over_unigram: float,
    compared_metric: str,
    max_increase: float,
    max_targets: int,
    thresholds: Sequence[str],
    code_fingerprint: str,
    allow_chance: bool = False,
    sets: Named = MappingProxyType({}),
) -> config_pb2.EvalConfig:
    """Says what is measured on the eval split and what a model must reach to be blessed.

    Args:
      min_gain_over_unigram: nats by which the full softmax cross-entropy must be below the unigram
        model's.
      compared_metric: the cross-entropy that is compared with the last blessed model's, one of
        metrics.COMPARED_METRICS.
      max_increase: nats by which it may be above that on the same documents.
      allow_chance: whether it may be above by two standard errors more.
      max_targets: how many targets may be summed over the vocabulary; of more a sample is, and then
        a model must pass by two standard errors.
      thresholds: more of them, as Threshold.parse reads them.
      code_fingerprint: of the metrics' code, so that TFX's cache sees an edit.
      sets: intrinsic sets whose figures are reported too.
    """
    gate = (
        Threshold(_LEAST_GAIN, None, is_least=True, bound=min_gain_over_unigram),
        # Not TFMA's change threshold: that has no answer where a model has no pair.
        Threshold(
            increase_metric(allow_chance=allow_chance), None, is_least=False, bound=max_increase
        ),
        *map(Threshold.parse, thresholds),
    )
    shared = {
        "compared_metric": compared_metric,
        "max_targets": max_targets,
        "allow_chance": allow_chance,
        "thresholds": [*thresholds],
        "code_fingerprint": code_fingerprint,
    }
    configs = [
        config_pb2.MetricConfig(
            class_name=TotalsMetric.__name__,
            module=TotalsMetric.__module__,
            config=json.dumps({"name": name, **shared}),
        )
        for name in (*FORMULAS, CALIBRATION)
    ]
    configs += set_metrics(sets)
    for config in configs:
        name = json.loads(config.config)["name"]
        config.per_slice_thresholds.extend(_of_tfma(one) for one in gate if one.metric == name)
    return config_pb2.EvalConfig(
        # Without its type TFMA would load the model, as one of Keras, to find that it is none.
        model_specs=[
            config_pb2.ModelSpec(signature_name=EVALUATE_SIGNATURE, model_type=TF_GENERIC)
        ],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            *(config_pb2.SlicingSpec(feature_keys=[name]) for name in SLICES),
        ],
        # What is known of the last blessed model is among them.
        metrics_specs=[config_pb2.MetricsSpec(metrics=configs, model_names=[CANDIDATE_KEY])],
    )


def _of_tfma(threshold: Threshold) -> config_pb2.PerSliceMetricThreshold:
    """TFMA's. One without a slice would be of all slices, so the whole is named as one too."""
    bound = config_pb2.GenericValueThreshold(
        **{"lower_bound" if threshold.is_least else "upper_bound": {"value": threshold.bound}}
    )
    return config_pb2.PerSliceMetricThreshold(
        slicing_specs=[
            config_pb2.SlicingSpec(
                feature_values=dict([threshold.slice] if threshold.slice else [])
            )
        ],
        threshold=config_pb2.MetricThreshold(value_threshold=bound),
    )


def compared_metric_of(config: config_pb2.EvalConfig) -> str:
    """Which metric is compared, by the configuration that `eval_config` made."""
    return str(_shared(config)["compared_metric"])


def max_targets_of(config: config_pb2.EvalConfig) -> int:
    """How many targets may be summed, by the configuration that `eval_config` made."""
    return int(_shared(config)["max_targets"])


def _shared(config: config_pb2.EvalConfig) -> dict[str, Any]:
    """What the configurations of all metrics have in common."""
    found: dict[str, Any] = json.loads(config.metrics_specs[0].metrics[0].config)
    return found


def thresholds_of(config: config_pb2.EvalConfig) -> dict[str, Any]:
    """What a model must reach, by the names of arguments of the `eval_config` that made this."""
    # The gate's own are the first ones of their metrics.
    bounds = {
        json.loads(metric.config)["name"]: metric.per_slice_thresholds[0].threshold.value_threshold
        for metric in config.metrics_specs[0].metrics
        if metric.per_slice_thresholds
    }
    shared = _shared(config)
    increase = increase_metric(allow_chance=shared["allow_chance"])
    return {
        "min_gain_over_unigram": bounds[_LEAST_GAIN].lower_bound.value,
        "max_increase": bounds[increase].upper_bound.value,
        "allow_chance": shared["allow_chance"],
        "thresholds": shared["thresholds"],
    }
