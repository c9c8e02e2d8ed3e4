"""A person blesses what was withheld, goes back, and prunes: by the real command, on real runs."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from gensim.models import KeyedVectors

from pipeline.config import MetadataConfig
from pipeline.local import metadata_store
from pipeline.local.output_folder import OutputFolder
from pipeline.local.releases import blessings
from tests.end_to_end.commands import Ended, Skipgram, run_arguments
from tests.end_to_end.test_run_again import kill, wait_until, wait_until_gone
from trainer_module.evaluation import saved_model

pytestmark = pytest.mark.slow

BLESSED = ("trainer.epochs=2", "evaluator.min_gain_over_unigram=-10")
WITHHELD = ("trainer.epochs=1", "evaluator.min_gain_over_unigram=5")


class Folder(NamedTuple):
    """One output folder, in which nights follow each other."""

    path: Path
    skipgram: Skipgram
    corpus: Path

    def run(self, *settings: str, unchanged: int = 0) -> Ended:
        arguments = run_arguments(self.corpus, self.path, *settings)
        return self.skipgram(*arguments, "--exit-code-if-unchanged", str(unchanged))

    def call(self, *words: str) -> Ended:
        return self.skipgram(*words, "--output", str(self.path))

    def summary(self) -> dict:
        return json.loads((self.path / "summary.json").read_text())

    def runs(self) -> list[dict]:
        return json.loads(self.call("runs", "--format", "json").stdout)

    def assert_all_is_of(self, run: str, version: str) -> None:
        """The gate's last blessed model, the version that is served, and the vectors."""
        location = metadata_store.store_location(MetadataConfig(), OutputFolder(self.path))
        store = metadata_store.open_store(location.connection)
        last = blessings.last_release(store, location.pipeline_name)
        assert last is not None
        table = saved_model.read(f"{last.model.uri}/Format-Serving").target_table
        assert max((self.path / "serving").iterdir(), key=lambda path: int(path.name)).name == (
            version
        )
        served = saved_model.read(str(self.path / "serving" / version)).target_table
        np.testing.assert_array_equal(served, table)
        noted = json.loads((self.path / "vectors" / "run.json").read_text())
        assert noted == {"run": run, "version": version}
        vectors = self.path / "vectors" / "vectors.bin"
        exported = KeyedVectors.load_word2vec_format(vectors, binary=True)
        np.testing.assert_array_equal(exported.vectors, table)
        assert metadata_store.name_of_model(store, last.model.id, "") == run
        assert [one["run"] for one in self.runs() if one["served"]] == [run]


@pytest.fixture(scope="module")
def folder(corpus: Path, skipgram: Skipgram, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """After a night that was blessed and one that was withheld."""
    folder = Folder(tmp_path_factory.mktemp("nights") / "output", skipgram, corpus)
    ended = folder.run(*BLESSED, unchanged=9)
    assert ended.code == 0, ended.stderr
    assert ended.stdout.splitlines()[-1].startswith("the model is blessed: ")
    first = folder.summary()
    folder.assert_all_is_of(first["run"], first["run"])
    ended = folder.run(*WITHHELD)
    assert ended.code == 3
    summary = folder.summary()
    beside, places, report = ended.stdout.splitlines()[-3:]
    assert beside.startswith(
        f"beside run {first['run']}: documents 1,500 (+0), tokens 12,000 (+0), vocabulary_size 15 "
        "(+0), common_cross_entropy "
    )
    assert f"vectors/ and serving/{first['run']} as before; logs/{summary['run']}, " in places
    assert report == f"report: {folder.path / 'report.html'}"
    assert summary["last_blessed"]["run"] == summary["version"] == first["run"]
    assert ended.stderr == f"skipgram: {summary['verdict']}\n"
    folder.assert_all_is_of(first["run"], first["run"])
    return folder


def test_a_withheld_run_is_blessed_also_after_a_kill_and_stays(folder: Folder) -> None:
    second = folder.runs()[0]["run"]
    words = ("bless", "last", "--reason", "[b]good enough[/b]")
    killed = folder.skipgram.start(*words, "--output", str(folder.path))
    wait_until(lambda: any(folder.path.glob("artifacts/Release/vectors/*")), killed)
    kill(killed)
    wait_until_gone(folder.path)
    ended = folder.call(*words)
    assert ended.code == 0, ended.stderr
    assert f"run {second} is the last blessed one" in ended.stdout
    folder.assert_all_is_of(second, second)
    assert len(list((folder.path / "serving").iterdir())) == 2

    [shown] = [line for line in folder.call("runs").stdout.splitlines() if "good enough" in line]
    assert shown.startswith(f"{second} blessed by ")
    assert shown.endswith(": [b]good enough[/b]")
    [blessing] = folder.runs()[0]["blessings"]
    assert blessing["reason"] == "[b]good enough[/b]"

    # The night that follows has nothing new, and the gate says what it said.
    ended = folder.run(*WITHHELD, unchanged=9)
    assert ended.code == 9, ended.stderr
    assert "All components are cached" in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("the model was blessed by ")
    folder.assert_all_is_of(second, second)


def test_the_way_back(folder: Folder) -> None:
    first = folder.runs()[-1]["run"]
    third = folder.runs()[0]["run"]
    ended = folder.call("bless", first, "--reason", "names are wrong")
    assert ended.code == 0, ended.stderr
    version = max(path.name for path in (folder.path / "serving").iterdir())
    assert version > third
    folder.assert_all_is_of(first, version)
    # Its own command has nothing new, whatever was blessed in between.
    ended = folder.run(*BLESSED, unchanged=9)
    assert ended.code == 9, ended.stderr
    folder.assert_all_is_of(first, version)
    ended = folder.run(*WITHHELD)
    assert ended.code == 3
    folder.assert_all_is_of(first, version)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["bless", "19990101", "--reason", "x"], 2, "19990101 is no run; the nearest is 2"),
        (["bless", "20", "--reason", "x"], 2, "20 is part of the names of "),
        (["bless", "last", "--reason", "  "], 2, "--reason is empty"),
    ],
)
def test_what_cannot_be_blessed(folder: Folder, words: list[str], code: int, said: str) -> None:
    ended = folder.call(*words)
    assert ended.code == code
    assert ended.stderr.startswith(f"skipgram: {said}")


def test_prune_leaves_what_is_served_and_what_the_last_run_needs(folder: Folder) -> None:
    served = [one["run"] for one in folder.runs() if one["served"]]
    before = folder.call("prune", "--keep", "1", "--dry-run").stdout
    ended = folder.call("prune", "--keep", "1")
    assert ended.code == 0, ended.stderr
    assert ended.stdout.replace(" go, ", " would go, ") == before
    assert len(list((folder.path / "serving").iterdir())) == 1
    assert len(list((folder.path / "logs").iterdir())) == 1
    assert [one["run"] for one in folder.runs() if one["served"]] == served
    version = json.loads((folder.path / "vectors" / "run.json").read_text())["version"]
    folder.assert_all_is_of(served[0], version)
    ended = folder.run(*WITHHELD)
    assert ended.code == 3
    assert "warning" not in ended.stdout
    assert "All components are cached" in ended.stdout
