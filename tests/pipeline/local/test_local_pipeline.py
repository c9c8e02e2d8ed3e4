from pathlib import Path

from tfx.dsl.compiler.compiler import Compiler

from pipeline import graph
from pipeline.config import Config, MetadataConfig
from pipeline.corpus.dates import Corpus
from pipeline.local import metadata_store
from pipeline.local.local_pipeline import create_pipeline
from pipeline.local.output_folder import OutputFolder


def test_on_a_shared_server_a_node_looks_among_its_own_folders_artifacts_alone(
    tmp_path: Path,
) -> None:
    # The last blessed model above all: what others have blessed is of other corpora.
    output = OutputFolder(tmp_path)
    with output.locked():
        location = metadata_store.store_location(MetadataConfig(type="mysql", host="db"), output)
    ir = Compiler().compile(create_pipeline(Config(), Corpus(["*.txt"]), output, location))
    assert ir.pipeline_info.id == location.pipeline_name
    channels = [
        (node.pipeline_node.node_info.id, channel)
        for node in ir.nodes
        for inputs in node.pipeline_node.inputs.inputs.values()
        for channel in inputs.channels
    ]
    # The candidate, and the models and blessings among which it looks for the last one.
    for look_up in graph.LOOK_UPS:
        assert [name for name, _ in channels].count(look_up) == 3
    for _, channel in channels:
        names = {query.type.name: query.name for query in channel.context_queries}
        assert names["pipeline"].field_value.string_value == location.pipeline_name
