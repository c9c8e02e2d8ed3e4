"""The last node of a cluster's run, where one is asked for: it fails if the model is not blessed.

A run that withholds its model has done its work, and a cluster shows it as green. With this node
it is red, and whatever the cluster does about runs that fail is done.
"""

import os
from collections.abc import Mapping

from components.embedding_comparison.comparison import COMPARISON_FILE, Comparison
from components.embedding_comparison.component import ModelComparison
from components.tfx_api import (
    BaseNode,
    InputArtifact,
    Parameter,
    component,
    evaluator_constants,
    io_utils,
    standard_artifacts,
)
from pipeline import graph
from pipeline.config import Config
from pipeline.results.figures import Figures
from pipeline.results.verdict import verdict
from pipeline.sections.evaluation import EvaluatorConfig
from trainer_module.errors import WithheldError

_BLESSED = evaluator_constants.ARTIFACT_PROPERTY_BLESSED_KEY


@component
def BlessingRequired(  # noqa: N802
    model_blessing: InputArtifact[standard_artifacts.ModelBlessing],
    evaluation: InputArtifact[standard_artifacts.ModelEvaluation],
    comparison: InputArtifact[ModelComparison],
    thresholds: Parameter[str],
    epochs: Parameter[int],
) -> None:
    """Does nothing, or fails. The cache may answer: it keeps no failure.

    Args:
      model_blessing: the EmbeddingComparison's.
      evaluation: the Evaluator's, with the figures for the sentence.
      comparison: the EmbeddingComparison's.
      thresholds: the section `evaluator` of the configuration, in JSON.
      epochs: of the Trainer.

    Raises:
      WithheldError: the model is not blessed, with the reasons.
    """
    if model_blessing.get_int_custom_property(_BLESSED) == 1:
        return
    moved = io_utils.read_string_file(os.path.join(comparison.uri, COMPARISON_FILE))
    sentence = verdict(
        EvaluatorConfig.model_validate_json(thresholds),
        epochs,
        Figures.read(evaluation.uri),
        Comparison.from_json(moved),
        blessed=False,
    )
    raise WithheldError(sentence)


def last_node(config: Config, target: graph.Target, nodes: Mapping[str, BaseNode]) -> BaseNode:
    """The node, after all that is done with a model.

    Args:
      config: the configuration.
      target: where the components run.
      nodes: the components by the names that graph gives them.
    """
    evaluator, comparison = nodes["Evaluator"], nodes["EmbeddingComparison"]
    node = BlessingRequired(
        model_blessing=comparison.outputs["blessing"],
        evaluation=evaluator.outputs["evaluation"],
        comparison=comparison.outputs["comparison"],
        thresholds=config.evaluator.model_dump_json(),
        epochs=target.epochs,
    )
    for name in ("Pusher", "EmbeddingExporter"):
        node.add_upstream_node(nodes[name])
    return node
