"""The full cross-entropies of a model, once per distinct target; what sampling gave beside them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from trainer_module.evaluation.vocabulary_sums import Visit, vocabulary_sums
from trainer_module.objectives import candidate_sampling
from trainer_module.objectives.candidate_sampling import SampledCandidates, Sampler

# Targets whose scores are in memory at once.
TARGETS_AT_ONCE = 1 << 10
# Pairs whose rows are in memory at once: two gathered tables of 100 dimensions are 50 MB.
_PAIRS_AT_ONCE = 1 << 16
# Sets of candidates over which a sampled loss is averaged.
_DRAWS = 20


class Parameters(NamedTuple):
    """A model: `s(t, c) = <target row of t, context row of c> / temperature + bias of c`."""

    target_table: tf.Variable  # [vocab, dim]
    context_weights: tf.Variable  # [vocab, dim]
    context_biases: tf.Variable  # [vocab]
    correction: tf.Tensor | None  # [vocab], objectives.evaluation_correction
    softmax: bool  # the objective's family
    temperature: float

    @property
    def corrected_biases(self) -> tf.Tensor:
        """`[vocab]`, with which scores are estimates of log p(c|t)."""
        if self.correction is None:
            return self.context_biases
        return self.context_biases + self.correction


class TargetSums(NamedTuple):
    """All that a target contributes to its pairs' cross-entropies, `[targets]` each."""

    log_partition: tf.Tensor  # of the corrected scores
    sigmoid: tf.Tensor  # sum of softplus; plus the log partition in the softmax family
    # Of the scores as they were trained, unless nobody asks for them.
    raw_log_partition: tf.Tensor | None = None
    raw_softplus: tf.Tensor | None = None


class CrossEntropies(NamedTuple):
    """Full cross-entropies, nats, `[pairs]` each."""

    softmax: tf.Tensor
    sigmoid: tf.Tensor
    raw_softmax: tf.Tensor | None = None
    raw_sigmoid: tf.Tensor | None = None


def target_sums(
    parameters: Parameters, targets: tf.Tensor, *, raw: bool = True, visit: Visit | None = None
) -> TargetSums:
    """Sums over the whole vocabulary.

    Scores that a softmax trained are free up to a constant of the target, so its sigmoid sums are
    those of `s - log_partition`, the normalised model.

    Args:
      parameters: the model.
      targets: `[targets]` ids.
      raw: whether those of the scores as they were trained are asked for.
      visit: is shown the corrected scores, see vocabulary_sums.
    """
    inputs = tf.gather(parameters.target_table, targets) / parameters.temperature
    weights = tf.convert_to_tensor(parameters.context_weights)
    biases, is_raw = [parameters.corrected_biases], parameters.correction is None
    softplus = [not parameters.softmax or (raw and is_raw)]
    if raw and not is_raw:
        biases.append(parameters.context_biases)
        softplus.append(True)
    found = vocabulary_sums(inputs, weights, biases, softplus=softplus, visit=visit)
    sums, of_raw = found[0], found[-1]
    sigmoid = sums.softplus_sum
    if parameters.softmax:
        [normalised] = vocabulary_sums(
            inputs, weights, biases[:1], softplus=[True], shift=sums.log_partition
        )
        sigmoid = normalised.softplus_sum + sums.log_partition
    return TargetSums(sums.log_partition, sigmoid, *(of_raw if raw else ()))


def stacked_sums(
    parameters: Parameters, targets: tf.Tensor, visit: Visit | None = None
) -> tf.Tensor:
    """All of target_sums, `[targets, 4]`."""
    return tf.stack(target_sums(parameters, targets, visit=visit), 1)


def remembered(
    sums: tf.Variable, targets: tf.Tensor, compute: Callable[[tf.Tensor], tf.Tensor]
) -> tf.Tensor:
    """Sums of targets, so that each is computed once, when it is first met.

    Args:
      sums: `[vocab, n]`, NaN where a target was not met yet; is filled in.
      targets: `[pairs]` ids.
      compute: gives the sums of some targets, `[targets]` ids to `[targets, n]`.

    Returns:
      `[pairs, n]`, the rows of `targets`.
    """
    met = tf.unique(targets)[0]
    new = tf.boolean_mask(met, tf.math.is_nan(tf.gather(sums, met)[:, 0]))

    def add(start: tf.Tensor) -> tuple[tf.Tensor]:
        rows = new[start : start + TARGETS_AT_ONCE]
        sums.scatter_update(tf.IndexedSlices(compute(rows), rows))
        return (start + TARGETS_AT_ONCE,)

    [done] = tf.while_loop(lambda start: start < tf.size(new), add, (0,))
    with tf.control_dependencies([done]):
        return tf.gather(sums, targets)  # of the variable itself: its value would be a copy


def cross_entropies(
    parameters: Parameters, sums: TargetSums, targets: tf.Tensor, contexts: tf.Tensor
) -> CrossEntropies:
    """Of each pair: its target's sum less its score.

    Args:
      parameters: the model.
      sums: `[pairs]` each, of the pairs' targets.
      targets, contexts: `[pairs]` ids.
    """
    raw = scores(parameters, targets, contexts)
    corrected = raw + _corrections(parameters, contexts)
    found = CrossEntropies(sums.log_partition - corrected, sums.sigmoid - corrected)
    if sums.raw_log_partition is None:
        return found
    return found._replace(
        raw_softmax=sums.raw_log_partition - raw, raw_sigmoid=sums.raw_softplus - raw
    )


def _corrections(parameters: Parameters, contexts: tf.Tensor) -> tf.Tensor:
    """`[pairs]`, or 0 for all."""
    if parameters.correction is None:
        return tf.zeros([])
    return tf.gather(parameters.correction, contexts)


def scores(parameters: Parameters, targets: tf.Tensor, contexts: tf.Tensor) -> tf.Tensor:
    """s(t, c) of each pair as trained, some at a time so that memory stays bounded: `[pairs]`."""
    num_parts = tf.maximum(-(-tf.size(targets) // _PAIRS_AT_ONCE), 1)

    def add(part: tf.Tensor, found: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        some = slice(part * _PAIRS_AT_ONCE, (part + 1) * _PAIRS_AT_ONCE)
        products = tf.gather(parameters.target_table, targets[some]) * tf.gather(
            parameters.context_weights, contexts[some]
        )
        biases = tf.gather(parameters.context_biases, contexts[some])
        score = tf.reduce_sum(products, axis=1) / parameters.temperature + biases
        return part + 1, found.write(part, score)

    array = tf.TensorArray(tf.float32, num_parts, element_shape=[None], infer_shape=False)
    _, array = tf.while_loop(lambda part, _: part < num_parts, add, (0, array))
    return array.concat()


def mean_cross_entropies(
    parameters: Parameters, targets: tf.Tensor, contexts: tf.Tensor, *, raw: bool = True
) -> CrossEntropies:
    """Means over some pairs, `[]` each.

    Args:
      parameters: the model.
      targets, contexts: `[pairs]` ids.
      raw: whether those of the scores as they were trained are asked for.
    """
    distinct, positions = tf.unique(targets)
    num_parts = -(-tf.size(distinct) // TARGETS_AT_ONCE)
    num_sums = len(TargetSums._fields) if raw else 2

    def add(part: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        some = distinct[part * TARGETS_AT_ONCE : (part + 1) * TARGETS_AT_ONCE]
        sums = target_sums(parameters, some, raw=raw)
        return part + 1, tf.concat([found, tf.stack(sums[:num_sums])], 1)

    _, sums = tf.while_loop(
        lambda part, _: part < num_parts,
        add,
        (0, tf.zeros([num_sums, 0])),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([num_sums, None])),
    )
    of_pairs = TargetSums(*tf.unstack(tf.gather(sums, positions, axis=1)))
    found = cross_entropies(parameters, of_pairs, targets, contexts)
    return CrossEntropies(*map(tf.reduce_mean, found[:num_sums]))


def sampled_loss(
    parameters: Parameters,
    sampler: Sampler,
    num_sampled: int,
    targets: tf.Tensor,
    contexts: tf.Tensor,
    *,
    seed: int,
) -> tf.Tensor:
    """What sampling estimates: the mean loss against candidates, to be held beside the full one.

    `nce` or `sampled_softmax`, whichever is of the objective's family, on the corrected scores: the
    same for every objective of a family, and what its full cross-entropy is the limit of.

    Args:
      parameters: the model.
      sampler: of the candidates.
      num_sampled: candidates.
      targets, contexts: `[pairs]` ids.
      seed: of the candidates.

    Returns:
      `[]` nats, the mean over the pairs and over 20 sets of candidates.
    """
    # A target's candidates are scored once for all of its pairs.
    distinct, positions = tf.unique(targets)
    inputs = tf.gather(parameters.target_table, distinct) / parameters.temperature
    true = scores(parameters, targets, contexts) + _corrections(parameters, contexts)
    biases = parameters.corrected_biases

    def add(draw: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        drawn = sampler.draw(num_sampled, tf.stack([tf.constant(seed, tf.int64), draw]))
        weights = tf.gather(parameters.context_weights, drawn.classes)
        offsets = tf.gather(biases, drawn.classes) - _log_expected(sampler, drawn.classes, drawn)
        sampled = tf.matmul(inputs, weights, transpose_b=True) + offsets
        found = _losses_of_pairs(
            true - _log_expected(sampler, contexts, drawn),
            tf.gather(_sums(sampled, softmax=parameters.softmax), positions),
            candidate_sampling.times_drawn(contexts, drawn),
            softmax=parameters.softmax,
        )
        return draw + 1, total + tf.reduce_mean(found)

    start = (tf.constant(0, tf.int64), tf.zeros([]))
    _, total = tf.while_loop(lambda draw, _: draw < _DRAWS, add, start)
    return total / _DRAWS


def _log_expected(sampler: Sampler, classes: tf.Tensor, drawn: SampledCandidates) -> tf.Tensor:
    return tf.math.log(sampler.expected_count(classes, drawn))


def _sums(sampled: tf.Tensor, *, softmax: bool) -> tf.Tensor:
    """What all candidates of a target add to its pairs' losses: `[targets, n]` to `[targets]`."""
    return tf.reduce_logsumexp(sampled, 1) if softmax else tf.reduce_sum(tf.nn.softplus(sampled), 1)


def _losses_of_pairs(
    true: tf.Tensor, sums: tf.Tensor, hits: tf.Tensor, *, softmax: bool
) -> tf.Tensor:
    """losses.nce or losses.sampled_softmax of each pair, `[pairs]`.

    A hit's score is the pair's own, so it can be taken off afterwards. Of a softmax what is left is
    at least `exp(sum) / hits`: nothing cancels.

    Args:
      true: `[pairs]`, corrected scores.
      sums: `[pairs]`, _sums of their targets.
      hits: `[pairs]`, how often the pair's context is among the candidates.
      softmax: the family.
    """
    if not softmax:
        return tf.nn.softplus(-true) + sums - hits * tf.nn.softplus(true)
    top = tf.maximum(sums, true)
    total = tf.exp(sums - top) + (1.0 - hits) * tf.exp(true - top)
    return top + tf.math.log(total) - true


def sampled_losses(
    parameters: Parameters,
    sampler: Sampler,
    targets: tf.Tensor,
    contexts: tf.Tensor,
    *,
    numbers: Sequence[int],
    seed: int,
) -> dict[int, float]:
    """Sampled losses at several numbers of candidates; those above the vocabulary are left out."""
    compiled = tf.function(sampled_loss, autograph=False)
    return {
        number: float(compiled(parameters, sampler, number, targets, contexts, seed=seed))
        for number in numbers
        if number <= sampler.vocabulary_size
    }
