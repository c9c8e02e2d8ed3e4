"""The checkpoints of a training: the last one, from which it goes on, and the best model."""

import os

import tensorflow as tf

from trainer_module.errors import InputError
from trainer_module.training.model import SkipGramModel
from trainer_module.training.state import TrainingState
from trainer_module.workers.group import WorkerGroup


class Checkpoints:
    """Only the chief writes: all workers have the same parameters."""

    def __init__(
        self, group: WorkerGroup, model: SkipGramModel, state: TrainingState, folder: str
    ) -> None:
        """Prepares to write into a folder.

        Args:
          group: of this worker.
          model, state: what is saved.
          folder: for this model, this data and these hyperparameters alone. All workers see it.
        """
        self._group = group
        self._state = state
        self._last = tf.train.CheckpointManager(
            tf.train.Checkpoint(model=model, state=state), folder, max_to_keep=1
        )
        self._best = tf.train.CheckpointManager(
            tf.train.Checkpoint(model=model), os.path.join(folder, "best"), max_to_keep=1
        )

    def restore(self) -> None:
        """Takes up the last checkpoint, if there is one.

        Raises:
          InputError: the workers do not see the same checkpoints.
        """
        self._last.restore_or_initialize()
        steps = self._steps_of_all()
        if len(set(steps)) > 1:
            raise InputError(
                f"the workers found checkpoints of different steps, {steps}: "
                "the folder of checkpoints must be one that all of them see"
            )

    def save(self) -> None:
        """Saves model and state: training goes on from here."""
        self._save(self._last)

    def save_best(self) -> None:
        """Saves the model as the best so far."""
        self._save(self._best)

    def restore_best(self) -> None:
        """Gives the chief the best model back: it is the one that exports."""
        if self._group.is_chief:
            self._best.restore_or_initialize()

    def _save(self, manager: tf.train.CheckpointManager) -> None:
        if self._group.is_chief:
            manager.save(self._state.steps)

    def _steps_of_all(self) -> list[int]:
        steps_done = self._state.steps_done
        gather = self._group.compiled(lambda: self._group.all_gather(steps_done.read_value()))
        steps: list[int] = gather().numpy().tolist()
        return steps
