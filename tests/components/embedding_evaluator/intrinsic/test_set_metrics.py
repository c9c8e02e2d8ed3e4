"""Intrinsic sets through the Evaluator's own executor: TFMA reports them, and thresholds bless."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import tensorflow as tf
import tfx.components
from tensorflow_model_analysis.proto import config_pb2
from tfx import types
from tfx.dsl.components.base.base_node import BaseNode
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import proto_utils

from components.embedding_evaluator.component import Evaluator, Executor
from components.embedding_evaluator.eval_config import eval_config
from components.embedding_evaluator.intrinsic import set_metrics
from components.embedding_evaluator.predictions import __name__ as predictions
from components.embedding_evaluator.thresholds import Threshold
from pipeline.results.figures import Figures
from tests.saved_models import SETTINGS
from tests.trainer_module.evaluation import test_export
from trainer_module.errors import InputError

# The vectors are ape (1, 0), bee (2, 0), cow (0, 1) and dog (-1, 0.1): cosines 1, 0 and -0.995.
PAIRS = "ape\tbee\t9\nApe\tcow\t4\nape\tdog\t1\nape\telk\t3\n"
# There are four tokens, so the fourth is the only answer; and the last asks for one of its own.
QUESTIONS = ": others\nape bee dog cow\nape bee cow dog\n: own\nape bee cow ape\nape bee cow gnu\n"
METRICS = {
    "similarity/pairs": 1.0,
    "analogies/questions": pytest.approx(2 / 3),
    "analogies/questions/cos_mul": pytest.approx(2 / 3),
}


class Night(NamedTuple):
    """What the Evaluator is given."""

    model: standard_artifacts.Model
    examples: standard_artifacts.Examples
    sets: dict[str, list[str]]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("night")
    settings = SETTINGS._replace(window=1)
    transform = test_export.transform(folder / "made", "windows")
    saved = test_export.save(transform, folder, "nce", settings)
    model, examples = standard_artifacts.Model(), standard_artifacts.Examples()
    model.uri, examples.uri = str(folder / "model"), str(folder / "examples")
    Path(model.uri).mkdir()
    Path(model.uri, "Format-Serving").symlink_to(saved)
    examples.split_names = artifact_utils.encode_split_names(["eval"])
    split = Path(examples.uri, "Split-eval")
    split.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(split / "examples.gz"), "GZIP") as writer:
        for text in ("ape bee cow", "cow dog", "ape bee"):
            writer.write(test_export.example(text))
    (folder / "pairs.txt").write_text(PAIRS)
    (folder / "questions.txt").write_text(QUESTIONS)
    sets = {
        "similarity": [str(folder / "pairs.txt")],
        "analogies": [str(folder / "questions.txt")],
    }
    return Night(model, examples, sets)


def configuration(sets: dict[str, list[str]], *thresholds: str) -> config_pb2.EvalConfig:
    return eval_config(
        min_gain_over_unigram=-100.0,
        compared_metric="common_cross_entropy",
        max_increase=0.02,
        max_targets=1000,
        thresholds=thresholds,
        code_fingerprint="0123",
        sets=sets,
    )


def evaluated(
    night: Night, config: config_pb2.EvalConfig, folder: Path
) -> tuple[standard_artifacts.ModelBlessing, str]:
    evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
    evaluation.uri, blessing.uri = str(folder / "evaluation"), str(folder / "blessing")
    context = Executor.Context(beam_pipeline_args=[], tmp_dir=str(folder), unique_id="1")
    Executor(context).Do(
        {"model": [night.model], "examples": [night.examples], "baseline_model": []},
        {"evaluation": [evaluation], "blessing": [blessing]},
        {
            "eval_config": proto_utils.proto_to_json(config),
            "example_splits": "null",
            "module_path": predictions,
            "sets_content": "0123",
        },
    )
    return blessing, evaluation.uri


def test_are_reported_and_withhold(night: Night, tmp_path: Path) -> None:
    config = configuration(night.sets, "similarity/pairs >= 1.01")
    blessing, evaluation = evaluated(night, config, tmp_path)
    assert blessing.get_int_custom_property("blessed") == 0
    found = Figures.read(evaluation)
    assert found.metrics["num_pairs"] == 8
    assert {name: found.metrics[name] for name in METRICS} == METRICS
    assert found.value_of(Threshold.parse("similarity/pairs >= 1.01")) == 1.0
    assert not METRICS.keys() & found.reported.keys()
    assert set_metrics.read(evaluation) == {
        "similarity": {"pairs": {"spearman": 1.0, "pairs": 4, "known_pairs": 3}},
        "analogies": {
            "questions": {
                "cos_add": pytest.approx(2 / 3),
                "cos_mul": pytest.approx(2 / 3),
                "questions": 4,
                "known_questions": 3,
                "sections": {
                    "others": {
                        "cos_add": 1.0, "cos_mul": 1.0, "questions": 2, "known_questions": 2,
                    },
                    "own": {
                        "cos_add": 0.0, "cos_mul": 0.0, "questions": 2, "known_questions": 1,
                    },
                },
            },
        },
    }  # fmt: skip


def test_without_sets_it_is_blessed_and_there_are_no_figures(night: Night, tmp_path: Path) -> None:
    blessing, evaluation = evaluated(night, configuration({}), tmp_path)
    assert blessing.get_int_custom_property("blessed") == 1
    assert set_metrics.read(evaluation) == {}


def test_the_sets_of_a_configuration_can_be_read_again(night: Night) -> None:
    assert set_metrics.sets_of(configuration(night.sets)) == night.sets
    assert set_metrics.sets_of(configuration({})) == {}


def test_a_set_in_another_language_ends_the_evaluation(night: Night, tmp_path: Path) -> None:
    path = tmp_path / "italian.txt"
    path.write_text("scimmia\tape\t3\nmucca\tcane\t2\n")
    with pytest.raises(InputError, match=r"of the 2 pairs .*italian.txt' the vocabulary holds 0"):
        evaluated(night, configuration({"similarity": [str(path)]}), tmp_path)


def declared(factory: Any, **arguments: Any) -> BaseNode:
    channels = {
        "model": types.Channel(type=standard_artifacts.Model),
        "examples": types.Channel(type=standard_artifacts.Examples),
        "baseline_model": types.Channel(type=standard_artifacts.Model),
    }
    made: BaseNode = factory(**channels, eval_config=configuration({}), **arguments)
    return made


def said(node: BaseNode) -> dict[str, Any]:
    """The execution properties, by which the cache goes, of those that say something."""
    return {name: value for name, value in node.exec_properties.items() if value is not None}


def test_the_component_declares_the_content_of_sets_beside_what_tfx_declares() -> None:
    ours, of_tfx = declared(Evaluator), declared(tfx.components.Evaluator, module_path=predictions)
    assert said(ours) == said(of_tfx)
    assert said(declared(Evaluator, sets_content="0")) == {**said(ours), "sets_content": "0"}
    assert ours.inputs.keys() == of_tfx.inputs.keys()
    assert ours.outputs.keys() == of_tfx.outputs.keys()
