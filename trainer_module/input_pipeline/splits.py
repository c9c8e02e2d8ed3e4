"""A split of documents, and what it gives in either form: counts, and chunks of targets."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module.input_pipeline.documents import Documents
from trainer_module.objectives.frames import FramedPairs
from trainer_module.sizes import FRAME_HEIGHT, Window, reach
from trainer_module.workers.cluster import ALONE, Worker


class Split(NamedTuple):
    """Documents of a split, and what their pairs are drawn by."""

    documents: Documents
    keep_probability: npt.NDArray[np.float64]  # [vocab], subsampling.keep_probability
    window: Window  # preprocessing.window
    seed: int  # of the later epochs' draws
    may_have_given_pairs: bool = False  # whether some documents may be: see features.WINDOW_SIZES
    worker: Worker = ALONE  # whose share of the documents it is
    # Of frames of pairs. Workers that add up each step's gradients need the same one in all steps:
    # TensorFlow refuses a collective op whose shape changes within a compiled loop.
    frame_width: int | None = None  # None: as wide as those of a chunk need

    @property
    def reach(self) -> int:
        """How many tokens to each side a window has at most."""
        return reach(self.window)

    def batches(self) -> tf.data.Dataset:
        """The worker's share of the documents; see Documents."""
        return self.documents.batches(self.worker.num_workers, self.worker.index)


class Counts(NamedTuple):
    """What one pass over a split finds; of the first epoch unless it says otherwise."""

    documents: int
    tokens: int  # all tokens of the documents, also those left out
    # Of chunks: with one context at least, and what is a context alone; of the epoch that has most.
    targets: int
    pairs: int
    context_counts: npt.NDArray[np.int64]  # [vocab], how often each token is a context
    frame_width: int = 0  # of pairs: distinct contexts of the frame that has the most


class Pairs(NamedTuple):
    """Pairs written out."""

    targets: tf.Tensor  # [pairs] int32 ids
    contexts: tf.Tensor  # [pairs] int32 ids


class Chunk(Protocol):
    """Consecutive targets with their pairs: the data of some steps, made outside of them."""

    def block(self, index: int | tf.Tensor, num_targets: int) -> FramedPairs:
        """The pairs of one of its blocks of so many targets."""

    def num_pairs(self) -> tf.Tensor:
        """Of all of its targets, `[]` int32."""

    def pairs_of(self, rows: Sequence[int]) -> Pairs:
        """The pairs of some of its targets, in the order of the targets."""


class Form(Protocol):
    """What the Trainer asks of a split: window_chunks or pair_chunks, by what Transform emits."""

    def count(self, split: Split, *, epochs: int = 1) -> Counts:
        """Reads a split once and counts.

        Args:
          split: the documents.
          epochs: over which `targets` is the most.
        """

    def chunks(
        self,
        split: Split,
        *,
        num_targets: int,
        num_chunks: int | None = None,
        epoch: int | tf.Tensor = 0,
    ) -> tf.data.Dataset:
        """One epoch of chunks; each target is in one of them, with all of its contexts.

        The order is that of the documents, the same at every call, so that a restarted run can go
        on where it stopped.

        Args:
          split: the documents.
          num_targets: of a chunk, a multiple of FRAME_HEIGHT and not fewer than the window; the
            last one is filled up with padding.
          num_chunks: so many, with chunks of padding at the end; None for as many as there are.
          epoch: which, from 0.

        Returns:
          A dataset of Chunk.
        """


def finished(
    chunks: tf.data.Dataset, padding: Any, num_chunks: int | None, *, buffer_size: int = 16
) -> tf.data.Dataset:
    """The chunks of an epoch, read ahead.

    Args:
      chunks: as many as there are.
      padding: a chunk without pairs.
      num_chunks: so many, with padding at the end; None for as many as there are.
      buffer_size: chunks read ahead.
    """
    if num_chunks is not None:
        missing = tf.data.Dataset.from_tensors(padding).repeat()
        chunks = chunks.concatenate(missing).take(num_chunks)
    return without_autotune(chunks.prefetch(buffer_size))


def without_autotune(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Without tf.data's tuner: nothing is tuned, and its thread keeps an iterator's end waiting.

    Up to a minute.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def spread_pairs(form: Form, split: Split, counts: Counts, most: int) -> Pairs:
    """The pairs of targets evenly spread over a split.

    Args:
      form: of the split's documents.
      split: with one target at least.
      counts: of it, of one epoch.
      most: targets at most, at least 1.
    """
    stride = -(-counts.targets // most)
    if split.may_have_given_pairs:
        stride |= 1  # odd: of given pairs every second one is a context alone
    # Few chunks: each is a piece of work.
    size = _rounded_up(max(counts.targets // 8, split.reach))
    found = [
        chunk.pairs_of(range((-index * size) % stride, size, stride))
        for index, chunk in enumerate(form.chunks(split, num_targets=size))
    ]
    return Pairs(*(tf.concat(parts, 0) for parts in zip(*found, strict=True)))


def _rounded_up(num_targets: int) -> int:
    return -(-num_targets // FRAME_HEIGHT) * FRAME_HEIGHT
