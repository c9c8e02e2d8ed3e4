"""The losses of the softmax family, and below them their gradient, written by hand.

The context is picked out of itself and the candidates by one softmax.
"""

import tensorflow as tf

from trainer_module.objectives import _parts
from trainer_module.objectives._parts import ScoreGradients


def sampled_softmax(
    true_logits: tf.Tensor,
    sampled_logits: tf.Tensor,
    *,
    true_expected_count: tf.Tensor | None = None,
    sampled_expected_count: tf.Tensor | None = None,
    accidental_hits: tf.Tensor | None = None,
) -> tf.Tensor:
    """Pick the context out of itself and the candidates, as `tf.nn.sampled_softmax_loss`.

    `log(exp(s'_c) + sum_j exp(s'_j)) - s'_c`, j over the candidates, with `s' = s - log(expected
    count)` or, without expected counts, `s' = s`. Exactly 0 without candidates. Jean et al. 2015.

    Example:
      >>> from trainer_module.objectives import losses
      >>> print(losses.sampled_softmax([0.0], [[0.0, 0.0]]).numpy().round(4))  # ln 3: one of three
      [1.0986]
      >>> loss = losses.sampled_softmax([0.0], [[0.0, 0.0]], accidental_hits=[[True, False]])
      >>> print(loss.numpy().round(4))  # ln 2
      [0.6931]

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
    return _one_against(true, _parts.without_hits(sampled, accidental_hits))


def softmax_cross_entropy(
    src_emb: tf.Tensor,
    pos_emb: tf.Tensor,
    neg_emb: tf.Tensor,
    temperature: float | tf.Tensor = 1.0,
) -> tf.Tensor:
    """Pick each pair's context out of itself and the negatives that the batch shares (InfoNCE).

    The mean over pairs of `log(exp(s_c) + sum_j exp(s_j)) - s_c`, j over the negatives, with `s =
    inner product / temperature`. 0 without negatives. Oord et al. 2018.

    Example:
      >>> from trainer_module.objectives import losses
      >>> vectors = [[1.0, 0.0]], [[2.0, 0.0]], [[0.0, 1.0]]  # inner products: 2, and 0
      >>> print(losses.softmax_cross_entropy(*vectors).numpy().round(4))  # ln(1 + exp(-2))
      0.1269
      >>> loss = losses.softmax_cross_entropy(*vectors, temperature=0.5)
      >>> print(loss.numpy().round(4))  # ln(1 + exp(-4))
      0.0181

    Args:
      src_emb: `[batch, dim]`, the vector of each pair's target.
      pos_emb: `[batch, dim]`, the vector of each pair's context.
      neg_emb: `[negatives, dim]`, those of the sampled classes, every pair's.
      temperature: positive; a tensor, as of a trained temperature, is not checked.

    Returns:
      A float32 scalar, in nats.

    Raises:
      ValueError: `temperature` not positive, or shapes that do not fit.
    """
    if not tf.is_tensor(temperature) and not temperature > 0:
        raise ValueError(
            f"temperature must be positive, got {temperature}; pass 1.0 to leave the inner "
            "products as they are"
        )
    source, positive, negative = (tf.cast(x, tf.float32) for x in (src_emb, pos_emb, neg_emb))
    _parts.check_shapes(
        src_emb=(source, "batch dim"),
        pos_emb=(positive, "batch dim"),
        neg_emb=(negative, "negatives dim"),
    )
    true = tf.reduce_sum(source * positive, axis=1) / temperature
    return _parts.mean(
        _one_against(true, tf.matmul(source, negative, transpose_b=True) / temperature)
    )


def gradients(
    true: tf.Tensor, sampled: tf.Tensor, band: tf.Tensor, hits: tf.Tensor
) -> ScoreGradients:
    """The gradients of the family's losses on candidates that a batch shares.

    Of a pair: `log(exp(s) + sum_j exp(s_j) - hits exp(s)) - s`. That is `sampled_softmax` (s being
    s' after logQ correction), a pair's part of `softmax_cross_entropy` (s being the inner product
    divided by the temperature) and, over the whole vocabulary with the context a hit,
    `full_softmax_cross_entropy`.

    With z the logsumexp of the candidates, one number a target, the sum is
    `exp(z) + (1 - hits) exp(s)`. As exp(z) holds a hit's exp(s) as often as it is there, the
    difference is at least `exp(z) / hits`: nothing cancels.

    Args:
      true: `[frames, height, width]` scores.
      sampled: `[targets, num_sampled]` scores.
      band: `[frames, height, width]`, how often each is a pair.
      hits: `[frames, 1, width]`, how often each context is among the candidates, or 0 to keep all.

    Returns:
      Gradients of the sum over the pairs, and that sum.
    """
    largest = tf.reduce_max(sampled, axis=1, keepdims=True)
    powers = tf.exp(sampled - largest)
    sums = tf.reduce_sum(powers, axis=1, keepdims=True)
    log_sums = tf.reshape(largest + tf.math.log(sums), [*true.shape[:2], 1])
    top = tf.maximum(log_sums, true)
    from_candidates, from_true = tf.exp(log_sums - top), tf.exp(true - top)
    # Rounding of two products of the same rows must not make it 0.
    total = tf.maximum(from_candidates + (1.0 - hits) * from_true, 1e-6)
    of_true = band * ((1.0 - hits) * from_true / total - 1.0)
    share = tf.reshape(tf.reduce_sum(band * from_candidates / total, 2), [-1, 1])
    loss = tf.reduce_sum(band * (top + tf.math.log(total) - true))
    return ScoreGradients(of_true, powers * (share / sums), loss)


def _one_against(true: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """`log(exp(true) + sum_j exp(others_j)) - true`, `[batch]` and `[batch, n]` to `[batch]`."""
    # Of differences and by softplus: a loss of 1e-9 and its gradient survive, where 1 - softmax
    # would have rounded to 0.
    return tf.nn.softplus(tf.reduce_logsumexp(others - true[:, tf.newaxis], axis=1))
