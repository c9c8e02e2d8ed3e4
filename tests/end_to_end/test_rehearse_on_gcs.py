"""Nights on Kubeflow Pipelines from gs:// to gs://, with the clients that the nodes have there."""

import functools
import json
import random
from pathlib import Path
from typing import Any

import pytest

from components.corpus_gate.component import COMPARISON_FILE as GATE_FILE
from components.text_example_gen.executor import READING_FILE
from pipeline.cluster import job_spec
from pipeline.cluster.rehearsal import rehearsal
from pipeline.cluster.rehearsal.rehearsal import ObjectStore
from tests.end_to_end.commands import GROUPS, SETTINGS, TOKENS_A_DOCUMENT, Skipgram
from tests.gcs import launcher
from tests.gcs.emulator import Emulator, emulator
from trainer_module.run_fn import TRAINING_FILE

pytestmark = pytest.mark.slow

OUTPUT = "gs://words/nights"
# As few as the gate lets pass.
EPOCHS = 8


def documents(seed: int, number: int) -> bytes:
    generator = random.Random(seed)
    lines = (
        " ".join(generator.choices(generator.choice(GROUPS), k=TOKENS_A_DOCUMENT))
        for _ in range(number)
    )
    return "".join(f"{line}\n" for line in lines).encode()


def compile_spec(skipgram: Skipgram, path: Path) -> None:
    settings = (
        *SETTINGS,
        "corpus.files=['gs://words/corpus/*.txt']",
        "deployment.image=registry/skipgram:1",
        f"deployment.output={OUTPUT}",
        f"trainer.epochs={EPOCHS}",
        "trainer.workers=2",
        "trainer.expose_workers=true",  # else they would not reach the bucket
    )
    words = [word for setting in settings for word in ("--set", setting)]
    ended = skipgram("compile", "--to", "kubeflow", "--output", str(path), *words)
    assert ended.code == 0, ended.stderr


class Night:
    """A rehearsal that has ended well."""

    def __init__(self, spec: Path, root: Path, gcs: Emulator) -> None:
        self._gcs = gcs
        download = functools.partial(launcher.download, gcs.store)
        objects = ObjectStore(OUTPUT, gcs.environment, download)
        self.uris = rehearsal.rehearse(
            job_spec.read(spec), root, {}, lambda progress: None, objects
        )

    def names(self, task: str, key: str) -> list[str]:
        """The objects of an output, by what comes after its URI."""
        prefix = self.uris[task, key].removeprefix("gs://words/")
        return [name.removeprefix(prefix) for name in self._gcs.store.names("words", prefix)]

    def read(self, task: str, key: str, name: str) -> Any:
        """A JSON file of an output."""
        path = f"{self.uris[task, key]}/{name}".removeprefix("gs://words/")
        return json.loads(self._gcs.store.get("words", path).content)


def test_two_nights_on_gcs(skipgram: Skipgram, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    compile_spec(skipgram, spec)
    with emulator(tmp_path, "words") as gcs:
        gcs.store.put("words", "corpus/1.txt", documents(1, 1500))
        first = Night(spec, tmp_path / "first", gcs)
        assert first.read("text-example-gen", "examples", READING_FILE)["documents"] == 1500
        assert "/BLESSED" in first.names("embedding-comparison", "blessing")

        gcs.store.put("words", "corpus/2.txt", documents(2, 500))
        second = Night(spec, tmp_path / "second", gcs)
        assert gcs.foreign == []
        stored = gcs.store.names("words")
    print(stored)
