"""A pipeline of one component that ends as it is told; TFX finds it by the name of the module."""

import os
import signal
import subprocess
import tempfile
import uuid
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ml_metadata import MetadataStore
from tfx import types
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.common.resolver import Resolver, ResolverStrategy
from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline
from tfx.types import Channel, standard_artifacts

from pipeline.failures import ComponentFailedError
from pipeline.local import runner
from trainer_module.errors import InputError


class BrokenLookUp(ResolverStrategy):
    """Raises, whatever it is to look up."""

    def resolve_artifacts(
        self, store: MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        raise KeyError("broken")


@component
def Toy(model: OutputArtifact[standard_artifacts.Model], how: Parameter[str]) -> None:  # noqa: N802
    print("on its way", flush=True)
    if how == "temporary_files":
        Path(tempfile.mkdtemp(), "python").touch()
        subprocess.run(["mktemp", "-t", "program.XXXXXX"], check=True, stdout=subprocess.DEVNULL)
    if how == "warning":
        print("worker 0: warning: mind the toy\non its way", flush=True)
    if how == "input_error":
        raise InputError("the toy is broken: mend it")
    if how == "long_trace":
        raise RuntimeError("x" * 1_000_000)
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    Path(model.uri).mkdir(parents=True, exist_ok=True)


def run(folder: Path, how: str, answer: Connection) -> None:
    """Runs the pipeline and sends what came of it and what was reported."""
    looking = Resolver(
        strategy_class=BrokenLookUp, model=Channel(type=standard_artifacts.Model)
    ).with_id("LookUp")
    pipeline = Pipeline(
        pipeline_name="toy",
        pipeline_root=str(folder / "artifacts"),
        components=[looking if how == "broken_look_up" else Toy(how=how)],
        enable_cache=True,
        metadata_connection_config=metadata.sqlite_metadata_connection_config(
            str(folder / "metadata.sqlite")
        ),
    )
    reports: list[Any] = []
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    try:
        runner.run(
            pipeline,
            run_id=str(uuid.uuid4()),
            seed=1,
            logs=folder / "logs",
            temporary=temporary,
            show_progress=reports.append,
        )
        answer.send(("ended", "", reports))
    except ComponentFailedError as error:
        answer.send(("failed", error.sentence, reports))
