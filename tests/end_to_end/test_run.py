"""What one run leaves behind."""

import json
import math
import shutil
import sqlite3
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from gensim.models import KeyedVectors

from tests.end_to_end.commands import GROUPS, run_arguments
from tests.tensorboards import scalars, shown_runs
from trainer_module.training.record import HELD_OUT_SOFTMAX

pytestmark = pytest.mark.slow

COMPONENTS = [
    "TextExampleGen",
    "CuratedSchema",
    "StatisticsGen",
    "ExampleValidator",
    "Transform",
    "LastBlessedCorpus",
    "CorpusGate",
    "Trainer",
    "LastBlessedModel",
    "EmbeddingAligner",
    "Evaluator",
    "EmbeddingComparison",
    "Pusher",
    "EmbeddingExporter",
]


def test_summary_by_hand(run) -> None:
    summary = run.summary
    assert summary["documents"] == 1500
    assert summary["tokens"] == 1500 * 8
    assert summary["vocabulary_size"] == 15
    # Each of 8 tokens has from 1 to 5 neighbours to a side; with windows of 1 to 5 as likely, a
    # document gives 2 * (7 + 6 * 4 / 5 + 5 * 3 / 5 + 4 * 2 / 5 + 3 / 5) = 34 pairs in the mean.
    pairs = summary["pairs_train"] + summary["pairs_eval"]
    assert pairs / 1500 == pytest.approx(34, rel=0.02)
    assert summary["pairs_eval"] / pairs == pytest.approx(0.05, abs=0.02)
    assert summary["objective"] == "nce"
    assert summary["blessed"] is True
    assert summary["resumed_at_step"] == 0
    assert summary["cached"] == []
    assert set(summary["seconds"]) == set(COMPONENTS)


def test_full_cross_entropies_are_near_what_the_corpus_allows(run) -> None:
    # Five contexts are as likely, so no model is better than ln 5 but by chance; one that knows
    # the unigram distribution alone pays ln 15. At the optimum of NCE the scores are log
    # probabilities, so the sigmoid's sum over the vocabulary adds 5 ln(1 + 1/5) = 0.91.
    summary = run.summary
    assert summary["full_softmax_cross_entropy"] == pytest.approx(math.log(5), abs=0.08)
    assert summary["unigram_cross_entropy"] == pytest.approx(math.log(15), abs=0.03)
    assert summary["full_sigmoid_cross_entropy"] == pytest.approx(
        math.log(5) + 5 * math.log(1.2), abs=0.15
    )
    assert summary["perplexity"] == pytest.approx(
        math.exp(summary["full_softmax_cross_entropy"]), rel=1e-6
    )
    # nce corrects in training: its scores are what evaluation wants.
    for name in ("full_softmax_cross_entropy", "full_sigmoid_cross_entropy"):
        assert summary[f"raw_{name}"] == summary[name]


def test_evaluations_during_training_end_at_what_the_evaluator_finds(run) -> None:
    # Two an epoch, on the whole of so small an eval split.
    evaluations = run.summary["evaluations"]
    steps = [found["step"] for found in evaluations]
    assert len(steps) == 16 * 2
    assert steps == sorted(set(steps))
    assert run.summary["kept_step"] == steps[-1]
    assert evaluations[0]["softmax"] > evaluations[-1]["softmax"]
    for family in ("softmax", "sigmoid"):
        assert evaluations[-1][family] == pytest.approx(
            run.summary[f"full_{family}_cross_entropy"], rel=1e-4
        )
    assert run.summary["full_loss"] == pytest.approx(evaluations[-1]["sigmoid"], rel=1e-6)


def test_sampled_losses_are_shown_for_no_more_candidates_than_tokens(run) -> None:
    assert list(run.summary["sampled_losses"]) == ["5"]
    assert run.summary["sampled_losses"]["5"] > 0


def test_without_logq_correction_evaluation_corrects(
    corpus: Path, skipgram, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    settings = ("trainer.objective=negative_sampling", "trainer.keep=best")
    ended = skipgram(*run_arguments(corpus, output, *settings))
    assert ended.code == 0, ended.stderr
    summary = json.loads((output / "summary.json").read_text())
    assert summary["objective"] == "negative_sampling"
    assert summary["full_softmax_cross_entropy"] == pytest.approx(math.log(5), abs=0.1)
    # With 5 negatives a pair from 15 classes about as likely, scores end at ln(1/5) - ln(5/15).
    assert summary["full_sigmoid_cross_entropy"] == pytest.approx(
        math.log(5) + 5 * math.log(1.2), abs=0.2
    )
    assert summary["raw_full_sigmoid_cross_entropy"] == pytest.approx(
        math.log(5) - math.log(3) + 5 * math.log(1.6), abs=0.2
    )
    best = min(summary["evaluations"], key=lambda found: found["sigmoid"])
    assert summary["kept_step"] == best["step"]
    assert summary["full_sigmoid_cross_entropy"] == pytest.approx(best["sigmoid"], rel=1e-4)
    shutil.rmtree(output)


def test_words_that_share_contexts_end_close(run) -> None:
    vectors = KeyedVectors.load_word2vec_format(run.output / "vectors" / "vectors.bin", binary=True)
    groups = [
        ("cat", "dog", "horse", "sheep", "goat"),
        ("red", "green", "blue", "black", "white"),
        ("one", "two", "three", "four", "five"),
    ]
    inside = [vectors.similarity(a, b) for group in groups for a, b in permutations(group, 2)]
    across = [vectors.similarity(a, b) for a in groups[0] for b in groups[1] + groups[2]]
    assert min(inside) > 0.7
    assert max(across) < 0.5


def test_gensim_reads_the_same_vectors_from_both_formats(run) -> None:
    folder = run.output / "vectors"
    binary = KeyedVectors.load_word2vec_format(folder / "vectors.bin", binary=True)
    text = KeyedVectors.load_word2vec_format(folder / "vectors.txt", binary=False)
    assert binary.index_to_key == text.index_to_key
    np.testing.assert_array_equal(binary.vectors, text.vectors)


def test_vocabulary_is_by_falling_count_in_the_order_of_the_vectors(run) -> None:
    header, *lines = (run.output / "vectors" / "vocabulary.tsv").read_text().splitlines()
    assert header == "token\tcount"
    counts = [int(line.split("\t")[1]) for line in lines]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == 1500 * 8  # of both splits
    tokens = (run.output / "vectors" / "vectors.txt").read_text().splitlines()[1:]
    assert [line.split("\t")[0] for line in lines] == [line.split(" ")[0] for line in tokens]


def test_the_pushed_model_serves(run) -> None:
    [pushed] = (run.output / "serving").iterdir()
    signatures = tf.saved_model.load(str(pushed)).signatures
    assert set(signatures) == {
        "serving_default",
        "neighbors",
        "contexts",
        "evaluate",
        "evaluate_text",
    }
    found = signatures["neighbors"](words=tf.constant(["cat", "RED"]), k=tf.constant(4))
    first, second = found["neighbors"].numpy().tolist()
    assert set(first) == {b"dog", b"horse", b"sheep", b"goat"}
    assert set(second) == {b"green", b"blue", b"black", b"white"}
    assert (pushed / "assets.extra" / "tf_serving_warmup_requests").stat().st_size > 0


def test_the_output_says_how_it_went(run) -> None:
    for component in COMPONENTS:
        assert component in run.stdout
    for figure in ("full softmax cross-entropy", "blessed", "nearest neighbours"):
        assert figure in run.stdout
    for table in ("10 of 32 evaluations", "(kept)", "What sampling gives", "all 15"):
        assert table in run.stdout


def test_output_folder(run) -> None:
    names = {path.name for path in run.output.iterdir() if not path.name.startswith(".")}
    assert names == {
        "artifacts",
        "logs",
        "metadata.sqlite",
        "report.html",
        "serving",
        "summary.json",
        "tensorboard",
        "vectors",
    }
    with sqlite3.connect(run.output / "metadata.sqlite") as store:
        [(executions,)] = store.execute(
            "select count(*) from Association join Context on Context.id = context_id"
            " where Context.name = ?",
            [run.summary["run"]],
        ).fetchall()
    assert executions == len(COMPONENTS)


def test_all_that_a_run_leaves_carries_its_name(run) -> None:
    name = run.summary["run"]
    assert name.isdecimal()
    for kind in ("logs", "serving"):
        assert [path.name for path in (run.output / kind).iterdir()] == [name]
    assert json.loads((run.output / "vectors" / "run.json").read_text()) == {
        "run": name,
        "version": name,
    }


def test_tensorboard_shows_the_run_the_unigram_line_and_the_vectors(run) -> None:
    name, folder = run.summary["run"], run.output / "tensorboard"
    assert shown_runs(folder) == {name, f"{name}/unigram", "all_runs/blessed"}
    curve = scalars(folder / name, HELD_OUT_SOFTMAX)
    evaluations = [(one["step"], one["softmax"]) for one in run.summary["evaluations"]]
    assert curve == [(step, pytest.approx(loss)) for step, loss in evaluations]
    line = scalars(folder / name / "unigram", HELD_OUT_SOFTMAX)
    # On the whole of so small an eval split, as the Evaluator's.
    unigram = pytest.approx(run.summary["unigram_cross_entropy"], rel=1e-4)
    assert line == [(step, unigram) for step, _ in evaluations]
    figure = "full_softmax_cross_entropy"
    [(step, found)] = scalars(folder / "all_runs" / "blessed", f"evaluation/{figure}")
    assert (step, found) == (1, pytest.approx(run.summary[figure]))
    assert run.summary["run"] in (folder / "projector_config.pbtxt").read_text()
    [metadata] = folder.glob("projector/*/metadata.tsv")
    assert metadata.read_bytes() == (run.output / "vectors" / "vocabulary.tsv").read_bytes()


def test_neighbors_and_analogy(run, skipgram) -> None:
    ended = skipgram("neighbors", "cat", "-k", "4", "--output", str(run.output))
    assert ended.code == 0
    assert all(word in ended.stdout for word in ("dog", "horse", "sheep", "goat"))
    ended = skipgram("analogy", "cat", "dog", "red", "-k", "3", "--output", str(run.output))
    assert ended.code == 0
    assert sum(color in ended.stdout for color in ("green", "blue", "black", "white")) == 3


def test_contexts(run, skipgram) -> None:
    # A document holds words of one group, all as likely.
    ended = skipgram("contexts", "cat", "-k", "5", "--format", "tsv", "--output", str(run.output))
    assert ended.code == 0
    found = [line.split("\t") for line in ended.stdout.splitlines()[1:]]
    assert {context for _, context, _ in found} == set(GROUPS[0])
    assert sum(float(probability) for *_, probability in found) == pytest.approx(1, abs=0.1)


def test_runs(run, skipgram) -> None:
    ended = skipgram("runs", "--output", str(run.output))
    assert ended.code == 0
    assert "blessed" in ended.stdout
    assert "nce" in ended.stdout


def test_a_remembered_log_holds_what_components_said(run) -> None:
    folder = run.output / "logs" / run.summary["run"]
    assert {path.stem for path in folder.iterdir()} >= set(COMPONENTS)
    assert Path(folder / "Transform.log").stat().st_size > 0
