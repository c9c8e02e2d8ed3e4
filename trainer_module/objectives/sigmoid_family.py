"""The losses of the sigmoid family, and below them their gradient, written by hand.

Each class is told by a sigmoid of its own whether it is the context.
"""

import tensorflow as tf

from trainer_module.objectives import _parts
from trainer_module.objectives._parts import ScoreGradients


def nce(
    true_logits: tf.Tensor,
    sampled_logits: tf.Tensor,
    *,
    true_expected_count: tf.Tensor | None = None,
    sampled_expected_count: tf.Tensor | None = None,
    accidental_hits: tf.Tensor | None = None,
) -> tf.Tensor:
    """Noise-contrastive estimation: tell the context from each candidate, as `tf.nn.nce_loss`.

    `softplus(-s'_c) + sum_j softplus(s'_j)`, j over the candidates, with `s' = s - log(expected
    count)` or, without expected counts, `s' = s`. Gutmann and Hyvärinen 2010; Mnih and Kavukcuoglu
    2013.

    Example:
      >>> from trainer_module.objectives import losses
      >>> print(losses.nce([0.0], [[0.0, 0.0]]).numpy().round(4))  # 3 ln 2: three coin tosses
      [2.0794]
      >>> hits = [[True, False]]
      >>> print(losses.nce([0.0], [[0.0, 0.0]], accidental_hits=hits).numpy().round(4))  # 2 ln 2
      [1.3863]

    Args:
      true_logits: `[batch]`, s(t, c) of each pair.
      sampled_logits: `[batch, num_sampled]`, s(t, j) of each candidate.
      true_expected_count: `[batch]`, positive: how often the sampler was expected to draw the
        context. None for no logQ correction.
      sampled_expected_count: `[num_sampled]` or `[batch, num_sampled]`, the same of the candidates.
      accidental_hits: `[batch, num_sampled]` bool, the candidates that equal the pair's context and
        are left out. None to keep all. (Of a hit drawn twice tf.nn leaves out one.)

    Returns:
      `[batch]` float32, in nats.

    Raises:
      ValueError: one expected count without the other, or shapes that do not fit.
    """
    true, sampled = _parts.logits(true_logits, sampled_logits, accidental_hits)
    true, sampled = _parts.logq_corrected(
        true, sampled, true_expected_count, sampled_expected_count
    )
    sampled = _parts.without_hits(sampled, accidental_hits)
    return tf.nn.softplus(-true) + tf.reduce_sum(tf.nn.softplus(sampled), axis=1)


def negative_sampling(
    true_logits: tf.Tensor,
    sampled_logits: tf.Tensor,
    *,
    num_negatives: float,
    accidental_hits: tf.Tensor | None = None,
) -> tf.Tensor:
    """The negative sampling of word2vec: NCE without the logQ correction, k negatives a pair.

    `softplus(-s_c) + (k / num_sampled) sum_j softplus(s_j)`, j over the candidates. The weight lets
    candidates that a batch shares, however many, stand for k negatives of each pair; a hit left out
    is not made up for, as in word2vec. Without candidates only the first part remains. Mikolov et
    al. 2013.

    Example:
      >>> from trainer_module.objectives import losses
      >>> loss = losses.negative_sampling([0.0], [[0.0, 0.0]], num_negatives=5)
      >>> print(loss.numpy().round(4))  # two candidates stand for five negatives: 6 ln 2
      [4.1589]

    Args:
      true_logits: `[batch]`, s(t, c) of each pair.
      sampled_logits: `[batch, num_sampled]`, s(t, j) of each candidate.
      num_negatives: k, positive.
      accidental_hits: `[batch, num_sampled]` bool, the candidates that equal the pair's context and
        are left out. None to keep all.

    Returns:
      `[batch]` float32, in nats.

    Raises:
      ValueError: `num_negatives` not positive, or shapes that do not fit.
    """
    if not num_negatives > 0:
        raise ValueError(
            f"num_negatives must be positive, got {num_negatives}; pass the number of negatives "
            "that a pair stands against, 5 to 20 in word2vec"
        )
    true, sampled = _parts.logits(true_logits, sampled_logits, accidental_hits)
    num_sampled = tf.cast(tf.shape(sampled)[1], tf.float32)
    negatives = tf.reduce_sum(tf.nn.softplus(_parts.without_hits(sampled, accidental_hits)), axis=1)
    return tf.nn.softplus(-true) + tf.math.divide_no_nan(num_negatives, num_sampled) * negatives


def sigmoid_cross_entropy(pos_logit: tf.Tensor, neg_logit: tf.Tensor) -> tf.Tensor:
    """Tell pairs from non-pairs, both sides of equal weight.

    `mean softplus(-pos_logit) + mean softplus(neg_logit)`, the mean of nothing being 0. Negative
    sampling (Mikolov et al. 2013; Levy and Goldberg 2014) with k = 1, whatever the number of
    negatives.

    Example:
      >>> from trainer_module.objectives import losses
      >>> print(losses.sigmoid_cross_entropy([0.0], [[0.0, 0.0, 0.0]]).numpy().round(4))  # 2 ln 2
      1.3863
      >>> print(losses.sigmoid_cross_entropy([0.0], []).numpy().round(4))  # ln 2
      0.6931

    Args:
      pos_logit: any shape, s(t, c) of pairs.
      neg_logit: any shape, s(t, j) of targets and sampled classes.

    Returns:
      A float32 scalar, in nats.
    """
    positive, negative = tf.cast(pos_logit, tf.float32), tf.cast(neg_logit, tf.float32)
    return _parts.mean(tf.nn.softplus(-positive)) + _parts.mean(tf.nn.softplus(negative))


def gradients(
    true: tf.Tensor,
    sampled: tf.Tensor,
    band: tf.Tensor,
    hits: tf.Tensor,
    weight: float,
    with_loss: bool,
) -> ScoreGradients:
    """The gradients of the family's losses on candidates that a batch shares.

    Of a pair: `softplus(-s) + w sum_j softplus(s_j)`, less `w softplus(s)` for each hit. With w = 1
    that is `nce` (s being s' after logQ correction) and, over the whole vocabulary with the context
    a hit, `full_sigmoid_cross_entropy`; with `w = k / num_sampled`, `negative_sampling`; with
    `w = 1 / num_sampled`, a pair's part of `sigmoid_cross_entropy`.

    A hit's score is the pair's own, so that it can be taken off on the pair's side; the sum over
    the candidates then is one number a target, whatever its pairs.

    Args:
      true: `[frames, height, width]` scores.
      sampled: `[targets, num_sampled]` scores.
      band: `[frames, height, width]`, how often each is a pair.
      hits: `[frames, 1, width]`, how often each context is among the candidates, or 0 to keep all.
      weight: w, the objective's candidate_weight.
      with_loss: whether the loss is wanted; the gradients do not need it.

    Returns:
      Gradients of the sum over the pairs, and that sum.
    """
    pairs = tf.reshape(tf.reduce_sum(band, 2), [-1, 1]) * weight
    of_true = band * (tf.sigmoid(true) * (1.0 - weight * hits) - 1.0)
    of_sampled = pairs * tf.sigmoid(sampled)
    if not with_loss:
        return ScoreGradients(of_true, of_sampled, tf.zeros([]))
    loss = tf.reduce_sum(band * (tf.nn.softplus(-true) - weight * hits * tf.nn.softplus(true)))
    loss += tf.reduce_sum(pairs * tf.nn.softplus(sampled))
    return ScoreGradients(of_true, of_sampled, loss)
