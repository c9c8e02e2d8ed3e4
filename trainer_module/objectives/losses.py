"""The losses of training and the two full cross-entropies of evaluation: the specification.

Pure functions of scores or vectors, float32 throughout, in nats; TensorFlow is all they need. They
return one loss per pair unless they say otherwise; averaging is then the caller's. docs/losses.md
derives what each objective makes of the scores.

Symbols, the same in all docstrings:
  t     a target, the id predicted from
  c     a context, the id to predict; (t, c) is a pair
  j     another class: a candidate, or any of the vocabulary
  s     a score, a logit: `s(t, c) = <target vector of t, context weights of c> + context bias of c`
  q     the sampler's distribution: q(j) is the probability that one draw gives j
  n     the expected count: n(j) is how often one set of candidates is expected to hold j
  s'    a score after logQ correction, `s - log n`
  k     negatives a pair

Training on candidates that a batch shares, the default, does not call these functions. It follows
gradients that are written by hand, five times as fast: they stand below the losses of each family,
in sigmoid_family.py and softmax_family.py. What they must give is the gradient of these losses, to
which tests/trainer_module/objectives/test_gradients.py holds them. An edit of a loss alone thus
changes no default training: it fails that test until the gradient follows.
"""

from trainer_module.objectives.full_cross_entropies import (
    VocabularySums,
    full_sigmoid_cross_entropy,
    full_softmax_cross_entropy,
    vocabulary_sums,
)
from trainer_module.objectives.sigmoid_family import (
    nce,
    negative_sampling,
    sigmoid_cross_entropy,
)
from trainer_module.objectives.softmax_family import sampled_softmax, softmax_cross_entropy

__all__ = [
    "VocabularySums",
    "full_sigmoid_cross_entropy",
    "full_softmax_cross_entropy",
    "nce",
    "negative_sampling",
    "sampled_softmax",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "vocabulary_sums",
]
