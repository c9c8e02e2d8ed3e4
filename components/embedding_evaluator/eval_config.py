"""The Evaluator's configuration: which metrics, and the gate."""

import json
from typing import Any

from tensorflow_model_analysis.constants import CANDIDATE_KEY, TF_GENERIC
from tensorflow_model_analysis.proto import config_pb2

from components.embedding_evaluator.metrics import (
    FORMULAS,
    TotalsMetric,
    least_gain_over_unigram,
    most_increase,
)
from components.embedding_evaluator.set_metrics import set_metrics
from trainer_module.evaluation.export import EVALUATE_SIGNATURE
from trainer_module.evaluation.intrinsic.sets import Named


def eval_config(
    *,
    min_gain_over_unigram: float,
    compared_metric: str,
    max_increase: float,
    max_targets: int,
    code_fingerprint: str,
    sets: Named,
) -> config_pb2.EvalConfig:
    """Says what is measured on the eval split and what a model must reach to be blessed.

    Args:
      min_gain_over_unigram: nats by which the full softmax cross-entropy must be below the unigram
        model's.
      compared_metric: the cross-entropy that is compared with the last blessed model's, one of
        metrics.COMPARED_METRICS.
      max_increase: nats by which it may be above that on the same documents.
      max_targets: how many targets may be summed over the vocabulary; of more a sample is, and then
        a model must pass by two standard errors.
      code_fingerprint: of the metrics' code, so that TFX's cache sees an edit.
      sets: intrinsic sets whose figures are reported too.
    """
    thresholds = {
        least_gain_over_unigram.__name__: config_pb2.GenericValueThreshold(
            lower_bound={"value": min_gain_over_unigram}
        ),
        # Not TFMA's change threshold: that has no answer where a model has no pair.
        most_increase.__name__: config_pb2.GenericValueThreshold(
            upper_bound={"value": max_increase}
        ),
    }
    shared = {
        "compared_metric": compared_metric,
        "max_targets": max_targets,
        "code_fingerprint": code_fingerprint,
    }
    configs = [
        config_pb2.MetricConfig(
            class_name=TotalsMetric.__name__,
            module=TotalsMetric.__module__,
            config=json.dumps({"name": name, **shared}),
            threshold=_threshold(thresholds.get(name)),
        )
        for name in FORMULAS
    ]
    configs += set_metrics(sets).values()
    return config_pb2.EvalConfig(
        # Without its type TFMA would load the model, as one of Keras, to find that it is none.
        model_specs=[
            config_pb2.ModelSpec(signature_name=EVALUATE_SIGNATURE, model_type=TF_GENERIC)
        ],
        slicing_specs=[config_pb2.SlicingSpec()],
        # What is known of the last blessed model is among them.
        metrics_specs=[config_pb2.MetricsSpec(metrics=configs, model_names=[CANDIDATE_KEY])],
    )


def _threshold(
    value: config_pb2.GenericValueThreshold | None,
) -> config_pb2.MetricThreshold | None:
    return None if value is None else config_pb2.MetricThreshold(value_threshold=value)


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


def thresholds_of(config: config_pb2.EvalConfig) -> dict[str, float]:
    """What a model must reach, by the names of arguments of the `eval_config` that made this."""
    thresholds = {
        json.loads(metric.config)["name"]: metric.threshold.value_threshold
        for metric in config.metrics_specs[0].metrics
    }
    return {
        "min_gain_over_unigram": thresholds[least_gain_over_unigram.__name__].lower_bound.value,
        "max_increase": thresholds[most_increase.__name__].upper_bound.value,
    }
