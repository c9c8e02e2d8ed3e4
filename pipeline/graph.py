"""How the components are joined: the order of the data."""

from collections.abc import Sequence
from pathlib import Path

from tfx import types
from tfx.components.evaluator.component import Evaluator
from tfx.components.pusher.component import Pusher
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.transform.component import Transform
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2, trainer_pb2
from tfx.types import standard_artifacts

from components.embedding_evaluator.eval_config import eval_config
from components.embedding_evaluator.last_blessed_model import LastBlessedModelStrategy
from components.embedding_exporter.component import EmbeddingExporter
from components.example_validator.component import StoppingExampleValidator
from components.multi_worker_trainer.component import Trainer
from components.text_example_gen.component import TextExampleGen
from pipeline.config import Config, as_dict
from pipeline.fingerprint import code_fingerprint
from pipeline.output_folder import OutputFolder

PIPELINE_NAME = "skipgram"
LAST_BLESSED_MODEL = "LastBlessedModel"
SCHEMA_FILE = Path(__file__).with_name("schema.pbtxt")
# Beam's default runner would look for a binary to download.
BEAM_ARGUMENTS = ("--runner=DirectRunner", "--direct_running_mode=in_memory")


def create_components(
    config: Config, patterns: Sequence[str], output: OutputFolder
) -> list[BaseNode]:
    """The components in the order of the data.

    Args:
      config: the configuration.
      patterns: of the corpus' files, pipeline.corpus.resolve.
      output: where the model is pushed and where checkpoints outlive a killed run.
    """
    example_gen = TextExampleGen(
        patterns=patterns,
        json_field=config.corpus.json_field,
        max_document_bytes=config.corpus.max_document_bytes,
        eval_fraction=config.corpus.eval_fraction,
        code_fingerprint=code_fingerprint("components.text_example_gen"),
    )
    statistics_gen = StatisticsGen(examples=example_gen.outputs["examples"])
    schema_gen = ImportSchemaGen(schema_file=str(SCHEMA_FILE))
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
            "code_fingerprint": code_fingerprint("trainer_module"),
        },
    )
    transform.add_upstream_node(example_validator)
    trainer = Trainer(
        run_fn="trainer_module.run_fn.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        train_args=trainer_pb2.TrainArgs(splits=["train"]),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
        custom_config={
            "preprocessing": as_dict(config.preprocessing),
            "trainer": as_dict(config.trainer),
            "seed": config.seed,
            "checkpoint_root": str(output.checkpoints),
            "tensorboard_root": str(output.tensorboard),
            "code_fingerprint": code_fingerprint(
                "trainer_module", "components.multi_worker_trainer"
            ),
        },
    )
    last_blessed = Resolver(
        strategy_class=LastBlessedModelStrategy,
        candidate=trainer.outputs["model"],
        model=types.Channel(type=standard_artifacts.Model),
        model_blessing=types.Channel(type=standard_artifacts.ModelBlessing),
    ).with_id(LAST_BLESSED_MODEL)
    evaluator = Evaluator(
        examples=example_gen.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=last_blessed.outputs["model"],
        eval_config=eval_config(
            min_gain_over_unigram=config.evaluator.min_gain_over_unigram,
            compared_metric=config.evaluator.compared_metric,
            max_increase=config.evaluator.max_increase,
            code_fingerprint=code_fingerprint("components.embedding_evaluator"),
        ),
    )
    pusher = Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(output.serving))
        ),
    )
    exporter = EmbeddingExporter(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        code_fingerprint=code_fingerprint("components.embedding_exporter"),
    )
    return [
        example_gen,
        statistics_gen,
        schema_gen,
        example_validator,
        transform,
        trainer,
        last_blessed,
        evaluator,
        pusher,
        exporter,
    ]


def create_pipeline(config: Config, patterns: Sequence[str], output: OutputFolder) -> Pipeline:
    """The pipeline that runs on this machine; see create_components for the arguments."""
    return Pipeline(
        pipeline_name=PIPELINE_NAME,
        pipeline_root=str(output.artifacts),
        components=create_components(config, patterns, output),
        enable_cache=True,
        metadata_connection_config=metadata.sqlite_metadata_connection_config(str(output.metadata)),
        beam_pipeline_args=list(BEAM_ARGUMENTS),
    )
