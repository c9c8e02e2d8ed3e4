"""What vectors come to on intrinsic sets, as metrics of TFMA: their thresholds bless.

The figures are of the vectors and not of the eval split. So the Evaluator's process computes them
once, before TFMA begins, and TFMA is given constants.
"""

import json
import math
import os
from dataclasses import asdict
from typing import Any

from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.proto import config_pb2

from components.tfx_api import fileio, io_utils
from trainer_module.evaluation import saved_model
from trainer_module.evaluation.intrinsic.figures import (
    KnownWords,
    analogies_figures,
    similarity_figures,
)
from trainer_module.evaluation.intrinsic.sets import (
    FIGURES,
    SIMILARITY,
    Named,
    metric_name,
    read_analogies,
    read_similarity,
    set_name,
)

# In the folder of an evaluation, beside TFMA's files.
_FILE = "intrinsic_sets.json"

# By kind, and by name of a set, the fields of SimilarityFigures or AnalogiesFigures.
SetFigures = dict[str, Any]


class SetMetric(metric_types.Metric):
    """A figure of an intrinsic set; TFMA finds the class by its module and name."""

    def __init__(self, name: str, kind: str, path: str, figure: str, value: float = math.nan):
        """Creates the metric.

        Args:
          name: sets.metric_name of the three that follow.
          kind, path, figure: are not used here: `fill_in` reads them.
          value: the figure, which `fill_in` puts in; no number reaches no threshold.
        """
        del kind, path, figure
        super().__init__(_computations, name=name, value=value)


def _computations(
    name: str, value: float, model_names: list[str] | None = None, **unused: Any
) -> list[metric_types.DerivedMetricComputation]:
    [model_name] = model_names or [""]
    key = metric_types.MetricKey(name=name, model_name=model_name)

    def result(_: dict[metric_types.MetricKey, Any]) -> dict[metric_types.MetricKey, float]:
        return {key: value}

    return [metric_types.DerivedMetricComputation(keys=[key], result=result)]


def set_metrics(named: Named) -> list[config_pb2.MetricConfig]:
    """The metrics of some sets; the figures are still missing."""
    settings = (
        {"name": metric_name(kind, path, figure), "kind": kind, "path": path, "figure": figure}
        for kind, paths in named.items()
        for path in paths
        for figure in FIGURES[kind]
    )
    return [
        config_pb2.MetricConfig(
            class_name=SetMetric.__name__, module=SetMetric.__module__, config=json.dumps(one)
        )
        for one in settings
    ]


def sets_of(config: config_pb2.EvalConfig) -> dict[str, list[str]]:
    """The sets by whose metrics `set_metrics` made a configuration."""
    named: dict[str, list[str]] = {}
    for metric in _of_sets(config):
        settings = json.loads(metric.config)
        paths = named.setdefault(settings["kind"], [])
        if settings["path"] not in paths:
            paths.append(settings["path"])
    return named


def fill_in(config: config_pb2.EvalConfig, model: str) -> SetFigures:
    """Computes what a model comes to on the sets of a configuration, and puts that into it.

    Args:
      config: with the metrics that `set_metrics` made; is changed.
      model: folder of the SavedModel.

    Returns:
      All that was found.

    Raises:
      InputError: a file cannot be read or is no set, or the vocabulary holds nothing of it.
    """
    named = sets_of(config)
    if not named:
        return {}
    known = _known_words(model)
    found = {
        kind: {set_name(path): _figures(kind, path, known) for path in paths}
        for kind, paths in named.items()
    }
    for metric in _of_sets(config):
        settings = json.loads(metric.config)
        value = found[settings["kind"]][set_name(settings["path"])][settings["figure"]]
        metric.config = json.dumps({**settings, "value": value})
    return found


def _of_sets(config: config_pb2.EvalConfig) -> list[config_pb2.MetricConfig]:
    return [
        metric
        for spec in config.metrics_specs
        for metric in spec.metrics
        if metric.class_name == SetMetric.__name__
    ]


def _known_words(model: str) -> KnownWords:
    read = saved_model.read(model)
    tokens = [token.decode() for token in read.vocabulary.tokens]
    return KnownWords(tokens, read.target_table, read.settings.tokenization)


def _figures(kind: str, path: str, known: KnownWords) -> dict[str, Any]:
    if kind == SIMILARITY:
        return asdict(similarity_figures(read_similarity(path), known, path))
    return asdict(analogies_figures(read_analogies(path), known, path))


def write(found: SetFigures, evaluation: str) -> None:
    """Leaves what `fill_in` found in the folder of an evaluation."""
    io_utils.write_string_file(os.path.join(evaluation, _FILE), json.dumps(found, indent=2) + "\n")


def read(evaluation: str) -> SetFigures:
    """What `write` left in a folder; nothing where no set was named."""
    path = os.path.join(evaluation, _FILE)
    if not fileio.exists(path):
        return {}
    with fileio.open(path) as file:
        found: SetFigures = json.loads(file.read())
    return found
