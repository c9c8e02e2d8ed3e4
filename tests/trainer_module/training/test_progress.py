"""What training says."""

from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow.core.util import event_pb2

from trainer_module.training.progress import Progress, described, tell
from trainer_module.training.record import Evaluation


def test_progress_is_one_line_for_people() -> None:
    progress = Progress(
        epoch=2,
        epochs=3,
        step=50,
        steps=120,
        loss=5.43212,
        pairs_per_second=[181_234.4],
        seconds_left=125.4,
    )
    assert described(progress) == ("epoch 2/3   42%  181,234 pairs/s  loss 5.4321  2:05 left")


def test_progress_of_a_group_is_one_line() -> None:
    progress = Progress(1, 1, 50, 100, 5.5, [1000.0, 1200.0, 800.0], 60.0)
    assert described(progress) == (
        "epoch 1/1   50%  3,000 pairs/s of 3 workers  loss 5.5000  1:00 left"
    )


EVALUATION = Evaluation(step=12_345, softmax=7.12344, sigmoid=8.98766)


def test_an_evaluation_is_one_line_for_people() -> None:
    assert described(EVALUATION) == (
        "step 12,345: held-out full softmax cross-entropy 7.1234, sigmoid 8.9877"
    )


def test_what_is_told_is_printed_and_goes_to_tensorboard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listener = tell(str(tmp_path))
    progress = Progress(1, 1, 16, 32, 5.5, [600.0, 400.0], 1.0)
    listener(progress)
    listener(EVALUATION)
    assert capsys.readouterr().out.splitlines() == [
        described(progress),
        described(EVALUATION),
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
