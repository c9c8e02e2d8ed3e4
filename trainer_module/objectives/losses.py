"""The objectives of training and the two full cross-entropies of evaluation.

Pure functions of scores or vectors, float32 throughout, in nats; TensorFlow is all they need. They
return one loss per pair unless they say otherwise; averaging is then the caller's. The score of
context c for target t is `s(t, c) = <target vector of t, context weights of c> + context bias of
c`, a logit. docs/losses.md derives what each objective makes of it.
"""

from typing import NamedTuple

import tensorflow as tf

# Scores in memory at once: 2^23 float32 are 32 MiB, small beside the tables they come from.
_SCORES_AT_ONCE = 1 << 23

# Stands in for the logit of a candidate left out: its exponential, softplus and sigmoid are exactly
# 0. Finite, unlike -inf, so that differences and gradients of such logits are no NaN.
_LEFT_OUT = -1e30


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
    true, sampled = _logits(true_logits, sampled_logits, accidental_hits)
    true, sampled = _logq_corrected(true, sampled, true_expected_count, sampled_expected_count)
    sampled = _without_hits(sampled, accidental_hits)
    return tf.nn.softplus(-true) + tf.reduce_sum(tf.nn.softplus(sampled), axis=1)


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
    true, sampled = _logits(true_logits, sampled_logits, accidental_hits)
    true, sampled = _logq_corrected(true, sampled, true_expected_count, sampled_expected_count)
    return _one_against(true, _without_hits(sampled, accidental_hits))


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
    true, sampled = _logits(true_logits, sampled_logits, accidental_hits)
    num_sampled = tf.cast(tf.shape(sampled)[1], tf.float32)
    negatives = tf.reduce_sum(tf.nn.softplus(_without_hits(sampled, accidental_hits)), axis=1)
    return tf.nn.softplus(-true) + tf.math.divide_no_nan(num_negatives, num_sampled) * negatives


def sigmoid_cross_entropy(pos_logit: tf.Tensor, neg_logit: tf.Tensor) -> tf.Tensor:
    """Tell pairs from non-pairs, both sides of equal weight.

    `mean softplus(-pos_logit) + mean softplus(neg_logit)`, the mean of nothing being 0. Negative
    sampling (Mikolov et al. 2013; Levy and Goldberg 2014) with k = 1, whatever the number of
    negatives.

    Args:
      pos_logit: any shape, s(t, c) of pairs.
      neg_logit: any shape, s(t, j) of targets and sampled classes.

    Returns:
      A float32 scalar, in nats.
    """
    positive, negative = tf.cast(pos_logit, tf.float32), tf.cast(neg_logit, tf.float32)
    return _mean(tf.nn.softplus(-positive)) + _mean(tf.nn.softplus(negative))


def softmax_cross_entropy(
    src_emb: tf.Tensor,
    pos_emb: tf.Tensor,
    neg_emb: tf.Tensor,
    temperature: float | tf.Tensor = 1.0,
) -> tf.Tensor:
    """Pick each pair's context out of itself and the negatives that the batch shares (InfoNCE).

    The mean over pairs of `log(exp(s_c) + sum_j exp(s_j)) - s_c`, j over the negatives, with `s =
    inner product / temperature`. 0 without negatives. Oord et al. 2018.

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
    _check_shapes(
        src_emb=(source, "batch dim"),
        pos_emb=(positive, "batch dim"),
        neg_emb=(negative, "negatives dim"),
    )
    true = tf.reduce_sum(source * positive, axis=1) / temperature
    return _mean(_one_against(true, tf.matmul(source, negative, transpose_b=True) / temperature))


class VocabularySums(NamedTuple):
    """What the full cross-entropies need of a target: a number each, whatever the context."""

    log_partition: tf.Tensor  # [targets]: log sum_j exp(s_tj)
    softplus_sum: tf.Tensor  # [targets]: sum_j log(1 + exp(s_tj))


def vocabulary_sums(
    inputs: tf.Tensor, weights: tf.Tensor, biases: tf.Tensor, shift: tf.Tensor | None = None
) -> VocabularySums:
    """Sums over the whole vocabulary, a chunk of it at a time so that memory stays bounded.

    Under a gradient tape the scores of all chunks are kept for the way back, `targets * vocab`.

    Args:
      inputs: `[targets, dim]` float32, target vectors.
      weights: `[vocab, dim]` float32, context weights.
      biases: `[vocab]` float32, context biases.
      shift: `[targets]` float32, subtracted from all scores of a target: `s_tj - shift_t` stands
        for s_tj. None for 0.

    Returns:
      Two `[targets]` float32. Exact but for rounding: running maxima keep the exponentials in
      range, and softplus does not overflow.

    Raises:
      ValueError: shapes that do not fit.
    """
    # Read and converted once; a variable would otherwise be read again for each chunk.
    inputs, weights, biases = (tf.cast(x, tf.float32) for x in (inputs, weights, biases))
    shift = tf.zeros(tf.shape(inputs)[:1]) if shift is None else tf.cast(shift, tf.float32)
    _check_shapes(
        inputs=(inputs, "targets dim"),
        weights=(weights, "vocab dim"),
        biases=(biases, "vocab"),
        shift=(shift, "targets"),
    )
    num_targets, vocabulary_size = tf.shape(inputs)[0], tf.shape(weights)[0]
    chunk = tf.maximum(_SCORES_AT_ONCE // tf.maximum(num_targets, 1), 1)

    def add_chunk(
        start: tf.Tensor, log_partition: tf.Tensor, softplus_sum: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        rows = slice(start, start + chunk)
        scores = tf.matmul(inputs, weights[rows], transpose_b=True) + biases[rows]
        scores -= shift[:, tf.newaxis]
        both = tf.stack([log_partition, tf.reduce_logsumexp(scores, axis=1)])
        softplus = tf.reduce_sum(tf.nn.softplus(scores), axis=1)
        return start + chunk, tf.reduce_logsumexp(both, axis=0), softplus_sum + softplus

    _, log_partition, softplus_sum = tf.while_loop(
        lambda start, *_: start < vocabulary_size,
        add_chunk,
        (0, tf.fill([num_targets], -float("inf")), tf.zeros([num_targets])),
        parallel_iterations=1,
    )
    return VocabularySums(log_partition, softplus_sum)


def full_softmax_cross_entropy(
    inputs: tf.Tensor, contexts: tf.Tensor, weights: tf.Tensor, biases: tf.Tensor
) -> tf.Tensor:
    """`-log softmax(s_t)_c = log sum_j exp(s_tj) - s_tc`, j over the vocabulary.

    Args:
      inputs: `[batch, dim]` float32, the target vector of each pair.
      contexts: `[batch]` ints, the context of each pair.
      weights: `[vocab, dim]` float32, context weights.
      biases: `[vocab]` float32, context biases.

    Returns:
      `[batch]` float32, in nats.

    Raises:
      ValueError: shapes that do not fit.
    """
    scores = _pair_scores(inputs, contexts, weights, biases)
    return vocabulary_sums(inputs, weights, biases).log_partition - scores


def full_sigmoid_cross_entropy(
    inputs: tf.Tensor, contexts: tf.Tensor, weights: tf.Tensor, biases: tf.Tensor
) -> tf.Tensor:
    """`-log sigmoid(s_tc) - sum_{j != c} log(1 - sigmoid(s_tj)) = sum_j softplus(s_tj) - s_tc`.

    Args:
      inputs: `[batch, dim]` float32, the target vector of each pair.
      contexts: `[batch]` ints, the context of each pair.
      weights: `[vocab, dim]` float32, context weights.
      biases: `[vocab]` float32, context biases.

    Returns:
      `[batch]` float32, in nats.

    Raises:
      ValueError: shapes that do not fit.
    """
    scores = _pair_scores(inputs, contexts, weights, biases)
    return vocabulary_sums(inputs, weights, biases).softplus_sum - scores


def _logits(
    true_logits: tf.Tensor, sampled_logits: tf.Tensor, accidental_hits: tf.Tensor | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Both logits in float32; ValueError when the three shapes do not fit."""
    true, sampled = tf.cast(true_logits, tf.float32), tf.cast(sampled_logits, tf.float32)
    _check_shapes(true_logits=(true, "batch"), sampled_logits=(sampled, "batch num_sampled"))
    if accidental_hits is not None:
        _check_shapes(
            sampled_logits=(sampled, "batch num_sampled"),
            accidental_hits=(tf.convert_to_tensor(accidental_hits), "batch num_sampled"),
        )
    return true, sampled


def _logq_corrected(
    true: tf.Tensor,
    sampled: tf.Tensor,
    true_expected_count: tf.Tensor | None,
    sampled_expected_count: tf.Tensor | None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Logits less the log of the expected counts; as they are when both counts are None."""
    if (true_expected_count is None) != (sampled_expected_count is None):
        given = "sampled" if true_expected_count is None else "true"
        raise ValueError(
            "true_expected_count and sampled_expected_count go together, got "
            f"{given}_expected_count alone; pass both, or neither for no logQ correction"
        )
    if true_expected_count is None:
        return true, sampled
    # Like tf.nn: the counts are the sampler's, no gradient reaches it.
    of_true, of_sampled = (
        tf.stop_gradient(tf.cast(count, tf.float32))
        for count in (true_expected_count, sampled_expected_count)
    )
    _check_shapes(
        true_logits=(true, "batch"),
        sampled_logits=(sampled, "batch num_sampled"),
        true_expected_count=(of_true, "batch"),
        sampled_expected_count=(
            of_sampled,
            "num_sampled" if of_sampled.shape.rank == 1 else "batch num_sampled",
        ),
    )
    return true - tf.math.log(of_true), sampled - tf.math.log(of_sampled)


def _without_hits(sampled: tf.Tensor, accidental_hits: tf.Tensor | None) -> tf.Tensor:
    """The logits of candidates, those of hits so low that they count for nothing."""
    return sampled if accidental_hits is None else tf.where(accidental_hits, _LEFT_OUT, sampled)


def _one_against(true: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """`log(exp(true) + sum_j exp(others_j)) - true`, `[batch]` and `[batch, n]` to `[batch]`."""
    # Of differences and by softplus: a loss of 1e-9 and its gradient survive, where 1 - softmax
    # would have rounded to 0.
    return tf.nn.softplus(tf.reduce_logsumexp(others - true[:, tf.newaxis], axis=1))


def _mean(losses: tf.Tensor) -> tf.Tensor:
    """The mean, 0 of nothing."""
    return tf.math.divide_no_nan(tf.reduce_sum(losses), tf.cast(tf.size(losses), tf.float32))


def _pair_scores(
    inputs: tf.Tensor, contexts: tf.Tensor, weights: tf.Tensor, biases: tf.Tensor
) -> tf.Tensor:
    """s(t, c) of each pair, `[batch]`; ValueError when the shapes do not fit."""
    inputs, weights, biases = (tf.cast(x, tf.float32) for x in (inputs, weights, biases))
    contexts = tf.convert_to_tensor(contexts)
    _check_shapes(
        inputs=(inputs, "batch dim"),
        contexts=(contexts, "batch"),
        weights=(weights, "vocab dim"),
        biases=(biases, "vocab"),
    )
    products = tf.reduce_sum(inputs * tf.gather(weights, contexts), axis=1)
    return products + tf.gather(biases, contexts)


def _check_shapes(**tensors: tuple[tf.Tensor, str]) -> None:
    """ValueError unless each tensor has its axes and axes of one name have one size.

    Sizes that are unknown before the graph runs fit everything.
    """
    seen: dict[str, tuple[str, int]] = {}  # axis: the tensor that it was first seen in, its size
    for name, (tensor, axes) in tensors.items():
        if tensor.shape.rank is None:
            continue
        if tensor.shape.rank != len(axes.split()):
            raise ValueError(
                f"{name} must have shape [{axes.replace(' ', ', ')}], got {tensor.shape}; "
                "tf.reshape or tf.squeeze it"
            )
        for axis, size in zip(axes.split(), tensor.shape.as_list(), strict=True):
            first, known = (name, size) if size is None else seen.setdefault(axis, (name, size))
            if size != known:
                raise ValueError(
                    f"{axis} must be the same in {first} and {name}, got {known} and {size}; "
                    "pass tensors of the same pairs, classes and model"
                )
