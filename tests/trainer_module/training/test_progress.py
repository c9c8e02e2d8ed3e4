"""What training says."""

from pathlib import Path

import pytest

from tests.tensorboards import scalars, shown_runs, tags
from trainer_module.training.progress import News, Progress, Resumed, UnigramModel, described, tell
from trainer_module.training.record import HELD_OUT_SIGMOID, HELD_OUT_SOFTMAX, Evaluation


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


def told(folder: Path, *news: News) -> None:
    listener = tell(str(folder))
    for one in news:
        listener(one)


EVALUATION = Evaluation(step=12_345, softmax=7.12344, sigmoid=8.98766)


def test_an_evaluation_is_one_line_for_people() -> None:
    assert described(EVALUATION) == (
        "step 12,345: held-out full softmax cross-entropy 7.1234, sigmoid 8.9877"
    )


def test_what_is_told_is_printed_and_goes_to_tensorboard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress(1, 1, 16, 32, 5.5, [600.0, 400.0], 1.0)
    told(tmp_path, progress, EVALUATION)
    assert capsys.readouterr().out.splitlines() == [
        described(progress),
        described(EVALUATION),
    ]
    assert shown_runs(tmp_path) == {"."}
    of_training = {
        "train/loss": 5.5,
        "train/pairs_per_second": 1000.0,
        "train/pairs_per_second/worker_0": 600.0,
        "train/pairs_per_second/worker_1": 400.0,
    }
    assert tags(tmp_path) == {*of_training, HELD_OUT_SOFTMAX, HELD_OUT_SIGMOID}
    for tag, value in of_training.items():
        assert scalars(tmp_path, tag) == [(16, value)]
    assert scalars(tmp_path, HELD_OUT_SOFTMAX) == [(12_345, pytest.approx(7.12344))]
    assert scalars(tmp_path, HELD_OUT_SIGMOID) == [(12_345, pytest.approx(8.98766))]


def test_the_unigram_model_is_a_line_beside_the_curve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(tmp_path, UnigramModel(8.0, 9.25), Evaluation(10, 7.5, 8.5), Evaluation(20, 7.25, 8.0))
    assert capsys.readouterr().out.splitlines()[0] == (
        "unigram model: held-out full softmax cross-entropy 8.0000, sigmoid 9.2500"
    )
    assert shown_runs(tmp_path) == {".", "unigram"}
    assert scalars(tmp_path, HELD_OUT_SOFTMAX) == [(10, 7.5), (20, 7.25)]
    assert scalars(tmp_path / "unigram", HELD_OUT_SOFTMAX) == [(10, 8.0), (20, 8.0)]
    assert scalars(tmp_path / "unigram", HELD_OUT_SIGMOID) == [(10, 9.25), (20, 9.25)]
    assert tags(tmp_path / "unigram") == {HELD_OUT_SOFTMAX, HELD_OUT_SIGMOID}


def test_a_run_that_goes_on_shows_the_evaluations_of_the_killed_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = [Evaluation(10, 7.5, 8.5), Evaluation(20, 7.25, 8.0)]
    news = UnigramModel(8.0, 9.25), Resumed(before), Evaluation(30, 7.0, 7.75)
    told(tmp_path, *news)
    assert capsys.readouterr().out.splitlines()[1] == (
        "training goes on; evaluations taken before: 2"
    )
    assert scalars(tmp_path, HELD_OUT_SOFTMAX) == [(10, 7.5), (20, 7.25), (30, 7.0)]
    assert [step for step, _ in scalars(tmp_path / "unigram", HELD_OUT_SOFTMAX)] == [10, 20, 30]


def test_a_restart_in_the_same_folder_leaves_no_point_twice(tmp_path: Path) -> None:
    """As on a cluster, where the folder keeps its name."""
    first, second, third = (Evaluation(10 * n, 7.75 - n / 4, 8.0) for n in (1, 2, 3))
    told(tmp_path, UnigramModel(8.0, 9.25), first, second)
    told(tmp_path, UnigramModel(8.0, 9.25), Resumed([first, second]), third)
    assert scalars(tmp_path, HELD_OUT_SOFTMAX) == [(10, 7.5), (20, 7.25), (30, 7.0)]
    assert [step for step, _ in scalars(tmp_path / "unigram", HELD_OUT_SOFTMAX)] == [10, 20, 30]
