"""The Evaluator's configuration: which metrics, and the gate."""

import json

from tensorflow_model_analysis.proto import config_pb2

from components.embedding_evaluator.metrics import FORMULAS, SumsMetric, gain_over_unigram
from trainer_module.evaluation.export import EVALUATE_SIGNATURE


def eval_config(
    *,
    min_gain_over_unigram: float,
    compared_metric: str,
    max_increase: float,
    code_fingerprint: str,
) -> config_pb2.EvalConfig:
    """Says what is measured on the eval split and what a model must reach to be blessed.

    Args:
      min_gain_over_unigram: nats by which the full softmax cross-entropy must be below the unigram
        model's.
      compared_metric: the full cross-entropy that is compared with the last blessed model's.
      max_increase: nats by which it may be above that on the same documents.
      code_fingerprint: of the metrics' code, so that TFX's cache sees an edit.
    """
    thresholds = {
        gain_over_unigram.__name__: config_pb2.MetricThreshold(
            value_threshold=config_pb2.GenericValueThreshold(
                lower_bound={"value": min_gain_over_unigram}
            )
        ),
        compared_metric: config_pb2.MetricThreshold(
            change_threshold=config_pb2.GenericChangeThreshold(
                direction=config_pb2.MetricDirection.LOWER_IS_BETTER,
                absolute={"value": max_increase},
            )
        ),
    }
    configs = [
        config_pb2.MetricConfig(
            class_name=SumsMetric.__name__,
            module=SumsMetric.__module__,
            config=json.dumps({"name": name, "code_fingerprint": code_fingerprint}),
            threshold=thresholds.get(name),
        )
        for name in FORMULAS
    ]
    return config_pb2.EvalConfig(
        model_specs=[config_pb2.ModelSpec(signature_name=EVALUATE_SIGNATURE)],
        slicing_specs=[config_pb2.SlicingSpec()],
        metrics_specs=[config_pb2.MetricsSpec(metrics=configs)],
    )
