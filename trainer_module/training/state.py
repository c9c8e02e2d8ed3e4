"""What a killed training must know to go on, beside the model."""

import dataclasses

import tensorflow as tf

from trainer_module.training.record import Evaluation

# The name in a checkpoint that holds the state as `state`.
NUM_EVALUATIONS = "state/_num_evaluations/.ATTRIBUTES/VARIABLE_VALUE"


class TrainingState(tf.Module):
    """How far training is, and what it has found. To be made in the scope of the strategy."""

    def __init__(self, max_evaluations: int) -> None:
        super().__init__()
        self.steps_done = tf.Variable(0, dtype=tf.int64, trainable=False)
        # Of this epoch's pairs that were looked at.
        self.epoch_loss = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        self.epoch_pairs = tf.Variable(0, dtype=tf.int64, trainable=False)
        # Of each evaluation: step, softmax, sigmoid.
        self._history = tf.Variable(tf.zeros([max_evaluations, 3], tf.float64), trainable=False)
        self._num_evaluations = tf.Variable(0, dtype=tf.int64, trainable=False)

    @property
    def steps(self) -> int:
        """Steps that were taken."""
        return int(self.steps_done.numpy())

    @property
    def train_loss(self) -> float:
        """Mean over this epoch's pairs that were looked at, nats."""
        return float(self.epoch_loss.numpy()) / max(int(self.epoch_pairs.numpy()), 1)

    @property
    def evaluations(self) -> list[Evaluation]:
        """Those taken so far, also before a restart."""
        rows = self._history.numpy()[: int(self._num_evaluations.numpy())].tolist()
        return [Evaluation(int(step), softmax, sigmoid) for step, softmax, sigmoid in rows]

    def begin_epoch(self) -> None:
        """Forgets the last epoch's loss."""
        self.epoch_loss.assign(0.0)
        self.epoch_pairs.assign(0)

    def add_loss(self, loss: float, pairs: int) -> None:
        """Adds the summed loss of some pairs."""
        self.epoch_loss.assign_add(loss)
        self.epoch_pairs.assign_add(pairs)

    def add_evaluation(self, found: Evaluation) -> None:
        """Notes an evaluation."""
        number = int(self._num_evaluations.numpy())
        row = tf.constant([dataclasses.astuple(found)], tf.float64)
        self._history.assign(tf.tensor_scatter_nd_update(self._history.numpy(), [[number]], row))
        self._num_evaluations.assign_add(1)
