"""TFX's Trainer with several workers on this machine."""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components import cores
from components.multi_worker_trainer import local_workers, worker
from components.rising_pusher.versions import number_of_run
from components.text_example_gen.files import is_remote
from components.tfx_api import CUSTOM_CONFIG_KEY, GenericExecutor, fileio, json_utils
from trainer_module.errors import InputError
from trainer_module.evaluation.base_model import SAVED_MODEL_FILE
from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.run_fn import FnArgs

# Execution properties of our own.
EPOCHS = "epochs"
OUTPUT = "output"
# Folders below OUTPUT.
CHECKPOINTS = "checkpoints"
TENSORBOARD = "tensorboard"


def with_own_properties(exec_properties: Mapping[str, Any], run_id: str | None) -> dict[str, Any]:
    """Moves our execution properties into custom_config, where run_fn finds them.

    Args:
      exec_properties: of the component; a cluster gives numbers as floats.
      run_id: names the run in the metadata store; None on a cluster.
    """
    config = json_utils.loads(exec_properties[CUSTOM_CONFIG_KEY])
    config["trainer"] = {**config["trainer"], EPOCHS: int(exec_properties[EPOCHS])}
    config["checkpoint_root"] = os.path.join(exec_properties[OUTPUT], CHECKPOINTS)
    config["tensorboard_root"] = os.path.join(exec_properties[OUTPUT], TENSORBOARD)
    if (number := number_of_run(run_id)) is not None:
        config["run"] = str(number)
    return {**exec_properties, CUSTOM_CONFIG_KEY: json_utils.dumps(config)}


def worker_command(arguments: Path) -> list[str]:
    """The command of a worker.

    Args:
      arguments: see worker.main.
    """
    # -P: a folder `components` or `trainer_module` of the user's, where they are, is not ours.
    return [sys.executable, "-P", "-m", worker.__name__, str(arguments)]


def require_no_network(arguments: Mapping[str, Any]) -> None:
    """Checks that workers with a network of their own reach all that they read and write.

    Args:
      arguments: by the names of run_fn.FnArgs.

    Raises:
      InputError: a file or folder is remote.
    """
    custom = arguments["custom_config"]
    named = [*arguments.values(), *arguments["train_files"], *arguments["eval_files"]]
    places = [*named, custom["checkpoint_root"], custom["tensorboard_root"]]
    if remote := sorted(place for place in places if isinstance(place, str) and is_remote(place)):
        raise InputError(
            f"several workers on one machine have no network but their own, and {remote[0]} is "
            "elsewhere: set trainer.workers=1, or a folder of this machine, or, where no stranger "
            "reaches this machine, trainer.expose_workers=true"
        )


def _with_model(base: str | None) -> str | None:
    """None for an artifact without a model: a cluster cannot leave out an input."""
    return base if base and fileio.exists(os.path.join(base, SAVED_MODEL_FILE)) else None


class Executor(GenericExecutor):
    """Runs run_fn in `trainer.workers` processes, or in this one if TF_CONFIG is already set."""

    def _GetFnArgs(  # noqa: N802, TFX's name
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> Any:
        """TFX's; base_model is the path of what a warm start takes over from, or None."""
        fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        trainer = TrainerHyperparameters(**fn_args.custom_config["trainer"])
        fn_args.base_model = trainer.base_path or _with_model(fn_args.base_model)
        return fn_args

    def Do(  # noqa: N802, TFX's name
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See GenericExecutor.

        Args:
          input_dict, output_dict: artifacts by key.
          exec_properties: those of TFX and ours; their custom_config holds `trainer`, with its
            number of `workers`.

        Raises:
          InputError: see local_workers.run and require_no_network.
        """
        run_id = self._context and self._context.pipeline_run_id
        exec_properties = with_own_properties(exec_properties, run_id)
        fn_args = self._GetFnArgs(input_dict, output_dict, exec_properties)
        trainer = fn_args.custom_config["trainer"]
        if not local_workers.are_wanted(trainer["workers"]):
            cores.take()  # before TensorFlow counts them
            super().Do(input_dict, output_dict, exec_properties)
            return
        arguments = {name: getattr(fn_args, name) for name in FnArgs.__annotations__}
        if not trainer["expose_workers"]:
            require_no_network(arguments)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "arguments.json")
            path.write_text(json.dumps(arguments), encoding="utf-8")
            local_workers.run(
                worker_command(path), trainer["workers"], exposed=trainer["expose_workers"]
            )
        if not fileio.exists(fn_args.serving_model_dir):
            raise RuntimeError("no worker has written a model")
