"""How the components are joined: the order of the data."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tensorflow_model_analysis.proto import config_pb2

from components.corpus_gate.component import CorpusGate
from components.corpus_gate.last_corpus import LastBlessedCorpusStrategy, LastPushedCorpus
from components.embedding_aligner.component import EmbeddingAligner
from components.embedding_comparison.component import EmbeddingComparison
from components.embedding_evaluator.component import Evaluator
from components.embedding_evaluator.eval_config import eval_config
from components.embedding_evaluator.last_blessed_model import LastBlessedModelStrategy
from components.embedding_evaluator.last_pushed_model import LastPushedModel
from components.embedding_exporter.component import SEPARATOR, EmbeddingExporter
from components.fingerprint import code_fingerprint
from components.multi_worker_trainer.base_model import BaseModelStrategy, PushedBaseModel
from components.multi_worker_trainer.component import Trainer
from components.rising_pusher.component import Pusher
from components.tfx_api import (
    BaseNode,
    Resolver,
    RuntimeParameter,
    json_utils,
    pusher_pb2,
    standard_artifacts,
    types,
)
from pipeline.config import Config, as_dict
from pipeline.corpus.dates import Corpus
from pipeline.data_nodes import data_nodes, listing_nodes
from pipeline.sections.evaluation import EvaluatorConfig
from trainer_module.evaluation.intrinsic import sets
from trainer_module.hyperparameters import LAST_BLESSED

LAST_BLESSED_MODEL = "LastBlessedModel"
BASE_MODEL = "BaseModel"
LAST_BLESSED_CORPUS = "LastBlessedCorpus"
# Nodes that look something up: no work that the cache could save.
LOOK_UPS = (LAST_BLESSED_MODEL, BASE_MODEL, LAST_BLESSED_CORPUS)


class Target(NamedTuple):
    """What differs between this machine and a cluster."""

    output: str | RuntimeParameter  # folder of what outlives a killed run
    push_destination: pusher_pb2.PushDestination | RuntimeParameter
    epochs: int | RuntimeParameter
    corpus_root: RuntimeParameter | None = None
    trainer: type[Trainer] = Trainer
    trainer_config: Mapping[str, Any] = {}  # part of custom_config beside the configuration's
    # Of custom_config and of execution properties, what says where and on what the Trainer runs.
    trainer_machines: Mapping[str, Any] = {}
    trainer_place: Mapping[str, str | RuntimeParameter] = {}
    # Whether a node may look into the metadata store: Kubeflow Pipelines refuses resolvers.
    has_resolvers: bool = True
    # Whether TextExampleGen's driver runs, and sees what the corpus holds: no cluster runs it.
    has_drivers: bool = True


class _GateNodes(NamedTuple):
    """Whether what came in is to be trained on."""

    last_corpus: BaseNode
    corpus_gate: BaseNode


class _ReleaseNodes(NamedTuple):
    """From a model to what is served."""

    last_blessed: BaseNode
    aligner: BaseNode
    evaluator: BaseNode
    comparison: BaseNode
    exporter: BaseNode
    pusher: BaseNode


def create_components(config: Config, corpus: Corpus, target: Target) -> list[BaseNode]:
    """The components in the order of the data.

    Args:
      config: the configuration.
      corpus: what to read.
      target: where they run.
    """
    listings = [] if target.has_drivers else listing_nodes(config, corpus, target.corpus_root)
    data = data_nodes(config, corpus, target.corpus_root, listings)
    gate = _gate_nodes(config, target, data.transform)
    *base, trainer = _training_nodes(config, target, data.transform)
    trainer.add_upstream_node(gate.corpus_gate)
    release = _release_nodes(config, target, data.example_gen, trainer, listings[1:])
    return [*listings, *data, *gate, *base, trainer, *release]


def _gate_nodes(config: Config, target: Target, transform: BaseNode) -> _GateNodes:
    last_corpus = _last_corpus(target, transform.outputs["transform_graph"])
    corpus_gate = CorpusGate(
        transform_graph=transform.outputs["transform_graph"],
        last_model=last_corpus.outputs["model"],
        kind=config.corpus.kind,
        max_token_loss=config.evaluator.max_token_loss,
        code_fingerprint=code_fingerprint("components.corpus_gate"),
    )
    return _GateNodes(last_corpus, corpus_gate)


def _last_corpus(target: Target, transform_graph: types.Channel) -> BaseNode:
    if not target.has_resolvers:
        return LastPushedCorpus(
            transform_graph=transform_graph, push_destination=target.push_destination
        ).with_id(LAST_BLESSED_CORPUS)
    return Resolver(
        strategy_class=LastBlessedCorpusStrategy,
        transform_graph=transform_graph,
        model=types.Channel(type=standard_artifacts.Model),
        model_blessing=types.Channel(type=standard_artifacts.ModelBlessing),
    ).with_id(LAST_BLESSED_CORPUS)


def _training_nodes(config: Config, target: Target, transform: BaseNode) -> list[BaseNode]:
    """What finds the base of a warm start, where it is a model of the pipeline; the Trainer."""
    custom_config = {
        "kind": config.corpus.kind,
        "preprocessing": as_dict(config.preprocessing),
        "trainer": as_dict(config.trainer),
        "seed": config.seed,
        "eval_fraction": config.corpus.eval_fraction,
        "code_fingerprint": code_fingerprint("trainer_module", "components.multi_worker_trainer"),
        **target.trainer_config,
    }
    is_warm = config.trainer.warm_start == LAST_BLESSED
    bases = [_base_model(target, transform, custom_config)] if is_warm else []
    trainer = target.trainer(
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        base_model=bases[0].outputs["model"] if bases else None,
        custom_config={**custom_config, **target.trainer_machines},
        epochs=target.epochs,
        output=target.output,
        place=target.trainer_place,
    )
    return [*bases, trainer]


def _base_model(target: Target, transform: BaseNode, custom_config: Mapping[str, Any]) -> BaseNode:
    transform_graph = transform.outputs["transform_graph"]
    as_text = json_utils.dumps(dict(custom_config))
    if not target.has_resolvers:
        return PushedBaseModel(
            transform_graph=transform_graph,
            push_destination=target.push_destination,
            custom_config=as_text,
            epochs=target.epochs,
        ).with_id(BASE_MODEL)
    return Resolver(
        strategy_class=BaseModelStrategy,
        config={"custom_config": as_text, "epochs": target.epochs},
        transform_graph=transform_graph,
        model=types.Channel(type=standard_artifacts.Model),
        model_blessing=types.Channel(type=standard_artifacts.ModelBlessing),
    ).with_id(BASE_MODEL)


def _release_nodes(
    config: Config,
    target: Target,
    example_gen: BaseNode,
    trainer: Trainer,
    set_listings: Sequence[BaseNode],
) -> _ReleaseNodes:
    last_blessed = _last_blessed(trainer, target)
    aligner = EmbeddingAligner(
        model=trainer.outputs["model"],
        baseline_model=last_blessed.outputs["model"],
        align_with=config.exporter.align,
        code_fingerprint=code_fingerprint("components.embedding_aligner"),
    )
    model = aligner.outputs["aligned_model"]
    evaluator = Evaluator(
        examples=example_gen.outputs["examples"],
        model=model,
        baseline_model=last_blessed.outputs["model"],
        eval_config=_eval_config(config.evaluator),
        sets_content=set_listings[0].outputs["fingerprint"]
        if set_listings
        else sets.fingerprint(config.evaluator.sets),
    )
    comparison = EmbeddingComparison(
        model=model,
        baseline_model=last_blessed.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        min_neighbor_overlap=config.evaluator.min_neighbor_overlap or 0.0,
        code_fingerprint=code_fingerprint("components.embedding_comparison"),
    )
    delivery = _delivery_nodes(config, target, last_blessed, model, comparison)
    return _ReleaseNodes(last_blessed, aligner, evaluator, comparison, *delivery)


def _delivery_nodes(
    config: Config, target: Target, last_blessed: BaseNode, model: types.Channel, judge: BaseNode
) -> tuple[BaseNode, BaseNode]:
    """What writes the vectors of a blessed model, and what pushes it."""
    exporter = EmbeddingExporter(
        model=model,
        baseline_model=last_blessed.outputs["model"],
        model_blessing=judge.outputs["blessing"],
        formats=SEPARATOR.join(config.exporter.formats),
        min_recall=config.exporter.min_recall,
        code_fingerprint=code_fingerprint("components.embedding_exporter"),
    )
    pusher = Pusher(
        model=model,
        model_blessing=judge.outputs["blessing"],
        push_destination=target.push_destination,
    )
    # What may fail comes first: else a new model would be served beside old vectors.
    pusher.add_upstream_node(exporter)
    return exporter, pusher


def _eval_config(gate: EvaluatorConfig) -> config_pb2.EvalConfig:
    return eval_config(
        min_gain_over_unigram=gate.min_gain_over_unigram,
        compared_metric=gate.compared_metric,
        max_increase=gate.max_increase,
        allow_chance=gate.allow_chance,
        max_targets=gate.max_targets,
        thresholds=gate.thresholds,
        code_fingerprint=code_fingerprint("components.embedding_evaluator"),
        sets=gate.sets,
    )


def _last_blessed(trainer: Trainer, target: Target) -> BaseNode:
    if not target.has_resolvers:
        return LastPushedModel(
            candidate=trainer.outputs["model"], push_destination=target.push_destination
        ).with_id(LAST_BLESSED_MODEL)
    return Resolver(
        strategy_class=LastBlessedModelStrategy,
        candidate=trainer.outputs["model"],
        model=types.Channel(type=standard_artifacts.Model),
        model_blessing=types.Channel(type=standard_artifacts.ModelBlessing),
    ).with_id(LAST_BLESSED_MODEL)


def push_to(folder: str) -> pusher_pb2.PushDestination:
    """Where the Pusher puts a blessed model: `folder/<version>`."""
    destination = pusher_pb2.PushDestination
    return destination(filesystem=destination.Filesystem(base_directory=folder))
