"""The pipeline as this machine runs it: all of a run in one output folder."""

from collections.abc import Mapping
from pathlib import Path

from components.text_example_gen import content, files
from components.tfx_api import Pipeline
from pipeline import graph
from pipeline.beam_arguments import beam_arguments
from pipeline.config import Config
from pipeline.corpus.dates import Corpus
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
    return Pipeline(
        pipeline_name=location.pipeline_name,
        pipeline_root=str(output.artifacts),
        components=graph.create_components(config, corpus, target),
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
