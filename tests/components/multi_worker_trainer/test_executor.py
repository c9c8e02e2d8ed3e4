import pytest
from tfx.types.standard_component_specs import CUSTOM_CONFIG_KEY
from tfx.utils import json_utils

from components.multi_worker_trainer import executor


@pytest.mark.parametrize("epochs", [7, 7.0])
def test_what_is_set_at_submission_goes_above_the_configuration(epochs: float) -> None:
    config = {"trainer": {"epochs": 2, "dim": 50}, "seed": 3}
    given = {CUSTOM_CONFIG_KEY: json_utils.dumps(config), "epochs": epochs, "output": "gs://b/o"}
    found = json_utils.loads(executor.with_own_properties(given)[CUSTOM_CONFIG_KEY])
    assert found == {
        "trainer": {"epochs": 7, "dim": 50},
        "seed": 3,
        "checkpoint_root": "gs://b/o/checkpoints",
        "tensorboard_root": "gs://b/o/tensorboard",
    }
    assert isinstance(found["trainer"]["epochs"], int)
    assert json_utils.loads(given[CUSTOM_CONFIG_KEY]) == config
