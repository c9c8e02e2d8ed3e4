"""Names of the features: the contract between the components."""

# TextExampleGen -> Transform: one document, UTF-8 bytes, [1].
TEXT = "text"

# Transform -> Trainer: one row a document, its pairs in their shortest form: each token of the
# vocabulary, in the order of the text, with its window. A window of 0 says that subsampling left
# the token out. The others are targets; the contexts of a target are the targets of its row that
# stand at most its window away (skip_grams.pairs writes them out). A third of the bytes of pairs
# written out; the Trainer takes whole windows at a time, and draws later epochs' own from the same
# tokens.
TARGET = "target"  # int64 ids, [tokens of the document]
WINDOW = "window"  # int64, [tokens of the document]
NUM_TOKENS = "num_tokens"  # int64, []: all tokens of the document, also those left out

# The vocabulary file of Transform's output: `count token` lines by falling count; a token's id is
# the number of its line.
VOCABULARY = "vocabulary"

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
