"""Nights on Kubeflow Pipelines from gs:// to gs://, with the clients that the nodes have there."""

import functools
import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from components.embedding_comparison.comparison import COMPARISON_FILE, Comparison
from components.text_example_gen.executor import READING_FILE
from pipeline.cluster import job_spec
from pipeline.cluster.rehearsal import rehearsal
from pipeline.cluster.rehearsal.object_store import ObjectStore
from tests.end_to_end.commands import GROUPS, SETTINGS, TOKENS_A_DOCUMENT, Skipgram
from tests.gcs import launcher
from tests.gcs.emulator import Emulator, emulator
from trainer_module.run_fn import TRAINING_FILE

pytestmark = pytest.mark.slow

OUTPUT = "gs://words/nights"


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
        "corpus.files=['gs://words/corpus']",
        "deployment.image=registry/skipgram:1",
        f"deployment.output={OUTPUT}",
        "trainer.epochs=4",
        "trainer.checkpoint_seconds=1",
        "trainer.workers=2",
        "trainer.expose_workers=true",  # else they would not reach the bucket
    )
    words = [word for setting in settings for word in ("--set", setting)]
    ended = skipgram("compile", "--to", "kubeflow", "--output", str(path), *words)
    assert ended.code == 0, ended.stderr


class Night:
    """A rehearsal that has ended well."""

    def __init__(self, spec: Path, root: Path, gcs: Emulator) -> None:
        self.root, self._gcs = root, gcs
        download = functools.partial(launcher.download, gcs.store)
        objects = ObjectStore(OUTPUT, gcs.environment, download)
        self.outputs = rehearsal.rehearse(
            job_spec.read(spec), root, {}, lambda progress: None, objects
        )

    def names(self, task: str, key: str) -> list[str]:
        """The objects of an output, by what comes after its URI."""
        prefix = self.outputs.uris[task, key].removeprefix("gs://words/")
        return [name.removeprefix(prefix) for name in self._gcs.store.names("words", prefix)]

    def read(self, task: str, key: str, name: str) -> Any:
        """A JSON file of an output."""
        path = f"{self.outputs.uris[task, key]}/{name}".removeprefix("gs://words/")
        return json.loads(self._gcs.store.get("words", path).content)


def test_two_nights_on_gcs(skipgram: Skipgram, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    compile_spec(skipgram, spec)
    with emulator(tmp_path, "words") as gcs:
        gcs.store.put("words", "corpus/", b"")  # as the console makes a folder
        gcs.store.put("words", "corpus/1.txt", documents(1, 1500))
        first = Night(spec, tmp_path / "first", gcs)
        gcs.store.put("words", "corpus/2.txt.gz", gzip.compress(documents(2, 500)))
        second = Night(spec, tmp_path / "second", gcs)
    assert gcs.foreign == []

    for night, documents_read in ((first, 1500), (second, 2000)):
        reading = night.read("text-example-gen", "examples", READING_FILE)
        assert reading["documents"] == documents_read
        training = night.read("trainer", "model_run", TRAINING_FILE)
        assert len(training["pairs_per_second_of_workers"]) == 2
        assert night.names("embedding-comparison", "blessing") == ["/BLESSED"]
        assert "/vectors.bin" in night.names("embedding-exporter", "vectors")
        # The launcher of Kubeflow Pipelines makes files of objects that are folders.
        for task, key in night.outputs.uris:
            assert [name for name in night.names(task, key) if name.endswith("/")] == []
        # Nobody took a URI for a path.
        assert list(night.root.rglob("gs:")) == []

    found, last = (
        Comparison.from_json(
            json.dumps(night.read("embedding-comparison", "comparison", COMPARISON_FILE))
        )
        for night in (second, first)
    )
    assert found.compared
    assert not last.compared
    assert found.last_space_id == last.space_id
    pushed = gcs.store.names("words", "nights/serving/")
    versions = {name.split("/")[2] for name in pushed if name.endswith("/saved_model.pb")}
    assert len(versions) == 2
    assert any(name.endswith(".index") for name in gcs.store.names("words", "nights/checkpoints/"))
