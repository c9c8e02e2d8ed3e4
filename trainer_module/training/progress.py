"""What training says while it runs, to people and to TensorBoard."""

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from trainer_module.training.record import HELD_OUT_SIGMOID, HELD_OUT_SOFTMAX, Evaluation

# What lines begin with that people must see, also when others follow.
WARNING = "warning: "
# The folder of TensorBoard's lines of the unigram model.
UNIGRAM = "unigram"


class Progress(NamedTuple):
    """Where training stands."""

    epoch: int  # from 1
    epochs: int
    step: int
    steps: int
    loss: float  # mean of the last second's pairs, nats
    pairs_per_second: list[float]  # of each worker
    seconds_left: float


class BegunAnew(NamedTuple):
    """Training begins anew although there are checkpoints."""

    damage: str  # what is wrong with them


class Resumed(NamedTuple):
    """Training goes on where a killed run stopped."""

    evaluations: Sequence[Evaluation]  # of that run


class UnigramModel(NamedTuple):
    """The held-out full cross-entropies, nats, of the model that ignores the target."""

    softmax: float
    sigmoid: float


News = UnigramModel | BegunAnew | Resumed | Progress | Evaluation
Listener = Callable[[News], None]


def say_nothing(news: News) -> None:
    """A listener for all workers but the chief, who speaks for all."""


def tell(tensorboard_folder: str) -> Listener:
    """A listener that prints a line and writes to TensorBoard.

    The figures of the unigram model are a run of their own there, in the folder `unigram` below: a
    line in the same chart.
    """
    # On a cluster a restarted node has the folder of the killed one.
    has_curves = bool(tf.io.gfile.glob(os.path.join(tensorboard_folder, "events.*")))
    writer = tf.summary.create_file_writer(tensorboard_folder)
    beside: list[tuple[tf.summary.SummaryWriter, UnigramModel]] = []

    def evaluated(found: Evaluation) -> None:
        _write_held_out(writer, found.step, found)
        for of_unigram, unigram in beside:
            _write_held_out(of_unigram, found.step, unigram)

    def listener(news: News) -> None:
        match news:
            case UnigramModel():
                folder = os.path.join(tensorboard_folder, UNIGRAM)
                beside[:] = [(tf.summary.create_file_writer(folder), news)]
            case Resumed(evaluations) if not has_curves:
                for found in evaluations:
                    evaluated(found)
            case Evaluation():
                evaluated(news)
            case Progress():
                _write_progress(writer, news)
        print(described(news), flush=True)

    return listener


def _write_held_out(
    writer: tf.summary.SummaryWriter, step: int, found: Evaluation | UnigramModel
) -> None:
    with writer.as_default(step=step):
        tf.summary.scalar(HELD_OUT_SOFTMAX, found.softmax)
        tf.summary.scalar(HELD_OUT_SIGMOID, found.sigmoid)
    writer.flush()


def _write_progress(writer: tf.summary.SummaryWriter, news: Progress) -> None:
    with writer.as_default(step=news.step):
        tf.summary.scalar("train/loss", news.loss)
        tf.summary.scalar("train/pairs_per_second", sum(news.pairs_per_second))
        for index, of_worker in enumerate(news.pairs_per_second):
            tf.summary.scalar(f"train/pairs_per_second/worker_{index}", of_worker)
    writer.flush()


def described(news: News) -> str:
    """One line for people."""
    if isinstance(news, BegunAnew):
        return f"{WARNING}{news.damage}: training begins anew"
    if isinstance(news, Resumed):
        return f"training goes on; evaluations taken before: {len(news.evaluations)}"
    if isinstance(news, UnigramModel | Evaluation):
        of = f"step {news.step:,}" if isinstance(news, Evaluation) else "unigram model"
        return (
            f"{of}: held-out full softmax cross-entropy {news.softmax:.4f}, "
            f"sigmoid {news.sigmoid:.4f}"
        )
    minutes, seconds = divmod(round(news.seconds_left), 60)
    num_workers = len(news.pairs_per_second)
    return (
        f"epoch {news.epoch}/{news.epochs}  {news.step / news.steps:4.0%}  "
        f"{sum(news.pairs_per_second):,.0f} pairs/s"
        f"{f' of {num_workers} workers' if num_workers > 1 else ''}  loss {news.loss:.4f}  "
        f"{minutes}:{seconds:02d} left"
    )
