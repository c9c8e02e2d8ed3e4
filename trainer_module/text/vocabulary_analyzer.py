"""Which tokens the corpus holds, counted exactly by Beam over all of its documents.

In place of `tft.vocabulary`: that calls Python for each occurrence of a token and does not say how
many tokens it left out.
"""

import heapq
import json
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.beam.experimental import PTransformAnalyzer

from trainer_module import features
from trainer_module.vocabulary import nothing_to_keep

# Parts of the vocabulary, by hash, that are put in order one by one.
_NUM_SHARDS = 16
# Distinct tokens that a worker counts before it passes them on: some 100 MB.
_MOST_HELD = 1 << 20

# What the name of the totals' file ends in: see features.VOCABULARY_TOTALS.
_TOTALS = features.VOCABULARY_TOTALS.removeprefix(features.VOCABULARY)

_Counts = list[tuple[int, bytes]]  # how often each token occurs


def vocabulary(
    tokens: tf.Tensor,
    times: tf.Tensor | None = None,
    *,
    min_count: int,
    vocab_size: int,
    name: str = features.VOCABULARY,
) -> tf.Tensor:
    """Counts tokens over all documents that Transform analyzes, and writes those to keep.

    Beside the file features.VOCABULARY it writes features.VOCABULARY_TOTALS; beside one of another
    name, its totals.

    Args:
      tokens: `[tokens]` strings, none empty, none with a newline.
      times: `[tokens]` int64, how often each counts, at least 1; None: once.
      min_count: rarer tokens are left out.
      vocab_size: tokens to keep at most, the most frequent ones; of equal ones those with the
        greater bytes, as `tft.vocabulary` does.
      name: of the file.

    Returns:
      `[]` string, the path of the file.
    """
    distinct, places, counts = tf.unique_with_counts(tokens, tf.int64)
    if times is not None:
        counts = tf.math.unsorted_segment_sum(times, places, tf.size(distinct))
    path, _ = tft.experimental.ptransform_analyzer(
        [distinct, counts],
        _CountAndWrite(name, min_count, vocab_size),
        output_dtypes=[tf.string, tf.string],
        output_shapes=[[], []],
        # Stands in the file's place until it is written.
        output_asset_default_values=[b"1 token", b"{}"],
    )
    return path


class _Shard(NamedTuple):
    """What is known of the tokens of a shard."""

    kept: _Counts  # falling
    most_frequent: _Counts  # one, or none
    distinct: int
    occurrences: int


class _CountAndWrite(PTransformAnalyzer):
    """From batches of distinct tokens with their counts to the paths of the two files."""

    def __init__(self, name: str, min_count: int, vocab_size: int) -> None:
        super().__init__()
        # Of the vocabulary and of its totals.
        self._names = (name, f"{name}{_TOTALS}")
        self._min_count = min_count
        self._vocab_size = vocab_size

    def expand(self, batches: beam.PCollection) -> tuple[beam.PCollection, beam.PCollection]:
        folder = self.base_temp_dir
        written = (
            batches
            | "AddUp" >> beam.ParDo(_AddUp())
            | "Gather" >> beam.GroupByKey()
            | "Keep" >> beam.MapTuple(self._keep)
            | "ToOne" >> beam.combiners.ToList()
            | "Write" >> beam.Map(_write, folder, self._names, self._min_count, self._vocab_size)
        )
        paths = [
            written | f"PathOf{name}" >> beam.Map(_path_in, folder, name) for name in self._names
        ]
        return paths[0], paths[1]

    def _keep(self, _: int, counts: Iterable[_Counts]) -> _Shard:
        total: Counter[bytes] = Counter()
        for some in counts:
            for count, token in some:
                total[token] += count
        every = ((count, token) for token, count in total.items())
        kept = heapq.nlargest(
            self._vocab_size, (entry for entry in every if entry[0] >= self._min_count)
        )
        most = max(((count, token) for token, count in total.items()), default=None)
        return _Shard(kept, [most] if most else [], len(total), total.total())


class _AddUp(beam.DoFn):
    """Adds up the counts of a bundle's batches, and passes them on by shard."""

    _held: Counter[bytes]

    def start_bundle(self) -> None:
        self._held = Counter()

    def process(
        self, batch: tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]
    ) -> Iterator[tuple[int, _Counts]]:
        tokens, counts = batch
        held = self._held
        for token, count in zip(tokens.tolist(), counts.tolist(), strict=True):
            held[token] += count
        if len(held) >= _MOST_HELD:
            yield from self._passed_on()

    def finish_bundle(self) -> Iterator[Any]:
        window = beam.transforms.window.GlobalWindow()
        for element in self._passed_on():
            yield beam.utils.windowed_value.WindowedValue(element, window.max_timestamp(), [window])

    def _passed_on(self) -> Iterator[tuple[int, _Counts]]:
        shards: dict[int, _Counts] = {}
        for token, count in self._held.items():
            shards.setdefault(zlib.crc32(token) % _NUM_SHARDS, []).append((count, token))
        self._held = Counter()
        yield from shards.items()


def _write(
    shards: Iterable[_Shard], folder: str, names: tuple[str, str], min_count: int, vocab_size: int
) -> None:
    """Writes both files.

    Raises:
      InputError: there is no token to keep.
    """
    shards = [_Shard(*shard) for shard in shards]
    falling = heapq.merge(*(shard.kept for shard in shards), reverse=True)
    kept = [entry for entry, _ in zip(falling, range(vocab_size), strict=False)]
    totals = {
        "distinct": sum(shard.distinct for shard in shards),
        "occurrences": sum(shard.occurrences for shard in shards),
    }
    if not kept:
        most_frequent = max((one for shard in shards for one in shard.most_frequent), default=None)
        raise nothing_to_keep(most_frequent, **totals, min_count=min_count)
    _write_file(b"".join(b"%d %s\n" % entry for entry in kept), folder, names[0])
    _write_file(json.dumps(totals).encode(), folder, names[1])


def _write_file(content: bytes, folder: str, name: str) -> None:
    # Beam may try again, and then must find the name free.
    tf.io.gfile.makedirs(folder)
    with tf.io.gfile.GFile(os.path.join(folder, name), "wb") as file:
        file.write(content)


def _path_in(_: None, folder: str, name: str) -> str:
    return os.path.join(folder, name)
