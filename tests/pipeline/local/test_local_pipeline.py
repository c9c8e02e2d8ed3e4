from pathlib import Path

import pytest
from tfx.dsl.compiler.compiler import Compiler

from pipeline import config_file, graph
from pipeline.config import Config, MetadataConfig
from pipeline.corpus.dates import Corpus
from pipeline.failures import WrongCommandError
from pipeline.local import beginning, metadata_store
from pipeline.local.local_pipeline import create_pipeline
from pipeline.local.output_folder import OutputFolder
from trainer_module.hyperparameters import TrainerHyperparameters


def warm(warm_start: str) -> Config:
    return Config(trainer=TrainerHyperparameters(warm_start=warm_start))


def test_on_a_shared_server_a_node_looks_among_its_own_folders_artifacts_alone(
    tmp_path: Path,
) -> None:
    # The last blessed model above all: what others have blessed is of other corpora.
    output = OutputFolder(tmp_path)
    with output.locked():
        location = metadata_store.store_location(MetadataConfig(type="mysql", host="db"), output)
    config = warm("last_blessed")
    ir = Compiler().compile(create_pipeline(config, Corpus(["*.txt"]), output, location))
    assert ir.pipeline_info.id == location.pipeline_name
    channels = [
        (node.pipeline_node.node_info.id, channel)
        for node in ir.nodes
        for inputs in node.pipeline_node.inputs.inputs.values()
        for channel in inputs.channels
    ]
    # The candidate or what is trained on, and the models and blessings to look among.
    for look_up in graph.LOOK_UPS:
        assert [name for name, _ in channels].count(look_up) == 3
    for _, channel in channels:
        names = {query.type.name: query.name for query in channel.context_queries}
        assert names["pipeline"].field_value.string_value == location.pipeline_name


def trainer_properties(output: OutputFolder, warm_start: str) -> str:
    """What the cache goes by, beside the inputs."""
    location = metadata_store.store_location(MetadataConfig(), output)
    made = create_pipeline(warm(warm_start), Corpus(["*.txt"]), output, location)
    [trainer] = [node for node in made.components if node.id == "Trainer"]
    return str(trainer.exec_properties["custom_config"])


@pytest.mark.parametrize("is_folder", [False, True])
def test_the_cache_sees_a_base_that_was_rewritten(tmp_path: Path, is_folder: bool) -> None:
    output, base = OutputFolder(tmp_path / "output"), tmp_path / "base"
    file = base / "variables" / "variables.index" if is_folder else base
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("sea 1 2")
    one, again = (trainer_properties(output, str(base)) for _ in range(2))
    file.write_text("sea 1 3")
    assert one == again != trainer_properties(output, str(base))


def test_a_base_is_named_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    Path("glove.txt").touch()

    def named(base: str) -> str:
        return beginning.with_base_in_full(warm(base)).trainer.warm_start

    assert named("glove.txt") == named("~/glove.txt") == str(tmp_path / "glove.txt")
    for unchanged in ("none", "last_blessed", "gs://bucket/glove.txt"):
        assert named(unchanged) == unchanged
    with pytest.raises(WrongCommandError, match=r"there is no .*/w2v\.bin \(trainer\.warm_start\)"):
        named("w2v.bin")


def test_the_cache_sees_an_intrinsic_set_that_was_rewritten(tmp_path: Path) -> None:
    output, path = OutputFolder(tmp_path / "output"), tmp_path / "pairs.txt"
    location = metadata_store.store_location(MetadataConfig(), output)
    config = config_file.load(settings=[f"evaluator.similarity=[{path}]"])

    def content() -> str:
        made = create_pipeline(config, Corpus(["*.txt"]), output, location)
        [evaluator] = [node for node in made.components if node.id == "Evaluator"]
        return str(evaluator.exec_properties["sets_content"])

    path.write_text("sea\tlake\t7\n")
    one, again = content(), content()
    path.write_text("sea\tlake\t8\n")
    assert one == again != content()
