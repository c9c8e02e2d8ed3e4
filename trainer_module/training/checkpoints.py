"""The checkpoints of a training: the last one, from which it goes on, and the best model."""

import contextlib
import os
from pathlib import Path

import tensorflow as tf

from trainer_module.errors import InputError
from trainer_module.training.model import SkipGramModel
from trainer_module.training.state import NUM_EVALUATIONS, TrainingState
from trainer_module.workers.group import WorkerGroup

# Of the folders of checkpoints: nobody else's are called so.
_OURS = "skipgram-"
_BEST = "best"
# What TensorFlow writes there: the file that names the last checkpoint, and the checkpoints.
_STATE_FILE = "checkpoint"
_FILES = (_STATE_FILE, "ckpt-*")
# Of a message of TensorFlow's.
_LONGEST = 100


def folder_of(root: str, run: str) -> str:
    """The folder of the checkpoints of one training.

    Args:
      root: folder or URI of those of all trainings, and maybe of what else lies there.
      run: names the training.
    """
    return os.path.join(root, _OURS + run)


def remove_all(root: Path) -> None:
    """Removes the checkpoints of all trainings, and their folders where nothing else is in them."""
    for folder in root.glob(f"{_OURS}*/"):
        _remove_files(folder / _BEST)
        _remove_files(folder)
    _remove_if_empty(root)


def _remove_files(folder: Path) -> None:
    for pattern in _FILES:
        for file in folder.glob(pattern):
            with contextlib.suppress(OSError):
                file.unlink()
    _remove_if_empty(folder)


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


class Checkpoints:
    """Only the chief writes: all workers have the same parameters."""

    def __init__(
        self,
        group: WorkerGroup,
        model: SkipGramModel,
        state: TrainingState,
        folder: str,
        *,
        keeps_best: bool,
    ) -> None:
        """Prepares to write into a folder.

        Args:
          group: of this worker.
          model, state: what is saved.
          folder: for this model, this data and these hyperparameters alone. All workers see it.
          keeps_best: whether the best model is saved at evaluations.
        """
        self._group = group
        self._state = state
        self._keeps_best = keeps_best
        self._last = _manager(tf.train.Checkpoint(model=model, state=state), folder)
        self._best = _manager(tf.train.Checkpoint(model=model), os.path.join(folder, _BEST))

    def restore(self) -> str | None:
        """Takes up the last checkpoint, if there is one and all of it can be read.

        Returns:
          What is wrong with the checkpoints if they cannot be taken up: training begins anew.

        Raises:
          InputError: the workers do not see the same checkpoints.
        """
        damage = self._damage()
        if damage is None:
            self._last.restore_or_initialize()
        steps = self._steps_of_all()
        if len(set(steps)) > 1:
            raise InputError(
                f"the workers found checkpoints of different steps, {steps}: "
                "the folder of checkpoints must be one that all of them see"
            )
        return damage

    def save(self) -> None:
        """Saves model and state: training goes on from here."""
        self._save(self._last)

    def save_best(self) -> None:
        """Saves the model as the best so far."""
        self._save(self._best)

    def restore_best(self) -> None:
        """Gives the chief the best model back: it is the one that exports.

        Raises:
          InputError: it cannot be read.
        """
        if not self._group.is_chief:
            return
        if damage := _damage_of(self._best) or self._missing_best():
            raise InputError(f"{damage}: the same command trains anew")
        self._best.restore_or_initialize()

    def _damage(self) -> str | None:
        """What keeps training from going on, said before any variable is changed."""
        if damage := _damage_of(self._last):
            return damage
        if not self._keeps_best or not self._num_evaluations_saved():
            return None
        return _damage_of(self._best) or self._missing_best()

    def _missing_best(self) -> str | None:
        if self._best.latest_checkpoint is not None:
            return None
        return f"the checkpoint of the best model is not in {self._best.directory}"

    def _num_evaluations_saved(self) -> int:
        path = self._last.latest_checkpoint
        if path is None:
            return 0
        return int(tf.train.load_checkpoint(path).get_tensor(NUM_EVALUATIONS))

    def _save(self, manager: tf.train.CheckpointManager) -> None:
        if self._group.is_chief:
            manager.save(self._state.steps)

    def _steps_of_all(self) -> list[int]:
        steps_done = self._state.steps_done
        gather = self._group.compiled(lambda: self._group.all_gather(steps_done.read_value()))
        steps: list[int] = gather().numpy().tolist()
        return steps


def _manager(checkpoint: tf.train.Checkpoint, folder: str) -> tf.train.CheckpointManager:
    """The manager of a folder; one whose state file makes no sense begins with none."""
    try:
        return tf.train.CheckpointManager(checkpoint, folder, max_to_keep=1)
    except ValueError:
        with contextlib.suppress(tf.errors.NotFoundError):  # another worker was here
            tf.io.gfile.remove(os.path.join(folder, _STATE_FILE))
        return tf.train.CheckpointManager(checkpoint, folder, max_to_keep=1)


def _damage_of(manager: tf.train.CheckpointManager) -> str | None:
    """What is wrong with the checkpoint of a manager; None if there is none.

    All of it is read: TensorFlow compares each tensor with its checksum then.
    """
    path = manager.latest_checkpoint
    if path is None:
        if tf.io.gfile.glob(os.path.join(manager.directory, "ckpt-*")):
            return f"the file {_STATE_FILE} in {manager.directory} is missing or cannot be read"
        return None
    try:
        reader = tf.train.load_checkpoint(path)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except Exception as error:  # by the place of the damage it is one of many
        reason = str(error).partition("\n")[0][:_LONGEST]
        return f"the checkpoint {path} is damaged ({reason})"
    return None
