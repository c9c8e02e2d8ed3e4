"""What run_fn refuses before it trains, and what it says; the rest is seen in tests/end_to_end."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from trainer_module import run_fn, training
from trainer_module.errors import InputError
from trainer_module.hyperparameters import PreprocessingHyperparameters
from trainer_module.input_pipeline import Counts

PREPROCESSING = PreprocessingHyperparameters(min_count=7, subsample=0.5)


def counts(pairs: int) -> Counts:
    return Counts(documents=1200, tokens=34567, pairs=pairs, context_counts=np.array([pairs]))


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


def fingerprint(custom_config: dict[str, object], size: int) -> str:
    fn_args = SimpleNamespace(custom_config=custom_config, transform_graph_path="graph/7")
    return run_fn._fingerprint(fn_args, [("train.gz", size)])


def test_checkpoints_belong_to_one_model_on_one_data_set() -> None:
    one = fingerprint({"seed": 1, "checkpoint_root": "here"}, 10)
    assert one == fingerprint({"checkpoint_root": "elsewhere", "seed": 1}, 10)
    assert one != fingerprint({"seed": 2, "checkpoint_root": "here"}, 10)
    assert one != fingerprint({"seed": 1, "checkpoint_root": "here"}, 11)
