"""What run_fn refuses before it trains, and what it says; the rest is seen in tests/end_to_end."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.util import event_pb2

from tests.trainer_module.transformed import SPEC, pairs_by_target, write
from trainer_module import input_pipeline, run_fn, training
from trainer_module.errors import InputError
from trainer_module.hyperparameters import PreprocessingHyperparameters
from trainer_module.input_pipeline import Counts

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


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        (None, 0),
        ({"worker": ["host:1"]}, 1),
        ({"chief": ["host:1"], "worker": ["host:2", "host:3"], "ps": ["host:4"]}, 3),
    ],
)
def test_workers_are_counted(
    cluster: dict[str, list[str]] | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", "" if cluster is None else json.dumps({"cluster": cluster}))
    assert run_fn._num_workers() == expected


def test_more_than_one_worker_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = {"cluster": {"worker": ["host:1", "host:2"]}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    config = {"preprocessing": {}, "trainer": {}, "seed": 1}
    fn_args = SimpleNamespace(custom_config=config, model_run_dir="unused")
    with pytest.raises(InputError, match="TF_CONFIG names 2 workers"):
        run_fn.run_fn(fn_args)


def test_progress_is_one_line_for_people() -> None:
    progress = training.Progress(
        epoch=2,
        epochs=3,
        step=50,
        steps=120,
        loss=5.43212,
        pairs_per_second=181_234.4,
        seconds_left=125.4,
    )
    assert run_fn.describe(progress) == ("epoch 2/3   42%  181,234 pairs/s  loss 5.4321  2:05 left")


EVALUATION = training.Evaluation(step=12_345, softmax=7.12344, sigmoid=8.98766)


def test_an_evaluation_is_one_line_for_people() -> None:
    assert run_fn.describe(EVALUATION) == (
        "step 12,345: held-out full softmax cross-entropy 7.1234, sigmoid 8.9877"
    )


def test_what_is_reported_is_printed_and_goes_to_tensorboard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run_fn._reporter(str(tmp_path))
    progress = training.Progress(1, 1, 16, 32, 5.5, 1000.0, 1.0)
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
        (12_345, "held_out/full_softmax_cross_entropy"): pytest.approx(7.12344),
        (12_345, "held_out/full_sigmoid_cross_entropy"): pytest.approx(8.98766),
    }


WINDOW = 2
# Each id stands once, so a target says where in the split it was; the lone ones are left out.
SPLIT = [
    [(10 * row + at, 1 + (row + at) % WINDOW) for at in range(1 + row % 7)] for row in range(40)
]
PAIRS_BY_TARGET = [pairs for document in SPLIT for pairs in pairs_by_target(document) if pairs]


def held_out(folder: Path, vocabulary_size: int = 400) -> list[tuple[int, int]]:
    path = write(folder / "eval.gz", SPLIT)
    counts = input_pipeline.count([path], SPEC, vocabulary_size)
    assert counts.targets == len(PAIRS_BY_TARGET)
    found = run_fn._held_out([path], SPEC, counts, WINDOW)
    return list(zip(found.targets.numpy().tolist(), found.contexts.numpy().tolist(), strict=True))


def test_a_small_split_is_held_out_whole(tmp_path: Path) -> None:
    assert held_out(tmp_path) == [pair for pairs in PAIRS_BY_TARGET for pair in pairs]


@pytest.mark.parametrize("most", [1, 7, 50, 100])
def test_of_a_large_split_targets_evenly_spread_are_held_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(run_fn, "_TARGETS_PER_EVALUATION", most)
    stride = math.ceil(len(PAIRS_BY_TARGET) / most)
    chosen = PAIRS_BY_TARGET[::stride]
    assert len(chosen) <= most
    assert held_out(tmp_path) == [pair for pairs in chosen for pair in pairs]


@pytest.mark.parametrize(("scores", "targets"), [(400 * 20, 20), (400 * 21 - 1, 20), (399, 1)])
def test_a_large_vocabulary_allows_fewer_targets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scores: int, targets: int
) -> None:
    monkeypatch.setattr(run_fn, "_SCORES_PER_EVALUATION", scores)
    chosen = PAIRS_BY_TARGET[:: math.ceil(len(PAIRS_BY_TARGET) / targets)]
    assert held_out(tmp_path) == [pair for pairs in chosen for pair in pairs]


def test_a_split_shorter_than_a_window_is_held_out(tmp_path: Path) -> None:
    path = write(tmp_path / "eval.gz", [[(3, 1), (4, 1)]])
    counts = input_pipeline.count([path], SPEC, 5)
    found = run_fn._held_out([path], SPEC, counts, window=100)
    assert [part.numpy().tolist() for part in found] == [[3, 4], [4, 3]]


def test_what_training_gave_can_be_written_as_json() -> None:
    result = training.Result(
        train_loss=1.5,
        steps=20,
        kept_step=16,
        resumed_at_step=0,
        pairs_per_second=1e5,
        evaluations=[training.Evaluation(16, 7.0, 8.0)],
    )
    described = json.loads(json.dumps(run_fn._described_training(result)))
    assert described["kept_step"] == 16
    assert described["evaluations"] == [{"step": 16, "softmax": 7.0, "sigmoid": 8.0}]


def fingerprint(custom_config: dict[str, object], size: int) -> str:
    fn_args = SimpleNamespace(custom_config=custom_config, transform_graph_path="graph/7")
    return run_fn._fingerprint(fn_args, [("train.gz", size)])


def test_checkpoints_belong_to_one_model_on_one_data_set() -> None:
    one = fingerprint({"seed": 1, "checkpoint_root": "here"}, 10)
    assert one == fingerprint({"checkpoint_root": "elsewhere", "seed": 1}, 10)
    assert one != fingerprint({"seed": 2, "checkpoint_root": "here"}, 10)
    assert one != fingerprint({"seed": 1, "checkpoint_root": "here"}, 11)
