import os
import subprocess
import sys
from pathlib import Path

import pytest
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components import tfx_api

ROOT = Path(__file__).resolve().parent.parent.parent


def test_every_name_is_one_of_the_installed_tfx() -> None:
    missing = [name for name in tfx_api.__all__ if getattr(tfx_api, name) is None]
    assert missing == []


def test_a_name_is_tfxs_module_or_what_is_in_it() -> None:
    assert tfx_api.path_utils is path_utils
    assert tfx_api.standard_artifacts is standard_artifacts
    # Of two modules of that name, the one of the Trainer.
    assert tfx_api.GenericExecutor.__module__ == "tfx.components.trainer.executor"


def test_a_name_that_is_not_in_it_is_refused() -> None:
    with pytest.raises(AttributeError, match=r"'components\.tfx_api' has no attribute 'nothing'"):
        tfx_api.__getattr__("nothing")


@pytest.mark.slow
def test_a_light_name_does_not_import_the_heavy_ones() -> None:
    code = """
import sys
from components.tfx_api import path_utils, pusher_pb2
heavy = ("google.cloud.aiplatform", "kfp", "tensorflow_model_analysis")
print([name for name in heavy if name in sys.modules])
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout == "[]\n"
