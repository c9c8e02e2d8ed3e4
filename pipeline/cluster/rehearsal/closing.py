"""What a rehearsal came to: the figures of its model, and the gate's sentence about them."""

from pathlib import Path
from typing import NamedTuple

from google.protobuf import json_format, struct_pb2
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec
from tensorflow_model_analysis.proto import config_pb2

from components.embedding_comparison.comparison import Comparison
from components.embedding_evaluator.eval_config import (
    compared_metric_of,
    max_targets_of,
    thresholds_of,
)
from components.tfx_api import evaluator_constants
from pipeline.cluster.rehearsal.handing_over import Outputs
from pipeline.results.figures import Figures
from pipeline.results.verdict import verdict
from pipeline.sections.evaluation import EvaluatorConfig


class Closing(NamedTuple):
    """What is shown at the end."""

    metrics: dict[str, float]  # of the Evaluator
    verdict: str  # in the words of `skipgram run`
    pushed_to: str | None  # where the model is; None if it was not blessed
    vectors: str  # the Exporter's folder; it is empty if it was not blessed


def closing(spec: PipelineSpec, outputs: Outputs) -> Closing:
    """Collects what the nodes wrote.

    Args:
      spec: the job spec.
      outputs: of all nodes.
    """
    uris = {key: Path(uri) for key, uri in outputs.uris.items()}
    figures = Figures.read(str(uris["evaluator", "evaluation"]))
    blessing = uris["embedding-comparison", "blessing"]
    blessed = (blessing / evaluator_constants.BLESSED_FILE_NAME).exists()
    sentence = verdict(
        *gate_of(spec),
        figures,
        Comparison.read(uris["embedding-comparison", "comparison"]),
        blessed=blessed,
    )
    pushed = outputs.artifacts["pusher", "pushed_model"].metadata.fields
    destination = pushed["pushed_destination"].string_value if blessed else None
    vectors = str(uris["embedding-exporter", "vectors"])
    return Closing(figures.metrics, sentence, destination, vectors)


def gate_of(spec: PipelineSpec) -> tuple[EvaluatorConfig, int]:
    """The gate that a job spec was compiled with, as parameters of nodes, and the epochs."""
    of_evaluator = json_format.Parse(
        _constant(spec, "evaluator", "eval_config").string_value, config_pb2.EvalConfig()
    )
    overlap = _constant(spec, "embedding-comparison", "min_neighbor_overlap").number_value
    gate = EvaluatorConfig.model_validate(
        {
            "compared_metric": compared_metric_of(of_evaluator),
            "max_targets": max_targets_of(of_evaluator),
            **thresholds_of(of_evaluator),
            "min_neighbor_overlap": overlap or None,
        }
    )
    epochs = spec.root.input_definitions.parameters["epochs"].default_value.number_value
    return gate, int(epochs)


def _constant(spec: PipelineSpec, task: str, key: str) -> struct_pb2.Value:
    return spec.root.dag.tasks[task].inputs.parameters[key].runtime_value.constant
