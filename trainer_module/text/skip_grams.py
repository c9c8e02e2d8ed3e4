"""Tokens with their windows to (target, context) pairs, as pure functions of tensors.

Tokens of a batch of documents stand one behind the other: `[tokens]`. So do targets, which are the
tokens that were not left out, and pairs, in the order of their targets. Among the targets stand
those tokens that are a context and no target: they have no pairs of their own.
"""

import tensorflow as tf


def documents_of(tokens: tf.RaggedTensor) -> tf.Tensor:
    """Which document each token is of, from 0: what value_rowids says, at the price of one sum.

    RaggedTensor's own lays all documents out side by side, each as long as the longest.

    Args:
      tokens: `[batch, (tokens)]`.

    Returns:
      `[tokens]` int32, rising.
    """
    size = tf.size(tokens.flat_values)
    # A 1 where a document begins, more where empty ones stand before it: their sum counts them.
    begins = tf.cast(tokens.row_splits[1:-1], tf.int32)
    return tf.cumsum(tf.math.bincount(begins, minlength=size, maxlength=size))


def positions_in_documents(tokens: tf.RaggedTensor) -> tf.Tensor:
    """The position of each token in its own document.

    Args:
      tokens: `[batch, (tokens)]`.

    Returns:
      `[tokens]` int64 from 0, the documents one behind the other.
    """
    places = tf.range(tf.size(tokens.flat_values, out_type=tf.int64))
    return places - tf.gather(tf.cast(tokens.row_starts(), tf.int64), documents_of(tokens))


def targets_of(
    tokens: tf.RaggedTensor, windows: tf.RaggedTensor
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """The tokens that are not left out, with their windows.

    Args:
      tokens: `[batch, (tokens)]` int64 ids.
      windows: `[batch, (tokens)]` int64, 0 where a token is left out, -1 where it is a context and
        no target.

    Returns:
      targets, windows: `[batch, (targets)]` int64, no window 0.
    """
    kept = tf.not_equal(windows.flat_values, 0)
    kept_before = tf.concat([[0], tf.cumsum(tf.cast(kept, tf.int32))], 0)
    splits = tf.cast(tf.gather(kept_before, tokens.row_splits), tokens.row_splits.dtype)
    places = tf.where(kept)[:, 0]
    targets = tf.RaggedTensor.from_row_splits(
        tf.gather(tokens.flat_values, places), splits, validate=False
    )
    return targets, targets.with_values(tf.gather(windows.flat_values, places))


def extents(windows: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor]:
    """How many contexts each target has on either side: its window, cut at the document's ends.

    Args:
      windows: `[batch, (targets)]` integers, at least 1, or -1 for a token that is no target and so
        has no context.

    Returns:
      left, right: `[targets]` of the windows' type, the documents one behind the other.
    """
    sizes, documents = tf.maximum(windows.flat_values, 0), documents_of(windows)
    places = tf.range(tf.size(sizes, out_type=sizes.dtype))
    before = places - tf.gather(tf.cast(windows.row_starts(), sizes.dtype), documents)
    behind = tf.gather(tf.cast(windows.row_limits(), sizes.dtype), documents) - 1 - places
    return tf.minimum(sizes, before), tf.minimum(sizes, behind)


def enumerate_pairs(left: tf.Tensor, right: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Lists the pairs of targets: all contexts of the first target, then those of the second...

    Args:
      left, right: `[targets]` integers, extents.

    Returns:
      targets: `[pairs]` of their type, the index of the pair's target in `left`.
      offsets: `[pairs]` of their type, how far the context stands behind the target, from -left to
        right without 0, rising for one target.

    The first target has one context behind it, the second has two before it and one behind it:

    >>> targets, offsets = enumerate_pairs(tf.constant([0, 2]), tf.constant([1, 1]))
    >>> targets.numpy().tolist()
    [0, 1, 1, 1]
    >>> offsets.numpy().tolist()
    [1, -2, -1, 1]
    """
    num_contexts = left + right
    targets = tf.repeat(tf.range(tf.size(left, out_type=left.dtype)), num_contexts)
    # Which pair of its own target each is: its place among all, less that of the target's first.
    places = tf.range(tf.size(targets, out_type=left.dtype))
    nth = places - tf.gather(tf.cumsum(num_contexts, exclusive=True), targets)
    offsets = nth - tf.gather(left, targets)
    # 0 would be the target itself: from there on one further.
    return targets, offsets + tf.cast(offsets >= 0, left.dtype)


def pairs(
    tokens: tf.RaggedTensor, windows: tf.RaggedTensor
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Pairs each target with the targets of its document inside its window.

    Args:
      tokens: `[batch, (tokens)]` int64 ids.
      windows: `[batch, (tokens)]` int64, 0 where a token is left out: it is no target then, no
        context, and nothing stands between its neighbours; -1 where it is a context alone.

    Returns:
      targets: `[batch, (pairs)]` int64 ids, in the order of the targets.
      contexts: `[batch, (pairs)]` int64 ids, for one target in the order of the text.

    The token 8 is left out, so 7 and 9 are neighbours:

    >>> tokens = tf.ragged.constant([[7, 8, 9], [5]], tf.int64)
    >>> windows = tf.ragged.constant([[1, 0, 2], [1]], tf.int64)
    >>> targets, contexts = pairs(tokens, windows)
    >>> targets.to_list()
    [[7, 9], []]
    >>> contexts.to_list()
    [[9, 7], []]
    """
    targets, windows = targets_of(tokens, windows)
    places, offsets = enumerate_pairs(*extents(windows))
    of_pairs = tf.RaggedTensor.from_value_rowids(
        tf.gather(targets.flat_values, places),
        tf.gather(targets.value_rowids(), places),
        targets.nrows(),
        validate=False,
    )
    return of_pairs, of_pairs.with_values(tf.gather(targets.flat_values, places + offsets))
