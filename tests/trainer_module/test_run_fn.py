"""What run_fn refuses before it trains; the rest is seen in tests/end_to_end."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from trainer_module import run_fn
from trainer_module.errors import InputError


def test_a_cluster_among_which_a_step_cannot_be_divided_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = {"worker": [f"host:{port}" for port in range(5)]}
    task = {"type": "worker", "index": 0}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    config = {"preprocessing": {}, "trainer": {}, "seed": 1, "eval_fraction": 0.05}
    fn_args = SimpleNamespace(custom_config=config, model_run_dir="unused")
    message = (
        "TF_CONFIG names 5 workers: trainer.batch_size = 192 cannot be divided among 5 workers "
        "that synchronise each step: set it to a multiple of 80"
    )
    with pytest.raises(InputError, match=message):
        run_fn.run_fn(fn_args)


def fingerprint(
    custom_config: dict[str, object], file: Path, size: int, base: str | None = None
) -> str:
    file.write_bytes(b"." * size)
    fn_args = SimpleNamespace(
        custom_config=custom_config, transform_graph_path="graph/7", base_model=base
    )
    return run_fn._fingerprint(fn_args, [str(file)])


def test_checkpoints_belong_to_one_model_on_one_data_set(tmp_path: Path) -> None:
    file = tmp_path / "train.gz"
    one = fingerprint({"seed": 1, "checkpoint_root": "here"}, file, 10)
    elsewhere = {"checkpoint_root": "elsewhere", "run": "20261124030000", "seed": 1}
    assert one == fingerprint(elsewhere, file, 10)
    assert one != fingerprint({"seed": 2, "checkpoint_root": "here"}, file, 10)
    assert one != fingerprint({"seed": 1, "checkpoint_root": "here"}, file, 11)
    assert one != fingerprint({"seed": 1, "checkpoint_root": "here"}, file, 10, "model/7")
