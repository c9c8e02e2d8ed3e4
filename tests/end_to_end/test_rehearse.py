"""Compile and rehearse by the real commands: what Vertex would do gives the model of `run`."""

import json
import subprocess
from pathlib import Path

import pytest

from components.text_example_gen import content
from components.text_example_gen.executor import READING_FILE
from pipeline.results.embeddings import Embeddings
from tests.end_to_end.commands import SETTINGS, TWO_WORKERS, Run, Skipgram, transformed_records
from trainer_module.run_fn import TRAINING_FILE

pytestmark = pytest.mark.slow


def compile_arguments(target: str, spec: Path, *settings: str) -> list[str]:
    given = [
        *SETTINGS,
        "deployment.image=registry/skipgram:1",
        "deployment.output=gs://bucket/output",
        "deployment.project=words",
        "corpus.files=['gs://bucket/books/*.txt']",
        *settings,
    ]
    words = [word for setting in given for word in ("--set", setting)]
    return ["compile", "--to", target, "--output", str(spec), *words]


def test_a_rehearsal_of_vertex_gives_the_model_of_run(
    run: Run, corpus: Path, skipgram: Skipgram, tmp_path: Path
) -> None:
    spec, root = tmp_path / "spec.yaml", tmp_path / "rehearsal"
    ended = skipgram(*compile_arguments("vertex", spec, *TWO_WORKERS))
    assert ended.code == 0, ended.stderr
    there = f"corpus={corpus.parent}"
    ended = skipgram("rehearse", str(spec), "--root", str(root), "--parameter", there)
    assert ended.code == 0, ended.stderr
    assert ended.stderr == ""
    assert "gain_over_unigram" in ended.stdout
    assert "The model was blessed, pushed to" in ended.stdout

    artifacts = root / "artifacts"
    listed = (artifacts / "corpus-listing" / "fingerprint").read_text()
    assert listed == content.fingerprint([str(corpus)], record=None)
    told = (root / "outputs" / "text-example-gen" / "output.json").read_text()
    assert listed in told
    reading = json.loads((artifacts / "text-example-gen" / "examples" / READING_FILE).read_text())
    assert reading["documents"] == run.summary["documents"]
    [transformed] = (run.output / "artifacts").glob("Transform/transformed_examples/*")
    for split in ("Split-train", "Split-eval"):
        ours = artifacts / "transform" / "transformed_examples" / split
        assert transformed_records(ours) == transformed_records(transformed / split)
    training = json.loads((artifacts / "trainer" / "model_run" / TRAINING_FILE).read_text())
    assert len(training["pairs_per_second_of_workers"]) == 2
    softmax = training["evaluations"][-1]["softmax"]
    assert softmax == pytest.approx(run.summary["evaluations"][-1]["softmax"], rel=0.01)
    # Blessed, and so pushed and exported.
    assert len(list((root / "serving").iterdir())) == 1
    vectors = Embeddings.load(artifacts / "embedding-exporter" / "vectors")
    assert len(vectors.tokens) == run.summary["vocabulary_size"]
    assert (root / "tensorboard").is_dir()


def test_what_would_fail_in_the_cluster_fails_here_and_names_the_node(
    skipgram: Skipgram, tmp_path: Path
) -> None:
    spec, root = tmp_path / "spec.yaml", tmp_path / "rehearsal"
    ended = skipgram(*compile_arguments("kubeflow", spec))
    assert ended.code == 0, ended.stderr
    elsewhere = tmp_path / "elsewhere"
    arguments = ("rehearse", str(spec), "--root", str(root))
    ended = skipgram(*arguments, "--parameter", f"corpus={elsewhere}")
    assert ended.code == 1
    assert ended.stderr.startswith("skipgram: corpus-listing failed: ")
    assert str(elsewhere) in ended.stderr

    ended = skipgram(*arguments)
    assert ended.code == 2
    assert "a rehearsal needs an empty folder" in ended.stderr


def test_a_process_of_a_node_knows_the_installed_packages_alone(
    corpus: Path, skipgram: Skipgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
