"""What run_fn refuses before it trains, and what it says; the rest is seen in tests/end_to_end."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.util import event_pb2

from tests.trainer_module.transformed import (
    SPEC,
    Document,
    pairs_by_target,
    split_of,
    write,
)
from trainer_module import run_fn
from trainer_module.errors import InputError
from trainer_module.hyperparameters import PreprocessingHyperparameters
from trainer_module.training import input_pipeline, loop
from trainer_module.training.documents import TransformedFiles
from trainer_module.training.input_pipeline import Counts, Pairs

PREPROCESSING = PreprocessingHyperparameters(min_count=7, subsample=0.5)


def counts(pairs: int) -> Counts:
    return Counts(1200, 34567, targets=pairs // 2, pairs=pairs, context_counts=np.array([pairs]))


def refusal(vocabulary: list[bytes], train_pairs: int = 9, eval_pairs: int = 9) -> str:
    with pytest.raises(InputError) as caught:
        run_fn._require_data(vocabulary, counts(train_pairs), counts(eval_pairs), PREPROCESSING)
    return str(caught.value)


def test_no_token_that_is_frequent_enough() -> None:
    sentence = refusal([])
    assert sentence.startswith("no token occurs 7 times in the 1,200 documents (34,567 tokens)")
    assert "lower preprocessing.min_count" in sentence


def test_one_token_alone() -> None:
    assert "one token alone, 'caf\u00e9'" in refusal(["caf\u00e9".encode()])


@pytest.mark.parametrize(
    ("split", "pairs"), [("train", {"train_pairs": 0}), ("eval", {"eval_pairs": 0})]
)
def test_a_split_without_pairs(split: str, pairs: dict[str, int]) -> None:
    sentence = refusal([b"a", b"b"], **pairs)
    assert sentence.startswith(f"the {split} split gives no pair: 1,200 documents, 34,567 tokens")
    assert "preprocessing.subsample (0.5)" in sentence


def test_enough_is_accepted() -> None:
    run_fn._require_data([b"a", b"b"], counts(1), counts(1), PREPROCESSING)


def test_a_cluster_among_which_a_step_cannot_be_divided_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = {"worker": [f"host:{port}" for port in range(5)]}
    task = {"type": "worker", "index": 0}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    config = {"preprocessing": {}, "trainer": {}, "seed": 1}
    fn_args = SimpleNamespace(custom_config=config, model_run_dir="unused")
    message = (
        "TF_CONFIG names 5 workers: trainer.batch_size = 192 cannot be divided among 5 workers "
        "that synchronise each step: set it to a multiple of 80"
    )
    with pytest.raises(InputError, match=message):
        run_fn.run_fn(fn_args)


def test_progress_is_one_line_for_people() -> None:
    progress = loop.Progress(
        epoch=2,
        epochs=3,
        step=50,
        steps=120,
        loss=5.43212,
        pairs_per_second=[181_234.4],
        seconds_left=125.4,
    )
    assert run_fn.describe(progress) == ("epoch 2/3   42%  181,234 pairs/s  loss 5.4321  2:05 left")


def test_progress_of_a_group_is_one_line() -> None:
    progress = loop.Progress(1, 1, 50, 100, 5.5, [1000.0, 1200.0, 800.0], 60.0)
    assert run_fn.describe(progress) == (
        "epoch 1/1   50%  3,000 pairs/s of 3 workers  loss 5.5000  1:00 left"
    )


EVALUATION = loop.Evaluation(step=12_345, softmax=7.12344, sigmoid=8.98766)


def test_an_evaluation_is_one_line_for_people() -> None:
    assert run_fn.describe(EVALUATION) == (
        "step 12,345: held-out full softmax cross-entropy 7.1234, sigmoid 8.9877"
    )


def test_what_is_reported_is_printed_and_goes_to_tensorboard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run_fn._reporter(str(tmp_path))
    progress = loop.Progress(1, 1, 16, 32, 5.5, [600.0, 400.0], 1.0)
    report(progress)
    report(EVALUATION)
    assert capsys.readouterr().out.splitlines() == [
        run_fn.describe(progress),
        run_fn.describe(EVALUATION),
    ]
    [path] = tmp_path.glob("events.out.tfevents.*")
    events = [event_pb2.Event.FromString(e.numpy()) for e in tf.data.TFRecordDataset(str(path))]
    found = {
        (event.step, value.tag): float(tf.make_ndarray(value.tensor))
        for event in events
        for value in event.summary.value
    }
    assert found == {
        (16, "train/loss"): 5.5,
        (16, "train/pairs_per_second"): 1000.0,
        (16, "train/pairs_per_second/worker_0"): 600.0,
        (16, "train/pairs_per_second/worker_1"): 400.0,
        (12_345, "held_out/full_softmax_cross_entropy"): pytest.approx(7.12344),
        (12_345, "held_out/full_sigmoid_cross_entropy"): pytest.approx(8.98766),
    }


# Each id stands once, so a target says where in the split it was; the lone ones are left out.
SPLIT: list[Document] = [
    [(10 * row + at, 1 + (row + at) % 2) for at in range(1 + row % 7)] for row in range(40)
]
PAIRS_BY_TARGET = [pairs for document in SPLIT for pairs in pairs_by_target(document) if pairs]


def held_out(folder: Path) -> list[tuple[int, int]]:
    split = split_of([write(folder / "eval.gz", SPLIT)], vocabulary_size=400, window=2)
    found = run_fn.held_out_pairs(split, input_pipeline.count(split))
    return list(zip(found.targets.numpy().tolist(), found.contexts.numpy().tolist(), strict=True))


def test_a_small_split_is_held_out_whole(tmp_path: Path) -> None:
    assert held_out(tmp_path) == [pair for pairs in PAIRS_BY_TARGET for pair in pairs]


@pytest.mark.parametrize(
    ("scores", "most", "targets"),
    [
        (400 * 20, 1000, 20),
        (400 * 21 - 1, 1000, 20),
        (399, 1000, 1),  # a target is paid for whatever it costs
        (400 * 1000, 7, 7),
    ],
)
def test_of_a_large_split_as_many_targets_are_held_out_as_can_be_paid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scores: int, most: int, targets: int
) -> None:
    monkeypatch.setattr(run_fn, "_SCORES_PER_EVALUATION", scores)
    monkeypatch.setattr(run_fn, "_TARGETS_PER_EVALUATION", most)
    chosen = PAIRS_BY_TARGET[:: math.ceil(len(PAIRS_BY_TARGET) / targets)]
    assert held_out(tmp_path) == [pair for pairs in chosen for pair in pairs]


def transform_output(folder: Path, lines: bytes) -> SimpleNamespace:
    path = folder / "vocabulary"
    path.write_bytes(lines)
    return SimpleNamespace(
        vocabulary_file_by_name=lambda _: str(path), transformed_feature_spec=lambda: SPEC
    )


def test_the_vocabulary_is_read_with_its_counts(tmp_path: Path) -> None:
    found = run_fn.read_vocabulary(transform_output(tmp_path, b"6 the\n2 caf\xc3\xa9\n1 -1\n"))
    assert found.tokens == [b"the", "café".encode(), b"-1"]
    assert found.counts.tolist() == [6, 2, 1]


def test_the_token_that_tfx_makes_up_for_an_empty_vocabulary_is_left_out(tmp_path: Path) -> None:
    found = run_fn.read_vocabulary(transform_output(tmp_path, b"-1 49d0cd50-04bb-48c0-bc6f\n"))
    assert found.tokens == []
    assert found.counts.tolist() == []


def test_a_split_knows_what_its_pairs_are_drawn_by(tmp_path: Path) -> None:
    output = transform_output(tmp_path, b"6 the\n2 cat\n")
    vocabulary = run_fn.read_vocabulary(output)
    hyperparameters = PreprocessingHyperparameters(window=4, subsample=0.25)
    split = run_fn.split_of(["here"], output, vocabulary, hyperparameters, seed=9)
    # The shares are 3/4 and 1/4: sqrt(1/3) + 1/3, and all.
    np.testing.assert_allclose(split.keep_probability, [3**-0.5 + 1 / 3, 1.0], rtol=1e-12)
    assert split.documents == TransformedFiles(["here"], SPEC)
    assert (split.window, split.seed) == (4, 9)


@pytest.mark.parametrize(
    ("kept_step", "softmax", "expected"),
    [(16, True, 7.0), (16, False, 8.0), (32, True, 5.0), (48, True, 1.0), (48, False, 2.0)],
)
def test_the_full_loss_is_that_of_the_step_that_is_kept(
    monkeypatch: pytest.MonkeyPatch, kept_step: int, softmax: bool, expected: float
) -> None:
    monkeypatch.setattr(run_fn.evaluation, "sampled_losses", lambda *_, **__: {5: 3.5})
    taken = [loop.Evaluation(16, 7.0, 8.0), loop.Evaluation(32, 5.0, 6.0)]
    step = SimpleNamespace(
        parameters=None, sampler=None, objective=SimpleNamespace(softmax=softmax)
    )
    trainer = SimpleNamespace(step=step, evaluate=lambda: loop.Evaluation(48, 1.0, 2.0))
    result = loop.Result(1.5, 48, kept_step, 0, 1e5, taken)
    pairs = Pairs(tf.constant([0]), tf.constant([1]))
    found = run_fn._approximation(trainer, result, pairs, seed=1)
    assert found == {"sampled_losses": {"5": 3.5}, "full_loss": expected}


def test_what_training_gave_can_be_written_as_json() -> None:
    result = loop.Result(
        train_loss=1.5,
        steps=20,
        kept_step=16,
        resumed_at_step=0,
        pairs_per_second=[1e5, 2e5],
        evaluations=[loop.Evaluation(16, 7.0, 8.0)],
    )
    described = json.loads(json.dumps(run_fn._described_training(result)))
    assert described["kept_step"] == 16
    assert described["pairs_per_second"] == 3e5
    assert described["pairs_per_second_of_workers"] == [1e5, 2e5]
    assert described["evaluations"] == [{"step": 16, "softmax": 7.0, "sigmoid": 8.0}]


def fingerprint(custom_config: dict[str, object], size: int) -> str:
    fn_args = SimpleNamespace(custom_config=custom_config, transform_graph_path="graph/7")
    return run_fn._fingerprint(fn_args, [("train.gz", size)])


def test_checkpoints_belong_to_one_model_on_one_data_set() -> None:
    one = fingerprint({"seed": 1, "checkpoint_root": "here"}, 10)
    assert one == fingerprint({"checkpoint_root": "elsewhere", "seed": 1}, 10)
    assert one != fingerprint({"seed": 2, "checkpoint_root": "here"}, 10)
    assert one != fingerprint({"seed": 1, "checkpoint_root": "here"}, 11)
