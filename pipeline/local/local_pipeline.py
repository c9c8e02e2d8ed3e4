"""The pipeline as this machine runs it: all of a run in one output folder."""

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
        str(output.root), graph.push_to(str(output.serving)), config.trainer.epochs
    )
    return Pipeline(
        pipeline_name=location.pipeline_name,
        pipeline_root=str(output.artifacts),
        components=graph.create_components(config, corpus, target),
        enable_cache=True,
        metadata_connection_config=location.connection,
        beam_pipeline_args=beam_arguments(config),
    )
