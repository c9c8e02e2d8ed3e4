"""The pipeline as this machine runs it: all of a run in one output folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from components.fingerprint import code_fingerprint
from components.hyperparameter_tuner.component import TUNER_FN, Tuner
from components.text_example_gen import content, files
from components.tfx_api import BaseNode, Pipeline
from pipeline import graph
from pipeline.beam_arguments import beam_arguments
from pipeline.config import Config, as_dict
from pipeline.corpus.dates import Corpus
from pipeline.data_nodes import data_nodes
from pipeline.local.metadata_store import StoreLocation
from pipeline.local.output_folder import OutputFolder


def create_pipeline(
    config: Config, corpus: Corpus, output: OutputFolder, location: StoreLocation
) -> Pipeline:
    """The pipeline that runs on this machine.

    Args:
      config, corpus: see graph.create_components.
      output: where all of a run lies.
      location: where it is noted. The cache and the last blessed model are looked for among what is
        noted there by the same pipeline name.
    """
    target = graph.Target(
        str(output.root),
        graph.push_to(str(output.serving)),
        config.trainer.epochs,
        trainer_config=_content_of_base(config),
    )
    return _pipeline(graph.create_components(config, corpus, target), config, output, location)


def create_tuning_pipeline(
    config: Config,
    corpus: Corpus,
    output: OutputFolder,
    location: StoreLocation,
    *,
    trials: int,
    sample: float | None,
) -> Pipeline:
    """The pipeline of `skipgram tune`: the first components of a run's, and TFX's Tuner.

    It has the name of the run's, so each takes what the other has made from the cache.

    Args:
      config, corpus, output, location: see create_pipeline.
      trials: how many.
      sample: share of the documents to train on.
    """
    data = data_nodes(config, corpus, None, [])
    tuner = Tuner(
        examples=data.transform.outputs["transformed_examples"],
        transform_graph=data.transform.outputs["transform_graph"],
        tuner_fn=TUNER_FN,
        custom_config={
            "kind": config.corpus.kind,
            "preprocessing": as_dict(config.preprocessing),
            "trainer": as_dict(config.trainer),
            "seed": config.seed,
            "sample": sample,
            "trials": trials,
            "records": str(output.tuning),
            "code_fingerprint": code_fingerprint(
                "trainer_module",
                "components.hyperparameter_tuner",
                "components.embedding_evaluator",
            ),
            **_content_of_base(config),
        },
    )
    return _pipeline([*data, tuner], config, output, location)


def _pipeline(
    components: Sequence[BaseNode], config: Config, output: OutputFolder, location: StoreLocation
) -> Pipeline:
    return Pipeline(
        pipeline_name=location.pipeline_name,
        pipeline_root=str(output.artifacts),
        components=list(components),
        enable_cache=True,
        metadata_connection_config=location.connection,
        beam_pipeline_args=beam_arguments(config),
    )


def _content_of_base(config: Config) -> Mapping[str, str]:
    """So that the cache sees a file that was rewritten; a model of the pipeline is an artifact."""
    base = config.trainer.base_path
    if base is None:
        return {}
    named = [base]
    if not files.is_remote(base) and Path(base).is_dir():
        named = sorted(str(path) for path in Path(base).rglob("*") if path.is_file())
    return {"base_content": content.fingerprint(named, record=None)}
