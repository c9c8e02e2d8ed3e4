"""What training says while it runs, to people and to TensorBoard."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from trainer_module.training.record import Evaluation

# What lines begin with that people must see, also when others follow.
WARNING = "warning: "


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


News = Progress | Evaluation | BegunAnew
Listener = Callable[[News], None]


def say_nothing(news: News) -> None:
    """A listener for all workers but the chief, who speaks for all."""


def tell(tensorboard_folder: str) -> Listener:
    """A listener that prints a line and writes to TensorBoard."""
    writer = tf.summary.create_file_writer(tensorboard_folder)

    def listener(news: News) -> None:
        if not isinstance(news, BegunAnew):
            with writer.as_default(step=news.step):
                _write_scalars(news)
            writer.flush()
        print(described(news), flush=True)

    return listener


def _write_scalars(news: Progress | Evaluation) -> None:
    if isinstance(news, Evaluation):
        tf.summary.scalar("held_out/full_softmax_cross_entropy", news.softmax)
        tf.summary.scalar("held_out/full_sigmoid_cross_entropy", news.sigmoid)
        return
    tf.summary.scalar("train/loss", news.loss)
    tf.summary.scalar("train/pairs_per_second", sum(news.pairs_per_second))
    for index, of_worker in enumerate(news.pairs_per_second):
        tf.summary.scalar(f"train/pairs_per_second/worker_{index}", of_worker)


def described(news: News) -> str:
    """One line for people."""
    if isinstance(news, BegunAnew):
        return f"{WARNING}{news.damage}: training begins anew"
    if isinstance(news, Evaluation):
        return (
            f"step {news.step:,}: held-out full softmax cross-entropy {news.softmax:.4f}, "
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
