from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tfx.types.standard_component_specs import CUSTOM_CONFIG_KEY
from tfx.utils import json_utils

from components.multi_worker_trainer import executor
from trainer_module.errors import InputError


@pytest.mark.parametrize("epochs", [7, 7.0])
def test_what_is_set_at_submission_goes_above_the_configuration(epochs: float) -> None:
    config = {"trainer": {"epochs": 2, "dim": 50}, "seed": 3}
    given = {CUSTOM_CONFIG_KEY: json_utils.dumps(config), "epochs": epochs, "output": "gs://b/o"}
    found = json_utils.loads(executor.with_own_properties(given, None)[CUSTOM_CONFIG_KEY])
    assert found == {
        "trainer": {"epochs": 7, "dim": 50},
        "seed": 3,
        "checkpoint_root": "gs://b/o/checkpoints",
        "tensorboard_root": "gs://b/o/tensorboard",
    }
    assert isinstance(found["trainer"]["epochs"], int)
    assert json_utils.loads(given[CUSTOM_CONFIG_KEY]) == config


@pytest.mark.parametrize(
    ("warm_start", "given", "expected"),
    [
        ("none", None, None),
        ("/glove.txt", None, "/glove.txt"),
        ("last_blessed", None, None),
        ("last_blessed", "with", "with"),
        ("last_blessed", "without", None),  # where nothing was pushed yet
    ],
)
def test_the_base_is_a_path_or_an_artifact_with_a_model(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    warm_start: str,
    given: str | None,
    expected: str | None,
) -> None:
    (tmp_path / "with").mkdir()
    (tmp_path / "with" / "saved_model.pb").touch()
    of_tfx = SimpleNamespace(
        base_model=given and str(tmp_path / given),
        custom_config={"trainer": {"warm_start": warm_start}},
    )
    monkeypatch.setattr(executor.GenericExecutor, "_GetFnArgs", lambda *_: of_tfx)
    found = executor.Executor()._GetFnArgs({}, {}, {}).base_model
    assert found == (str(tmp_path / expected) if expected == given and given else expected)


def test_a_run_of_ours_names_the_folder_for_tensorboard() -> None:
    given = {CUSTOM_CONFIG_KEY: '{"trainer": {}}', "epochs": 1, "output": "/o"}
    of_a_server = "20261124030000-0123456789ab"
    for run_id, name in ((of_a_server, "20261124030000"), ("skipgram-2026", None)):
        found = executor.with_own_properties(given, run_id)[CUSTOM_CONFIG_KEY]
        assert json_utils.loads(found).get("run") == name


_LOCAL = {
    "train_files": ["/o/train/*"],
    "eval_files": ["/o/eval/*"],
    "transform_graph_path": "/o/graph",
    "serving_model_dir": "/o/model",
    "model_run_dir": "/o/run",
    "base_model": None,
    "custom_config": {"checkpoint_root": "/o/checkpoints", "tensorboard_root": "/o/tensorboard"},
}


def test_workers_without_a_network_write_to_folders_of_this_machine() -> None:
    executor.require_no_network(_LOCAL)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"train_files": ["/o/train/*", "gs://b/o"]},
        {"eval_files": ["gs://b/o"]},
        {"transform_graph_path": "gs://b/o"},
        {"serving_model_dir": "gs://b/o"},
        {"model_run_dir": "gs://b/o"},
        {"base_model": "gs://b/o"},
        {"custom_config": {"checkpoint_root": "gs://b/o", "tensorboard_root": "/o"}},
        {"custom_config": {"checkpoint_root": "/o", "tensorboard_root": "gs://b/o"}},
    ],
)
def test_workers_without_a_network_are_refused_what_is_elsewhere(elsewhere: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"gs://b/o is elsewhere: .* trainer.expose_workers=true"):
        executor.require_no_network({**_LOCAL, **elsewhere})
