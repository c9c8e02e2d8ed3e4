"""TFX's Trainer with several workers on this machine."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tfx.components.trainer.executor import GenericExecutor
from tfx.dsl.io import fileio

from components.multi_worker_trainer import local_workers, worker
from trainer_module.cluster import TF_CONFIG
from trainer_module.run_fn import FnArgs


class Executor(GenericExecutor):
    """Runs run_fn in `trainer.workers` processes; in this one where TF_CONFIG is set already."""

    def Do(  # noqa: N802, TFX's name
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See GenericExecutor.

        Args:
          input_dict, output_dict: artifacts by key.
          exec_properties: their custom_config holds `trainer`, with its number of `workers`.

        Raises:
          InputError: see local_workers.run.
        """
        fn_args = self._GetFnArgs(input_dict, output_dict, exec_properties)
        number = fn_args.custom_config["trainer"]["workers"]
        if number == 1 or os.environ.get(TF_CONFIG):
            super().Do(input_dict, output_dict, exec_properties)
            return
        arguments = {name: getattr(fn_args, name) for name in FnArgs.__annotations__}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "arguments.json")
            path.write_text(json.dumps(arguments), encoding="utf-8")
            local_workers.run([sys.executable, "-m", worker.__name__, str(path)], number)
        if not fileio.exists(fn_args.serving_model_dir):
            raise RuntimeError("no worker has written a model")
