"""Documents that are a given pair, `TARGET<TAB>CONTEXT` or `TARGET<TAB>CONTEXT<TAB>WEIGHT`.

A weight says how often the pair occurs. In a corpus of a kind that has given pairs, other documents
may stand beside them; those are as of any text, and have no TAB.
"""

from typing import NamedTuple

import tensorflow as tf

from trainer_module.sizes import Window
from trainer_module.text import hashing, subsampling
from trainer_module.text.skip_grams import documents_of, positions_in_documents
from trainer_module.text.subsampling import Windowed

# Which of a document's random numbers is drawn; subsampling.py and the Evaluator have others.
WEIGHT_STREAM = 4
# No weight counts for more, so that none fills the memory. Readers refuse larger ones.
MOST_TIMES = 65_536

_IS_PAIR = r"[^\t]*\t(?s:.*)"
_BEFORE_WEIGHT = r"^[^\t]*\t[^\t]*\t?"


class Sides(NamedTuple):
    """The targets and contexts of given pairs, `[pairs]` strings each, and whose they are."""

    documents: tf.Tensor  # [pairs] int64, rising, which of the batch each one is
    targets: tf.Tensor
    contexts: tf.Tensor
    times: tf.Tensor  # [pairs] int64, at least 1


class GivenPairs(NamedTuple):
    """Which documents of a batch are given pairs, and how often each document occurs."""

    is_pair: tf.Tensor  # [batch] bool
    is_weighted: tf.Tensor  # [batch] bool, whether a weight is a token of the document too
    times: tf.Tensor  # [batch] int64; 1 for what is no given pair

    def tokens(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """The tokens that count.

        Args:
          tokens: `[batch, (tokens)]` strings, the documents split at blanks and TABs.

        Returns:
          `[batch, (tokens)]` strings: of a given pair target and context, or none where it does not
          occur or one of them is not one token; of any other document all.
        """
        lengths = tokens.row_lengths()
        of_two = lengths == 2 + tf.cast(self.is_weighted, lengths.dtype)
        of_pair = 2 * tf.cast(of_two & (self.times > 0), lengths.dtype)
        return self._laid_out(tokens, tf.where(self.is_pair, of_pair, lengths))

    def sides(self, tokens: tf.RaggedTensor) -> Sides:
        """The two sides of those given pairs that count, of what `tokens` gave."""
        documents = tf.where(self.is_pair & (tokens.row_lengths() > 0))[:, 0]
        starts = tf.gather(tokens.row_starts(), documents)
        targets, contexts = (tf.gather(tokens.flat_values, starts + side) for side in (0, 1))
        return Sides(documents, targets, contexts, tf.gather(self.times, documents))

    def written_out(
        self, sides: Sides, target_ids: tf.Tensor, context_ids: tf.Tensor
    ) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Given pairs as skip_grams.pairs gives pairs, each as often as it occurs.

        Args:
          sides: of the batch.
          target_ids, context_ids: `[pairs]` int64, of either side; -1 for an unknown token.

        Returns:
          targets, contexts: `[batch, (pairs)]` int64, without the pairs of which one is unknown.
        """
        is_known = (target_ids >= 0) & (context_ids >= 0)
        times = sides.times * tf.cast(is_known, tf.int64)
        num_documents = tf.shape(self.times, tf.int64)
        lengths = tf.scatter_nd(sides.documents[:, tf.newaxis], times, num_documents)
        splits = tf.concat([[0], tf.cumsum(lengths)], 0)
        targets, contexts = (
            tf.RaggedTensor.from_row_splits(tf.repeat(ids, times), splits, validate=False)
            for ids in (target_ids, context_ids)
        )
        return targets, contexts

    def windowed(
        self,
        hashes: tf.Tensor,
        token_ids: tf.RaggedTensor,
        keep_probabilities: tf.Tensor,
        *,
        window: Window,
        seed: int,
    ) -> Windowed:
        """As subsampling.windowed, which leaves alone what is given.

        A given pair (t, c) becomes `t c`, with windows of 1 and -1: see features.py. If it occurs n
        times, t and c take turns, n + 1 tokens in all: each of the n places where they touch is a
        pair, as one of the two is a target there and the other one is not.

        Args:
          hashes, window, seed: as of subsampling.windowed.
          token_ids: `[batch, (tokens)]` int64, of what `tokens` gave; -1 for a token outside the
            vocabulary.
          keep_probabilities: `[tokens]` float64, as of subsampling.windowed.

        Returns:
          The known tokens with their windows; of a given pair none if one is unknown.
        """
        lengths, is_known = token_ids.row_lengths(), tf.reduce_min(token_ids, axis=1) >= 0
        of_pair = (self.times + 1) * tf.cast((lengths > 0) & is_known, lengths.dtype)
        places = self._laid_out(
            token_ids.with_values(tf.range(tf.size(token_ids.flat_values, tf.int64))),
            tf.where(self.is_pair, of_pair, lengths),
        )
        found = subsampling.windowed(
            hashes,
            places.with_values(tf.gather(token_ids.flat_values, places.flat_values)),
            tf.gather(keep_probabilities, places.flat_values),
            window=window,
            seed=seed,
        )
        given = 1 - 2 * (positions_in_documents(found.token_ids) % 2)
        is_given = tf.gather(self.is_pair, documents_of(found.token_ids))
        sizes = tf.where(is_given, given, found.window_sizes.flat_values)
        return found._replace(window_sizes=found.window_sizes.with_values(sizes))

    def _laid_out(self, tokens: tf.RaggedTensor, lengths: tf.Tensor) -> tf.RaggedTensor:
        """So many tokens of each document; those of given pairs take turns."""
        splits = tf.concat([[0], tf.cumsum(lengths)], 0)
        laid_out = tf.RaggedTensor.from_row_splits(tf.range(splits[-1]), splits, validate=False)
        rows, positions = documents_of(laid_out), positions_in_documents(laid_out)
        positions = tf.where(tf.gather(self.is_pair, rows), positions % 2, positions)
        places = tf.gather(tokens.row_starts(), rows) + positions
        return laid_out.with_values(tf.gather(tokens.flat_values, places))


def among(documents: tf.Tensor, hashes: tf.Tensor, *, seed: int) -> GivenPairs:
    r"""Finds the given pairs among documents.

    Args:
      documents: `[batch]` UTF-8 strings, of a corpus that is not of the kind `text`.
      hashes: `[batch]` uint64, hashing.document_hashes.
      seed: the run's seed.

    A weight of 2.5 is 2 times, and once more by the document's hash, for one half of all:

    >>> given = among(tf.constant(["a b", "a\tb", "a\tb\t3"]), tf.zeros([3], tf.uint64), seed=1)
    >>> given.is_pair.numpy().tolist(), given.times.numpy().tolist()
    ([False, True, True], [1, 1, 3])
    """
    is_pair = tf.strings.regex_full_match(documents, _IS_PAIR)
    weights = tf.strings.regex_replace(documents, _BEFORE_WEIGHT, "", replace_global=False)
    is_weighted = is_pair & (weights != "")
    weights = tf.strings.to_number(tf.where(is_weighted, weights, "1"), tf.float64)
    weights = tf.minimum(weights, MOST_TIMES)
    rows = tf.range(tf.size(hashes))
    drawn = hashing.uniform(hashes, rows, tf.zeros_like(rows), seed=seed, stream=WEIGHT_STREAM)
    whole = tf.floor(weights)
    times = tf.cast(whole, tf.int64) + tf.cast(drawn < weights - whole, tf.int64)
    return GivenPairs(is_pair, is_weighted, times)


def kept_as_given(windows: tf.RaggedTensor, redrawn: tf.RaggedTensor) -> tf.RaggedTensor:
    """The windows of a later epoch: anew, but for those of given pairs.

    Args:
      windows: `[batch, (tokens)]` int64, of the first epoch.
      redrawn: `[batch, (tokens)]` int64, subsampling.redrawn_windows.

    >>> windows = tf.ragged.constant([[1, -1], [2, 0]], tf.int64)
    >>> kept_as_given(windows, tf.ragged.constant([[3, 4], [3, 4]], tf.int64)).to_list()
    [[1, -1], [3, 4]]
    """
    is_pair = tf.gather(tf.reduce_min(windows, axis=1) < 0, documents_of(windows))
    return windows.with_values(tf.where(is_pair, windows.flat_values, redrawn.flat_values))
