"""What all trials share: a sample of what Transform wrote, in memory, and the pairs that judge."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_transform as tft

from components.hyperparameter_tuner.records import digest_of
from trainer_module import features, vocabulary
from trainer_module.errors import InputError
from trainer_module.hyperparameters import PreprocessingHyperparameters
from trainer_module.input_pipeline.documents import (
    Documents,
    DocumentsInMemory,
    TransformedFiles,
)
from trainer_module.input_pipeline.splits import Pairs, Split, spread_pairs
from trainer_module.text import given_pairs, subsampling
from trainer_module.text.skip_grams import documents_of, positions_in_documents
from trainer_module.training.fit import FORMS, keep_probabilities, split_of
from trainer_module.vocabulary import Vocabulary

# Of held-out documents, which are read from the first one on: more than the pairs are taken from.
_HELD_OUT_TOKENS = 1 << 20
# Scores of one measurement: some seconds. The most targets give a mean reciprocal rank to .001.
_SCORES = 1 << 28
_TARGETS = 20_000
# Tokens of a sample whose share nobody has said, and that share at least. Of sessions a tenth
# misled: what was best there was no better than the defaults on the whole, see docs/tuning.md.
_SAMPLE_TOKENS = 500_000
_LEAST_SHARE = 0.1


class Data(NamedTuple):
    """Documents with the windows that Transform drew, and what their windows are drawn by."""

    vocabulary: Vocabulary
    train: DocumentsInMemory
    held_out: DocumentsInMemory
    seed: int
    may_have_given_pairs: bool
    contexts: Vocabulary | None = None  # of the contexts; None: the same
    share: float = 1.0  # of the train split that is in `train`

    @property
    def classes(self) -> Vocabulary:
        """What contexts are chosen from."""
        return self.contexts or self.vocabulary

    def train_split(self, preprocessing: PreprocessingHyperparameters) -> Split:
        """The train split, as Transform would have written it.

        Args:
          preprocessing: with a window and a subsample of a trial's own.
        """
        return self._split(self.train, preprocessing)

    def eval_split(self, preprocessing: PreprocessingHyperparameters) -> Split:
        """The same of what is held out."""
        return self._split(self.held_out, preprocessing)

    def _split(
        self, documents: DocumentsInMemory, preprocessing: PreprocessingHyperparameters
    ) -> Split:
        redrawn = self._redrawn(documents, preprocessing)
        return split_of(
            redrawn,
            self.classes,
            preprocessing,
            self.seed,
            may_have_given_pairs=self.may_have_given_pairs,
        )

    def _redrawn(
        self, documents: DocumentsInMemory, preprocessing: PreprocessingHyperparameters
    ) -> DocumentsInMemory:
        known = documents.tensors
        if features.WINDOW_SIZES not in known:
            return documents
        tokens = known[features.TOKEN_IDS]
        keep = tf.constant(keep_probabilities(self.classes, preprocessing))
        windows = subsampling.drawn_windows(
            tf.bitcast(known[features.DOCUMENT_HASH], tf.uint64),
            documents_of(tokens),
            positions_in_documents(tokens),
            tf.gather(keep, tokens.flat_values),
            window=preprocessing.window,
            seed=self.seed,
        )
        redrawn = tokens.with_values(windows)
        if self.may_have_given_pairs:
            redrawn = given_pairs.kept_as_given(known[features.WINDOW_SIZES], redrawn)
        return DocumentsInMemory({**known, features.WINDOW_SIZES: redrawn})

    def digest(self) -> str:
        """Tells it from other data."""
        return digest_of(self._parts())

    def _parts(self) -> Iterator[bytes]:
        for known in (self.vocabulary, self.classes):
            yield b"\n".join(known.tokens)
            yield known.counts.tobytes()
        for documents in (self.train, self.held_out):
            for name in sorted(documents.tensors):
                for part in tf.nest.flatten(documents.tensors[name], expand_composites=True):
                    yield part.numpy().tobytes()


def read(
    transform_graph: str,
    train: Sequence[str],
    held_out: Sequence[str],
    *,
    share: float | None,
    seed: int,
    kind: str,
) -> Data:
    """Reads what Transform wrote.

    Args:
      transform_graph: the folder of its graph.
      train, held_out: patterns of the splits' files.
      share: of the train split that is taken, in (0, 1]; None: see usual_share.
      seed: of the draws.
      kind: of the corpus.

    Raises:
      InputError: the share is of so few documents that none is taken.
    """
    output = tft.TFTransformOutput(transform_graph)
    spec = output.transformed_feature_spec()
    names = [features.VOCABULARY]
    if features.has_two_vocabularies(kind):
        names.append(features.CONTEXT_VOCABULARY)
    known, *contexts = (vocabulary.read(output.vocabulary_file_by_name(name)) for name in names)
    share = share or usual_share(int(known.counts.sum()))
    taken = _taken(_files(train, spec), share)
    if not taken.num_documents:
        raise InputError(
            f"--sample {share} of the corpus holds no document to train on: raise it, up to 1, "
            "which takes all"
        )
    return Data(
        known,
        taken,
        _taken(_files(held_out, spec), 1.0, _HELD_OUT_TOKENS),
        seed,
        may_have_given_pairs=kind != "text",
        contexts=contexts[0] if contexts else None,
        share=share,
    )


def usual_share(tokens: int) -> float:
    """The share of a corpus that trials train on where nobody has said one.

    Args:
      tokens: of the corpus.

    >>> [usual_share(tokens) for tokens in (300_000, 2_000_000, 100_000_000)]
    [1.0, 0.25, 0.1]
    """
    return min(max(_SAMPLE_TOKENS / tokens, _LEAST_SHARE), 1.0)


def _files(patterns: Sequence[str], spec: Mapping[str, object]) -> TransformedFiles:
    paths = sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))
    return TransformedFiles(paths, spec)


def _taken(documents: Documents, share: float, most_tokens: int | None = None) -> DocumentsInMemory:
    """Documents at equal distances: TextExampleGen has shuffled them, by their hashes.

    Args:
      documents: all of a split.
      share: of them.
      most_tokens: after which no more are read, unless None.
    """
    batches, number, tokens = [], 0, 0
    for batch in documents.batches(1, 0):
        size = int(tf.size(batch[features.NUM_TOKENS]))
        rows = evenly(number, size, share).nonzero()[0]
        batches.append({name: tf.gather(batch[name], rows) for name in batch})
        number += size
        tokens += int(tf.reduce_sum(batches[-1][features.NUM_TOKENS]))
        if most_tokens is not None and tokens >= most_tokens:
            break
    if not batches:
        return DocumentsInMemory({features.NUM_TOKENS: tf.zeros([0], tf.int64)})
    return DocumentsInMemory(
        {name: tf.concat([batch[name] for batch in batches], 0) for name in batches[0]}
    )


def evenly(first: int, number: int, share: float) -> npt.NDArray[np.bool_]:
    """Which of consecutive documents are taken so that any stretch of them gives its share.

    >>> evenly(0, 10, 0.3).nonzero()[0].tolist(), evenly(10, 10, 0.3).nonzero()[0].tolist()
    ([3, 6, 9], [3, 6, 9])
    """
    counted = np.floor(np.arange(first, first + number + 1) * share + 1e-9)
    return np.asarray(np.diff(counted) > 0)


def require_pairs(split: Split, emit: str) -> None:
    """Checks that a sample has something to train on.

    Args:
      split: Data.train_split.
      emit: the form that it has, of preprocessing.

    Raises:
      InputError: it has no pair.
    """
    counts = FORMS[emit].count(split)
    if not counts.pairs:
        raise InputError(
            f"a sample of {counts.documents:,} documents gives no pair to train on: raise "
            "--sample, up to 1, which takes all, or give more text"
        )


def held_out_pairs(split: Split, emit: str) -> Pairs:
    """Held-out pairs, of targets evenly spread over the documents: as many as can be paid.

    Args:
      split: Data.eval_split.
      emit: the form that it has, of preprocessing.

    Raises:
      InputError: there are none.
    """
    form = FORMS[emit]
    counts = form.count(split)
    if not counts.pairs:
        raise InputError(
            f"the {counts.documents:,} held-out documents give no pair to measure trials on: give "
            "more text, or hold out more (corpus.eval_fraction)"
        )
    most = max(min(_SCORES // len(counts.context_counts), _TARGETS), 1)
    return spread_pairs(form, split, counts, most)
