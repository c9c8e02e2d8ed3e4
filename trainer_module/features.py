"""Names of the features: the contract between the components."""

# TextExampleGen -> Transform: one document, UTF-8 bytes, [1].
TEXT = "text"
# int64, [1]: which one of its copies the document is, from 0; those count that differ by no more
# than case, blanks and punctuation. All random draws of a document are hashed from the two, so that
# each copy has draws of its own.
OCCURRENCE = "occurrence"

# Transform -> Trainer: one row a document. It holds the tokens of the document that the vocabulary
# knows, in the order of the text, each with its window:
#
#   text          "the cat sat on the zyx mat"    zyx is not in the vocabulary
#   token_ids     [0, 7, 9, 3, 0, 8]              ids of: the cat sat on the mat
#   window_sizes  [0, 2, 1, 1, 0, 2]              0: subsampling left this "the" out
#   num_tokens    7
#   document_hash  of text and occurrence; the draws of later epochs are derived from it
#
# Tokens with a window of at least 1 are targets. The contexts of a target are the other tokens of
# its row that stand at most its window away; what was left out does not count. The targets here are
# cat(2) sat(1) on(1) mat(2), so cat has the contexts sat and on, sat has cat and on, on has sat and
# mat, mat has sat and on: skip_grams.pairs writes them out.
#
# A window of -1 marks a token that is a context and no target. So a given pair (t, c), which is a
# document of its own, is `t c` with the windows 1 and -1; if it occurs twice, `t c t` with 1, -1
# and 1. Later epochs leave such documents as they are.
#
# Why not the pairs themselves: this form takes half of the bytes, the Trainer works on whole
# windows at a time, and later epochs draw windows of their own for the same tokens.
TOKEN_IDS = "token_ids"  # int64, [tokens of the document that are in the vocabulary]
WINDOW_SIZES = "window_sizes"  # int64, [the same]
NUM_TOKENS = "num_tokens"  # int64, []: all tokens of the document, also those left out
DOCUMENT_HASH = "document_hash"  # int64, []

# With preprocessing.emit = pairs it holds the pairs themselves instead, in the order of the targets
# and, for one target, of the text. Of the same document:
#
#   target      [7, 7, 9, 9, 3, 3, 8, 8]
#   context     [9, 3, 7, 3, 9, 8, 9, 3]
#   num_tokens  7
#
# Any trainer reads this form: see docs/pairs.md. All epochs of ours have the same pairs then.
TARGET = "target"  # int64, [pairs of the document]
CONTEXT = "context"  # int64, [the same]
# And beside them, where the pairs of several documents stand one behind the other.
DOCUMENT = "document"

# The vocabulary file of Transform's output: `count token` lines by falling count; a token's id is
# the number of its line.
VOCABULARY = "vocabulary"
# Beside it, as JSON: how many different tokens the corpus holds (`distinct`) and how many in all
# (`occurrences`), also those that the vocabulary leaves out.
VOCABULARY_TOTALS = "vocabulary_totals"

# With corpus.kind = pairs those are of the targets, and contexts have a vocabulary of their own: a
# context's id is the number of its line there. Else the one file is for both.
CONTEXT_VOCABULARY = "context_vocabulary"


def has_two_vocabularies(kind: str) -> bool:
    """Whether the contexts of a kind of corpus have a vocabulary of their own."""
    return kind == "pairs"


# The evaluate signature -> Evaluator: of each document, the sums over its pairs. Cross-entropies
# are in nats.
SOFTMAX_CROSS_ENTROPY = "softmax_cross_entropy"
SIGMOID_CROSS_ENTROPY = "sigmoid_cross_entropy"
RAW_SOFTMAX_CROSS_ENTROPY = "raw_softmax_cross_entropy"
RAW_SIGMOID_CROSS_ENTROPY = "raw_sigmoid_cross_entropy"
UNIGRAM_CROSS_ENTROPY = "unigram_cross_entropy"
NUM_PAIRS = "num_pairs"
EVALUATE_OUTPUTS = (
    SOFTMAX_CROSS_ENTROPY,
    SIGMOID_CROSS_ENTROPY,
    RAW_SOFTMAX_CROSS_ENTROPY,
    RAW_SIGMOID_CROSS_ENTROPY,
    UNIGRAM_CROSS_ENTROPY,
    NUM_PAIRS,
)
# And of each document, what target_sample.DrawnTargets.sketch makes of the first two.
SOFTMAX_SKETCH = "softmax_sketch"
SIGMOID_SKETCH = "sigmoid_sketch"
SKETCHES = {SOFTMAX_CROSS_ENTROPY: SOFTMAX_SKETCH, SIGMOID_CROSS_ENTROPY: SIGMOID_SKETCH}

# common_cross_entropy.CommonCrossEntropy -> Evaluator: of each document, sums over pairs that are
# the same for tonight's model and the last blessed one.
NUM_COMMON_PAIRS = "num_common_pairs"
COMMON_CROSS_ENTROPY = "common_cross_entropy"
COMMON_KNOWN_PAIRS = "common_known_pairs"  # of which the model knows both tokens


def of_last_blessed(output: str) -> str:
    """The name of an output, or a metric, where it is the last blessed model's."""
    return f"{output}_of_last_blessed"


COMPARISON_OUTPUTS = (
    NUM_COMMON_PAIRS,
    COMMON_CROSS_ENTROPY,
    COMMON_KNOWN_PAIRS,
    of_last_blessed(COMMON_CROSS_ENTROPY),
    of_last_blessed(COMMON_KNOWN_PAIRS),
)

# And the sketches of the two common cross-entropies.
COMMON_SKETCH = "common_sketch"

# Of each document, of the cross-entropy that the gate compares: its sum over the pairs and their
# number, of tonight's model and of the last blessed one. 0 for documents that not both held out.
COMPARED_LOSS, COMPARED_PAIRS = "compared_loss", "compared_pairs"
COMPARED_OUTPUTS = (
    COMPARED_LOSS,
    COMPARED_PAIRS,
    of_last_blessed(COMPARED_LOSS),
    of_last_blessed(COMPARED_PAIRS),
)
# And the sketches of the two losses.
COMPARED_SKETCH = "compared_sketch"
