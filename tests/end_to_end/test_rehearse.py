"""Compile and rehearse by the real commands: two nights of Vertex, and what fails on Kubeflow.

Two nights of Kubeflow are in test_rehearse_on_gcs.py.
"""

import json
import random
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.embedding_comparison.comparison import Comparison
from components.text_example_gen.executor import READING_FILE
from pipeline.results.embeddings import Embeddings
from tests.end_to_end import kinds
from tests.end_to_end.commands import (
    GROUPS,
    SETTINGS,
    TOKENS_A_DOCUMENT,
    TWO_WORKERS,
    Ended,
    Run,
    Skipgram,
    transformed_records,
)
from trainer_module.run_fn import TRAINING_FILE

pytestmark = pytest.mark.slow

MORE_DOCUMENTS = 300
# These runs are not killed.
CHECKPOINTS = "trainer.checkpoint_seconds=600"
TFX_ENTRY_POINT = "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor"


def compile_arguments(
    target: str, spec: Path, *settings: str, trained_by: Sequence[str] = SETTINGS
) -> list[str]:
    given = [
        *trained_by,
        "deployment.image=registry/skipgram:1",
        "deployment.output=gs://bucket/output",
        "deployment.project=words",
        "corpus.files=['gs://bucket/books/*.txt']",
        CHECKPOINTS,
        *settings,
    ]
    words = [word for setting in given for word in ("--set", setting)]
    return ["compile", "--to", target, "--output", str(spec), *words]


def rehearse(skipgram: Skipgram, spec: Path, root: Path, **parameters: object) -> Ended:
    given = [f"{name}={value}" for name, value in parameters.items()]
    words = [word for parameter in given for word in ("--parameter", parameter)]
    return skipgram("rehearse", str(spec), "--root", str(root), *words)


def artifact(root: Path, task: str, key: str) -> Path:
    """The folder of an output: Vertex names the task's by a number, Kubeflow a folder in it."""
    [found] = [*root.glob(f"artifacts/{task}_*/{key}"), *root.glob(f"artifacts/{task}/*/{key}")]
    return found


def figures(root: Path, task: str, key: str, name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((artifact(root, task, key) / name).read_text())
    return read


@pytest.fixture(scope="module")
def grown(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the second night: the file of the first, and one more."""
    folder = tmp_path_factory.mktemp("grown")
    shutil.copy(corpus, folder)
    generator = random.Random(2)
    lines = (
        " ".join(generator.choices(generator.choice(GROUPS), k=TOKENS_A_DOCUMENT))
        for _ in range(MORE_DOCUMENTS)
    )
    (folder / "more.txt").write_text("".join(f"{line}\n" for line in lines))
    return folder


def require_second_night(root: Path, first: Path, ended: Ended, documents: int) -> None:
    """Checks that a rehearsal read the new file, and was judged against the first's model."""
    assert ended.code == 0, ended.stderr
    assert ended.stderr == ""
    listed = [artifact(it, "corpus-listing", "fingerprint").read_text() for it in (first, root)]
    assert [text.partition(",")[0] for text in listed] == ["num_files:1", "num_files:2"]
    reading = figures(root, "text-example-gen", "examples", READING_FILE)
    assert reading["documents"] == documents + MORE_DOCUMENTS
    [row] = [it for it in ended.stdout.splitlines() if "common cross-entropy of last blessed" in it]
    assert "nan" not in row
    assert "the model is blessed: its common_cross_entropy" in ended.stdout
    assert "the last blessed model's" in ended.stdout
    comparison = Comparison.read(artifact(root, "embedding-comparison", "comparison"))
    last = Comparison.read(artifact(first, "embedding-comparison", "comparison"))
    assert comparison.compared
    assert comparison.last_space_id == last.space_id
    assert comparison.common_tokens == sum(map(len, GROUPS))
    # Beside the first night's model.
    versions = sorted(int(path.name) for path in (first / "serving").iterdir())
    assert len(versions) == 2
    assert f"pushed to {first / 'serving' / str(versions[-1])}" in ended.stdout
    assert not (root / "serving").exists()


def test_two_nights_of_vertex_of_which_the_first_gives_the_model_of_run(
    run: Run, corpus: Path, grown: Path, skipgram: Skipgram, tmp_path: Path
) -> None:
    spec, root, pairs = (tmp_path / name for name in ("spec.yaml", "first", "groups.txt"))
    pairs.write_text("cat\tdog\t9\nred\tblue\t8\ncat\tred\t1\none\tcat\t2\n")
    sets = f"evaluator.similarity=[{pairs}]"
    ended = skipgram(*compile_arguments("vertex", spec, sets, *TWO_WORKERS))
    assert ended.code == 0, ended.stderr
    ended = rehearse(skipgram, spec, root, corpus=corpus.parent)
    assert ended.code == 0, ended.stderr
    assert ended.stderr == ""
    assert "unigram cross-entropy" in ended.stdout
    assert "the model is blessed: it is the first one" in ended.stdout

    reading = figures(root, "text-example-gen", "examples", READING_FILE)
    assert reading["documents"] == run.summary["documents"]
    [transformed] = (run.output / "artifacts").glob("Transform/transformed_examples/*")
    for split in ("Split-train", "Split-eval"):
        ours = artifact(root, "transform", "transformed_examples") / split
        assert transformed_records(ours) == transformed_records(transformed / split)
    training = figures(root, "trainer", "model_run", TRAINING_FILE)
    assert len(training["pairs_per_second_of_workers"]) == 2
    softmax = training["evaluations"][-1]["softmax"]
    assert softmax == pytest.approx(run.summary["evaluations"][-1]["softmax"], rel=0.01)
    # Of the words of one group the vectors are near; a node has looked at the set before all.
    assert artifact(root, "evaluation-set-listing", "fingerprint").read_text()
    found = figures(root, "evaluator", "evaluation", "intrinsic_sets.json")["similarity"]["groups"]
    assert (found["spearman"] > 0.59, found["known_pairs"]) == (True, 4)
    # Blessed, and so pushed and exported.
    assert len(list((root / "serving").iterdir())) == 1
    vectors = Embeddings.load(artifact(root, "embedding-exporter", "vectors"))
    assert len(vectors.tokens) == run.summary["vocabulary_size"]
    assert (root / "tensorboard").is_dir()

    second = tmp_path / "second"
    ended = rehearse(skipgram, spec, second, corpus=grown, push_destination=root / "serving")
    require_second_night(second, root, ended, reading["documents"])


@pytest.mark.parametrize(("target", "kind"), [("kubeflow", "edges"), ("vertex", "pairs")])
def test_other_kinds_give_the_model_of_run(
    target: str,
    kind: str,
    run_of_kind: Callable[[str], Run],
    skipgram: Skipgram,
    tmp_path: Path,
) -> None:
    corpus, spec, root = (tmp_path / name for name in ("corpus", "spec.yaml", "root"))
    corpus.mkdir()
    file = f"corpus.files=['gs://bucket/{kinds.CORPORA[kind].write(corpus).name}']"
    settings = (*kinds.settings_of(kind), file)
    ended = skipgram(*compile_arguments(target, spec, *settings, trained_by=()))
    assert ended.code == 0, ended.stderr
    ended = rehearse(skipgram, spec, root, corpus=corpus)
    assert ended.code == 0, ended.stderr
    assert "the model is blessed: it is the first one" in ended.stdout
    here = run_of_kind(kind)
    reading = figures(root, "text-example-gen", "examples", READING_FILE)
    assert here.summary["read"].items() <= reading.items()
    [transformed] = (here.output / "artifacts").glob("Transform/transformed_examples/*")
    for split in ("Split-train", "Split-eval"):
        ours = artifact(root, "transform", "transformed_examples") / split
        assert transformed_records(ours) == transformed_records(transformed / split)
    vectors = Embeddings.load(artifact(root, "embedding-exporter", "vectors"))
    assert len(vectors.tokens) == here.summary["vocabulary_size"]


def test_what_would_fail_in_the_cluster_fails_here_and_names_the_node(
    skipgram: Skipgram, tmp_path: Path
) -> None:
    spec, root = tmp_path / "spec.yaml", tmp_path / "rehearsal"
    ended = skipgram(*compile_arguments("kubeflow", spec))
    assert ended.code == 0, ended.stderr
    elsewhere = tmp_path / "elsewhere"
    ended = rehearse(skipgram, spec, root, corpus=elsewhere)
    assert ended.code == 1
    assert ended.stderr.startswith("skipgram: corpus-listing failed: ")
    assert str(elsewhere) in ended.stderr

    ended = rehearse(skipgram, spec, root)
    assert ended.code == 2
    assert "a rehearsal needs an empty folder" in ended.stderr


def test_tfxs_own_entry_point_fails_as_it_does_on_kubeflow(
    corpus: Path, skipgram: Skipgram, tmp_path: Path
) -> None:
    spec = tmp_path / "spec.yaml"
    ended = skipgram(*compile_arguments("kubeflow", spec))
    assert ended.code == 0, ended.stderr
    content = yaml.safe_load(spec.read_text())
    for executor in content["deploymentSpec"]["executors"].values():
        executor["container"]["command"] = ["python", "-m", TFX_ENTRY_POINT]
    spec.write_text(yaml.safe_dump(content))
    ended = rehearse(skipgram, spec, tmp_path / "rehearsal", corpus=corpus.parent)
    assert ended.code == 1
    # The first node with an input.
    assert ended.stderr.startswith(
        "skipgram: statistics-gen failed: AttributeError: 'NoneType' object has no attribute 'get'"
    )


def test_a_process_of_a_node_knows_the_installed_packages_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.cluster.rehearsal.installed_python import installed_python

    python = installed_python(tmp_path / "python") / "python"
    code = "import trainer_module, kfp, os; print(trainer_module.__file__); print(os.getcwd())"
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    ended = subprocess.run(
        [python, "-c", code], env={}, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == [
        *map(str, tmp_path.glob("python/lib/*/site-packages/trainer_module/__init__.py")),
        str(tmp_path),
    ]
