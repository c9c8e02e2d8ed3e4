"""How the components are joined: the order of the data."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from components.corpus_gate.component import CorpusGate
from components.corpus_gate.last_corpus import LastBlessedCorpusStrategy, LastPushedCorpus
from components.corpus_listing.component import CorpusListing
from components.curated_schema.component import CuratedSchema
from components.embedding_aligner.component import EmbeddingAligner
from components.embedding_comparison.component import EmbeddingComparison
from components.embedding_evaluator.component import Evaluator
from components.embedding_evaluator.eval_config import eval_config
from components.embedding_evaluator.last_blessed_model import LastBlessedModelStrategy
from components.embedding_evaluator.last_pushed_model import LastPushedModel
from components.embedding_exporter.component import EmbeddingExporter
from components.example_validator.component import StoppingExampleValidator
from components.fingerprint import code_fingerprint
from components.multi_worker_trainer.base_model import BaseModelStrategy, PushedBaseModel
from components.multi_worker_trainer.component import Trainer
from components.ordered_transform.component import Transform
from components.rising_pusher.component import Pusher
from components.text_example_gen import files
from components.text_example_gen.component import TextExampleGen
from components.tfx_api import (
    BaseNode,
    Resolver,
    RuntimeParameter,
    StatisticsGen,
    StatsOptions,
    json_utils,
    pusher_pb2,
    standard_artifacts,
    types,
)
from pipeline.config import Config, as_dict
from pipeline.corpus.dates import Corpus
from trainer_module.hyperparameters import LAST_BLESSED

LAST_BLESSED_MODEL = "LastBlessedModel"
BASE_MODEL = "BaseModel"
LAST_BLESSED_CORPUS = "LastBlessedCorpus"
# Nodes that look something up: no work that the cache could save.
LOOK_UPS = (LAST_BLESSED_MODEL, BASE_MODEL, LAST_BLESSED_CORPUS)
SCHEMA_FILE = Path(__file__).with_name("schema.pbtxt")


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


class _DataNodes(NamedTuple):
    """From the files to pairs."""

    example_gen: BaseNode
    schema_gen: BaseNode
    statistics_gen: BaseNode
    example_validator: BaseNode
    transform: BaseNode


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
    pusher: BaseNode
    exporter: BaseNode


def create_components(config: Config, corpus: Corpus, target: Target) -> list[BaseNode]:
    """The components in the order of the data.

    Args:
      config: the configuration.
      corpus: what to read.
      target: where they run.
    """
    listings = [] if target.has_drivers else [_listing(corpus, target)]
    data = _data_nodes(config, corpus, target, listings)
    gate = _gate_nodes(config, target, data.transform)
    *base, trainer = _training_nodes(config, target, data.transform)
    trainer.add_upstream_node(gate.corpus_gate)
    release = _release_nodes(config, target, data.example_gen, trainer)
    return [*listings, *data, *gate, *base, trainer, *release]


def _listing(corpus: Corpus, target: Target) -> BaseNode:
    root, patterns = files.split_root(corpus.patterns)
    return CorpusListing(root=target.corpus_root or root, patterns="\n".join(patterns))


def _data_nodes(
    config: Config, corpus: Corpus, target: Target, listings: Sequence[BaseNode]
) -> _DataNodes:
    example_gen = TextExampleGen(
        patterns=corpus.patterns,
        json_field=config.corpus.json_field,
        max_document_bytes=config.corpus.max_document_bytes,
        eval_fraction=config.corpus.eval_fraction,
        code_fingerprint=code_fingerprint("components.text_example_gen"),
        root=target.corpus_root,
        span=corpus.span,
        fingerprint=listings[0].outputs["fingerprint"] if listings else None,
    )
    schema_gen = CuratedSchema(content=SCHEMA_FILE.read_text(encoding="utf-8"))
    statistics_gen = StatisticsGen(
        examples=example_gen.outputs["examples"],
        schema=schema_gen.outputs["schema"],
        # The other way to find the most frequent values counts all, whatever the schema says of
        # them: each document of the corpus would be held.
        stats_options=StatsOptions(use_sketch_based_topk_uniques=True),
    )
    example_validator = StoppingExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"]
    ).with_id("ExampleValidator")
    transform = Transform(
        examples=example_gen.outputs["examples"],
        schema=schema_gen.outputs["schema"],
        preprocessing_fn="trainer_module.preprocessing.preprocessing_fn",
        # Statistics of millions of ids would cost more than the pairs themselves.
        disable_statistics=True,
        custom_config={
            "preprocessing": as_dict(config.preprocessing),
            "seed": config.seed,
            "code_fingerprint": code_fingerprint("trainer_module", "components.ordered_transform"),
        },
    )
    transform.add_upstream_node(example_validator)
    return _DataNodes(example_gen, schema_gen, statistics_gen, example_validator, transform)


def _gate_nodes(config: Config, target: Target, transform: BaseNode) -> _GateNodes:
    last_corpus = _last_corpus(target, transform.outputs["transform_graph"])
    corpus_gate = CorpusGate(
        transform_graph=transform.outputs["transform_graph"],
        last_model=last_corpus.outputs["model"],
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
    config: Config, target: Target, example_gen: BaseNode, trainer: Trainer
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
        eval_config=eval_config(
            min_gain_over_unigram=config.evaluator.min_gain_over_unigram,
            compared_metric=config.evaluator.compared_metric,
            max_increase=config.evaluator.max_increase,
            max_targets=config.evaluator.max_targets,
            thresholds=config.evaluator.thresholds,
            code_fingerprint=code_fingerprint("components.embedding_evaluator"),
        ),
    )
    comparison = EmbeddingComparison(
        model=model,
        baseline_model=last_blessed.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        min_neighbor_overlap=config.evaluator.min_neighbor_overlap or 0.0,
        code_fingerprint=code_fingerprint("components.embedding_comparison"),
    )
    pusher = Pusher(
        model=model,
        model_blessing=comparison.outputs["blessing"],
        push_destination=target.push_destination,
    )
    exporter = EmbeddingExporter(
        model=model,
        model_blessing=comparison.outputs["blessing"],
        code_fingerprint=code_fingerprint("components.embedding_exporter"),
    )
    return _ReleaseNodes(last_blessed, aligner, evaluator, comparison, pusher, exporter)


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
