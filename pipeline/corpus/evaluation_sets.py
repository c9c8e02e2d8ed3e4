"""The files of intrinsic sets, as the configuration names them -> as a run reads them."""

import os

from components.text_example_gen import files
from pipeline.config import Config
from pipeline.failures import WrongCommandError
from pipeline.paths import expanded
from trainer_module.errors import InputError
from trainer_module.evaluation.intrinsic import sets


def in_full(config: Config) -> Config:
    """The configuration, with the paths of intrinsic sets as they are seen from everywhere here.

    Raises:
      WrongCommandError: a file of this machine cannot be read or is no set.
    """
    named = {
        kind: tuple(path if files.is_remote(path) else _absolute(path) for path in paths)
        for kind, paths in config.evaluator.sets.items()
    }
    local = {
        kind: [path for path in paths if not files.is_remote(path)] for kind, paths in named.items()
    }
    try:
        sets.fingerprint(local)
    except InputError as error:
        raise WrongCommandError(str(error)) from error
    evaluator = config.evaluator.model_copy(update=named)
    return config.model_copy(update={"evaluator": evaluator})


def _absolute(path: str) -> str:
    return os.path.abspath(expanded(path))
