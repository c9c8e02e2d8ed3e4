"""A pipeline of TextExampleGen alone, run as `skipgram run` runs it."""

import uuid
from multiprocessing.connection import Connection
from pathlib import Path

from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline

from components.text_example_gen.account import Options
from components.text_example_gen.component import TextExampleGen
from pipeline.beam_arguments import ON_THIS_MACHINE
from pipeline.corpus.dates import Corpus
from pipeline.local import runner


def run(folder: Path, corpus: Corpus, answer: Connection) -> None:
    """Runs the pipeline and sends whether its component came from the cache."""
    pipeline = Pipeline(
        pipeline_name="reading",
        pipeline_root=str(folder / "artifacts"),
        components=[TextExampleGen(corpus.patterns, Options(1000, 0.5), "abc", span=corpus.span)],
        enable_cache=True,
        metadata_connection_config=metadata.sqlite_metadata_connection_config(
            str(folder / "metadata.sqlite")
        ),
        beam_pipeline_args=list(ON_THIS_MACHINE),
    )
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    [ran] = runner.run(
        pipeline,
        run_id=str(uuid.uuid4()),
        seed=1,
        logs=folder / "logs",
        temporary=temporary,
        show_progress=lambda progress: None,
    )
    answer.send(ran.cached)
